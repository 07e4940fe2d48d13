//! `record!`: a macro planted in the body, with an arm for each declared name.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use crate::model::Stage;
use crate::suggest::{did_you_mean, list};

/// The macro's definition, or nothing for a stage that declares no names.
pub(crate) fn planted(stage: &Stage) -> Option<TokenStream> {
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
        // An error about the type is at the type.
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
        // A name of its own: a block inside that is a stage too, and declares nothing, hides the other one.
        static __RAGTRACE_RECORDING: &#krate::StageDescriptor = __RAGTRACE_STAGE.get();
        #[allow(unused_macros)]
        macro_rules! #record {
            () => {};
            #(#arms)*
            ($($other:tt)*) => { #private::undeclared!(#all, $($other)*) };
        }
    })
}

/// The error for what no arm takes, at the name or the token that is wrong.
pub(crate) fn undeclared(input: TokenStream) -> TokenStream {
    let mut tokens = input.into_iter();
    let declared = tokens.next().map(|literal| literal.to_string()).unwrap_or_default();
    let declared: Vec<&str> = declared.trim_matches('"').split(' ').collect();
    let _comma = tokens.next();
    let written: Vec<TokenTree> = tokens.collect();
    let (at, message) = wrong(&written, &declared);
    let span = at.map_or_else(Span::call_site, TokenTree::span);
    quote_spanned!(span=> ::core::compile_error!(#message))
}

/// Which token is wrong, and what to say of it.
fn wrong<'a>(written: &'a [TokenTree], declared: &[&str]) -> (Option<&'a TokenTree>, String) {
    let all = list(declared);
    let punct = |at: usize| match written.get(at) {
        Some(TokenTree::Punct(punct)) => Some(punct.as_char()),
        _ => None,
    };
    let Some(first @ TokenTree::Ident(name)) = written.first() else {
        return (written.first(), format!("expected `record!(name = expr)`; declared: {all}"));
    };
    let name = name.to_string();
    if !declared.contains(&name.as_str()) {
        let hint = did_you_mean(&name, declared).map(|hint| format!("{hint} ")).unwrap_or_default();
        return (Some(first), format!("`{name}` is not declared in `record(…)`: {hint}declared: {all}"));
    }
    match (punct(1), punct(2)) {
        (None, _) if written.len() == 1 => {}
        (Some('='), None) if written.len() == 2 => {}
        (Some(','), _) | (Some('='), Some(',')) => {}
        (Some('='), Some(sign @ ('%' | '?'))) => {
            return (written.get(2), format!("the type of `{name}` is declared, so leave out `{sign}`"));
        }
        (Some('='), _) => {
            // The value is there: what is wrong comes after it, or in it.
            return (Some(first), format!("expected one value and then `,` or the end: `record!({name} = expr, …)`"));
        }
        _ => return (written.get(1), format!("expected `=` and a value: `record!({name} = expr)`")),
    }
    (Some(first), format!("the value of `{name}` is missing: `record!({name} = expr)`"))
}
