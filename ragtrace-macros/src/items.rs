//! Parses the items of one type in `used(…)` or `generated(…)`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Ident, LitStr, Result, Token};

/// Items of one type: `document = expr`.
pub(crate) struct Items {
    pub(crate) item_type: String,
    /// The tokens at which errors about the type are located.
    pub(crate) type_tokens: TokenStream,
    pub(crate) value: Expr,
}

/// The maximum length of an item type in characters.
const LONGEST: usize = 64;
const EXPECTED: &str = "expected a type and its items: `document = [&doc.id]`";

impl Parse for Items {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(LitStr) && input.peek2(Token![=]) {
            return Err(input.error("an item type is written without quotes: `document = [&doc.id]`"));
        }
        let name = input.call(Ident::parse_any).map_err(|error| Error::new(error.span(), EXPECTED))?;
        let item_type = name.unraw().to_string();
        if input.peek(Token![.]) {
            let message = "expected an item type, which is a single word: `document = [&doc.id]`";
            return Err(Error::new_spanned(name, message));
        }
        if !input.peek(Token![=]) || input.peek(Token![==]) {
            let is_alone = input.is_empty() || input.peek(Token![,]);
            let message = if is_alone {
                format!("the items of type `{name}` are missing: write `{name} = [&{name}.id]`")
            } else {
                EXPECTED.to_owned()
            };
            return Err(Error::new_spanned(name, message));
        }
        check(&name, &item_type)?;
        let _equals: Token![=] = input.parse()?;
        if input.is_empty() || input.peek(Token![,]) {
            return Err(Error::new_spanned(
                &name,
                format!("the items of type `{name}` are missing: write `{name} = [&{name}.id]`"),
            ));
        }
        if input.peek(Token![%]) || input.peek(Token![?]) {
            let message = "items are given by their ids, without `%` or `?`: write `Item::new(id.to_string())` for an id that has a `Display`";
            return Err(input.error(message));
        }
        let value = input.parse()?;
        if !(input.is_empty() || input.peek(Token![,])) {
            return Err(input.error("expected `,` between item types"));
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
            "an item type must be a word in snake_case (a-z, 0-9 and _, starting with a letter), such as `document`",
        ));
    }
    if word.len() > LONGEST {
        return Err(Error::new_spanned(
            name,
            format!("an item type must have at most {LONGEST} characters, and this one has {}", word.len()),
        ));
    }
    Ok(())
}
