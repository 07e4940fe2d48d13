//! Parses the items of one type, as they are written in `used(…)` and after the head of
//! `generated(…)`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Ident, LitStr, Result, Token};

/// `document = expr`: an expression that gives the items of a type.
pub(crate) struct Items {
    pub(crate) item_type: String,
    /// The tokens that an error about the type points at.
    pub(crate) type_tokens: TokenStream,
    pub(crate) value: Expr,
}

/// The longest word for a type, in characters.
const LONGEST: usize = 64;
const EXPECTED: &str = "expected a type and its items: `document = [&doc.id]`";

impl Parse for Items {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(LitStr) && input.peek2(Token![=]) {
            return Err(input.error("a type of items is written without quotes: `document = [&doc.id]`"));
        }
        let name = input.call(Ident::parse_any).map_err(|error| Error::new(error.span(), EXPECTED))?;
        let item_type = name.unraw().to_string();
        if input.peek(Token![.]) {
            let message = "items need a type, a word of its own: `document = [&doc.id]`";
            return Err(Error::new_spanned(name, message));
        }
        if !input.peek(Token![=]) || input.peek(Token![==]) {
            let is_alone = input.is_empty() || input.peek(Token![,]);
            let message =
                if is_alone { format!("its items are missing: `{name} = [&{name}.id]`") } else { EXPECTED.to_owned() };
            return Err(Error::new_spanned(name, message));
        }
        check(&name, &item_type)?;
        let _equals: Token![=] = input.parse()?;
        if input.is_empty() || input.peek(Token![,]) {
            return Err(Error::new_spanned(&name, format!("its items are missing: `{name} = [&{name}.id]`")));
        }
        if input.peek(Token![%]) || input.peek(Token![?]) {
            let message = "items are given by their ids: leave out `%` and `?`, or write `Item::new(id.to_string())`";
            return Err(input.error(message));
        }
        let value = input.parse()?;
        if !(input.is_empty() || input.peek(Token![,])) {
            return Err(input.error("expected `,` between types of items"));
        }
        Ok(Self { item_type, type_tokens: name.to_token_stream(), value })
    }
}

fn check(name: &Ident, word: &str) -> Result<()> {
    let is_snake_case = word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !is_snake_case {
        return Err(Error::new_spanned(
            name,
            "a type of items is a word in snake_case (a-z, 0-9 and _, a letter first), such as `document`",
        ));
    }
    if word.len() > LONGEST {
        return Err(Error::new_spanned(
            name,
            format!("a type of items has at most {LONGEST} characters, and this one {}", word.len()),
        ));
    }
    Ok(())
}
