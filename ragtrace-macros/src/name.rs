//! Validates the names of stages, and suggests corrections.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::{Error, LitStr, Result};

/// The maximum length of a stage's name in characters.
const LONGEST: usize = 64;

/// Returns the name in a literal, or an error if it is invalid.
pub(crate) fn of_literal(literal: &LitStr) -> Result<String> {
    let name = literal.value();
    check(&name).map_err(|what| {
        let suggestion = snake_case(&name);
        let is_one = name.is_ascii() && check(&suggestion).is_ok();
        let hint = if is_one { format!(": for example `\"{suggestion}\"`") } else { String::new() };
        Error::new_spanned(literal, format!("a stage's name {what}{hint}"))
    })?;
    Ok(name)
}

/// Returns the name of a stage that is named after its function, or an error if it is invalid.
pub(crate) fn of_function(ident: &Ident) -> Result<String> {
    let name = ident.unraw().to_string();
    check(&name).map_err(|what| {
        Error::new_spanned(
            ident,
            format!("a stage's name {what}: set another name than the function's, `name = \"…\"`"),
        )
    })?;
    Ok(name)
}

/// Returns the previous name of the stage `name`, or an error if it is invalid or equals `name`.
pub(crate) fn older(literal: &LitStr, name: &str) -> Result<String> {
    let older = of_literal(literal)?;
    if older == name {
        return Err(Error::new_spanned(
            literal,
            format!("`{name}` is the stage's current name: write its previous name, or remove `renamed_from`"),
        ));
    }
    Ok(older)
}

fn check(name: &str) -> std::result::Result<(), String> {
    if name.is_empty() {
        return Err("must not be empty".to_owned());
    }
    if name.chars().count() > LONGEST {
        return Err(format!("must have at most {LONGEST} characters, and this one has {}", name.chars().count()));
    }
    let is_segment = |segment: &str| {
        let mut chars = segment.chars();
        chars.next().is_some_and(|c| c.is_ascii_lowercase() || c == '_')
            && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let is_well_formed = name.split('.').all(is_segment);
    if is_well_formed {
        return Ok(());
    }
    Err("must be in snake_case (a-z, 0-9 and _, not starting with a digit), with dots between segments".to_owned())
}

/// Returns a valid name that resembles `name`, if there is one.
fn snake_case(name: &str) -> String {
    let mut out = String::new();
    let mut after_lower = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && after_lower {
            out.push('_');
        }
        after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() || c == '.' || c == '_' => out.push(c),
            _ if out.ends_with('_') || out.is_empty() => {}
            _ => out.push('_'),
        }
    }
    let segments = out.split('.').map(|segment| segment.trim_end_matches('_')).filter(|segment| !segment.is_empty());
    segments.collect::<Vec<_>>().join(".")
}
