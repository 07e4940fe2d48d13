//! Validates the names of stages, and says what to write in place of one that is not well formed.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::{Error, LitStr, Result};

/// The longest name of a stage, in characters.
const LONGEST: usize = 64;

/// Returns the name that a literal gives, if it is well formed.
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

/// Returns the name of a stage that is called as its function is, if it is well formed.
pub(crate) fn of_function(ident: &Ident) -> Result<String> {
    let name = ident.unraw().to_string();
    check(&name).map_err(|what| {
        Error::new_spanned(ident, format!("a stage's name {what}: give it another than the function's, `name = \"…\"`"))
    })?;
    Ok(name)
}

/// Returns the older name that `literal` gives to the stage `name`, if it is well formed and
/// another one.
pub(crate) fn older(literal: &LitStr, name: &str) -> Result<String> {
    let older = of_literal(literal)?;
    if older == name {
        return Err(Error::new_spanned(
            literal,
            format!(
                "`{name}` is the stage's name today: write the one that it had before, or leave `renamed_from` out"
            ),
        ));
    }
    Ok(older)
}

fn check(name: &str) -> std::result::Result<(), String> {
    if name.is_empty() {
        return Err("may not be empty".to_owned());
    }
    if name.chars().count() > LONGEST {
        return Err(format!("has at most {LONGEST} characters, and this one {}", name.chars().count()));
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
    Err("is written in snake_case (a-z, 0-9 and _, no digit first), with dots between segments".to_owned())
}

/// Returns the well-formed name that is nearest to `name`.
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
