//! Explains a `record!` that no arm of the macro takes: a name that is not declared, or a slip in
//! how it is written.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::Error;

use crate::diagnostic::compile_error;
use crate::suggest::{did_you_mean, list};

/// Returns the error, at the name or the token that is wrong.
pub(crate) fn error(input: TokenStream) -> TokenStream {
    let mut tokens = input.into_iter();
    let declared = tokens.next().map(|literal| literal.to_string()).unwrap_or_default();
    let declared: Vec<&str> = declared.trim_matches('"').split(' ').collect();
    let _comma = tokens.next();
    let written: Vec<TokenTree> = tokens.collect();
    let (at, message) = mistake_in(&written, &declared);
    let span = at.map_or_else(Span::call_site, TokenTree::span);
    compile_error(&Error::new(span, message))
}

/// Finds the token that is wrong, and says what is wrong with it.
fn mistake_in<'a>(written: &'a [TokenTree], declared: &[&str]) -> (Option<&'a TokenTree>, String) {
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
