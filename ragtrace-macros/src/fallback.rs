//! What is given back when the attribute is used wrongly: the item as it was, and one error beside it.
//!
//! The item stays, so that nothing else in the crate fails for the lack of it, and an editor goes on to work.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::quote;
use syn::Error;

/// The item and the error.
pub(crate) fn fallback(error: &Error, item: TokenStream) -> TokenStream {
    // The first of several is the cause.
    let first = error.clone().into_iter().next().unwrap_or_else(|| error.clone());
    let error = first.to_compile_error();
    let item = with_record(item);
    quote!(#error #item)
}

/// A `record!` in the body must not be a second error.
fn with_record(item: TokenStream) -> TokenStream {
    let mut tokens: Vec<TokenTree> = item.into_iter().collect();
    if let Some(TokenTree::Group(body)) = tokens.last_mut() {
        let is_function = body.delimiter() == proc_macro2::Delimiter::Brace;
        let uses_record =
            body.stream().to_string().contains("record !") || body.stream().to_string().contains("record!");
        if is_function && uses_record {
            let rest = body.stream();
            let planted = quote! {
                #[allow(unused_macros)]
                macro_rules! record { ($($any:tt)*) => { () }; }
                #rest
            };
            let mut group = Group::new(body.delimiter(), planted);
            group.set_span(body.span());
            *body = group;
        }
    }
    tokens.into_iter().collect()
}
