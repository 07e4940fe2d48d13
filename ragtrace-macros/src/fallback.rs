//! Returns an item whose attribute is wrong unchanged, with one error beside it.
//!
//! The item is kept, so that the rest of the crate does not fail for lack of it, and editors keep
//! working.

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};
use quote::quote;
use syn::{Error, Ident};

use crate::diagnostic::compile_error;

/// Returns the item and the error.
pub(crate) fn fallback(error: &Error, args: TokenStream, item: TokenStream) -> TokenStream {
    // Of several errors the first is the cause.
    let first = error.clone().into_iter().next().unwrap_or_else(|| error.clone());
    let error = compile_error(&first);
    let constant = constant(args, &item);
    let item = with_record(item);
    quote!(#error #constant #item)
}

/// Returns the constant that `descriptor = NAME` declares, so that code using it causes no second
/// error.
fn constant(args: TokenStream, item: &TokenStream) -> Option<TokenStream> {
    let args: Vec<TokenTree> = args.into_iter().collect();
    let name = syn::parse2::<Ident>(value(&args, "descriptor")?.iter().cloned().collect()).ok()?;
    let path = value(&args, "crate");
    let krate = path.map_or_else(|| quote!(::ragtrace), |path| path.iter().cloned().collect());
    let visibility = crate::function::visibility_of(item)?;
    Some(quote! {
        #[allow(dead_code)]
        #visibility const #name: #krate::StageDescriptor = #krate::StageDescriptor::new("", "");
    })
}

/// Returns the tokens of `key = tokens` up to the next comma.
fn value<'a>(args: &'a [TokenTree], key: &str) -> Option<&'a [TokenTree]> {
    let is = |token: &TokenTree, char| matches!(token, TokenTree::Punct(punct) if punct.as_char() == char && punct.spacing() == Spacing::Alone);
    let at = args.windows(2).position(|pair| pair[0].to_string() == key && is(&pair[1], '='))?;
    let rest = &args[at + 2..];
    let end = rest.iter().position(|token| is(token, ',')).unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}

/// Adds a `record!` that does nothing to the body, so that its uses cause no further errors.
fn with_record(item: TokenStream) -> TokenStream {
    let mut tokens: Vec<TokenTree> = item.into_iter().collect();
    if let Some(TokenTree::Group(body)) = tokens.last_mut() {
        let is_function = body.delimiter() == Delimiter::Brace;
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
