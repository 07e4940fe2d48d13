//! Generates `record!`, a macro at the beginning of the body with an arm for each declared name.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use crate::model::Stage;

/// Returns the macro's definition, or nothing for a stage that declares no names.
pub(crate) fn definition(stage: &Stage) -> Option<TokenStream> {
    if stage.record.is_empty() {
        return None;
    }
    let krate = &stage.krate;
    let private = quote!(#krate::__private);
    let names: Vec<String> = stage.record.iter().map(|field| field.name.to_string()).collect();
    let all = names.join(" ");
    let first = stage.first_record();
    let arms = stage.record.iter().enumerate().map(|(at, field)| {
        let (name, ty) = (&field.name, &field.ty);
        let index = u16::try_from(first + at).unwrap_or(u16::MAX);
        let record = match name.unraw().to_string().as_str() {
            "count" => quote!(record_count),
            "cost_usd" => quote!(record_cost),
            _ => quote!(record),
        };
        // Errors about the type are located at the type.
        let span = Span::call_site().located_at(ty.span());
        let record = quote_spanned!(span=> #private::#record(__RAGTRACE_RECORDING, #index, &value););
        quote! {
            (#name = $value:expr $(, $($rest:tt)*)?) => {{
                let value: #ty = $value;
                #record
                $(record!($($rest)*);)?
            }};
        }
    });
    let record = Ident::new("record", Span::call_site());
    Some(quote! {
        // This static has its own name so that `record!` keeps referring to this stage inside a
        // nested stage that declares no names, where `__RAGTRACE_STAGE` is the nested stage's.
        static __RAGTRACE_RECORDING: &#krate::StageDescriptor = __RAGTRACE_STAGE.get();
        #[allow(unused_macros)]
        macro_rules! #record {
            () => {};
            #(#arms)*
            ($($other:tt)*) => { #private::undeclared!(#all, $($other)*) };
        }
    })
}
