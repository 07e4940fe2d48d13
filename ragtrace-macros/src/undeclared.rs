//! Reports a `record!` that no arm of the macro matches, because a name is undeclared or the syntax
//! is wrong.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::Error;

use crate::diagnostic::compile_error;
use crate::suggest::{did_you_mean, list};

/// Returns the error, located at the wrong name or token.
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

/// Finds the wrong token, and returns it with a message.
fn mistake_in<'a>(written: &'a [TokenTree], declared: &[&str]) -> (Option<&'a TokenTree>, String) {
    let all = list(declared);
    let punct = |at: usize| match written.get(at) {
        Some(TokenTree::Punct(punct)) => Some(punct.as_char()),
        _ => None,
    };
    let Some(first @ TokenTree::Ident(name)) = written.first() else {
        return (written.first(), format!("expected `record!(name = expr)`; declared names: {all}"));
    };
    let name = name.to_string();
    if !declared.contains(&name.as_str()) {
        let hint = did_you_mean(&name, declared).map(|hint| format!("{hint} ")).unwrap_or_default();
        return (Some(first), format!("`{name}` is not declared in `record(…)`: {hint}declared names: {all}"));
    }
    match (punct(1), punct(2)) {
        (None, _) if written.len() == 1 => {}
        (Some('='), None) if written.len() == 2 => {}
        (Some(','), _) | (Some('='), Some(',')) => {}
        (Some('='), Some(sign @ ('%' | '?'))) => {
            return (written.get(2), format!("the type of `{name}` is declared in `record(…)`: remove `{sign}`"));
        }
        (Some('='), _) => {
            // There is a value, so the mistake is in the value or after it.
            return (
                Some(first),
                format!("expected one value, followed by `,` or the end: `record!({name} = expr, …)`"),
            );
        }
        _ => return (written.get(1), format!("expected `=` and a value: `record!({name} = expr)`")),
    }
    (Some(first), format!("the value of `{name}` is missing: write `record!({name} = expr)`"))
}
