//! What is written in `stage!(…)`: the arguments of the attribute, and then an `async` block.

use proc_macro2::{Delimiter, Span, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::{Error, ExprAsync, Result, Token};

use crate::args::Args;

/// Arguments and block.
pub(crate) struct Block {
    pub(crate) args: Args,
    pub(crate) future: ExprAsync,
}

const TAKES: &str = "`stage!` takes a block after its arguments: `async { … }` or `async move { … }`";

impl Parse for Block {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut args: Vec<TokenTree> = Vec::new();
        while !input.peek(Token![async]) {
            args.push(input.parse().map_err(|_| no_block(&args))?);
        }
        let word = input.span();
        let ends = args.last().is_none_or(|last| matches!(last, TokenTree::Punct(comma) if comma.as_char() == ','));
        let args = syn::parse2(args.into_iter().collect())?;
        if !ends {
            return Err(Error::new(word, "expected `,` before the block"));
        }
        let future = input.parse().map_err(|_| Error::new(word, TAKES))?;
        if input.peek(Token![,]) {
            input.parse::<Token![,]>()?;
        }
        if input.is_empty() { Ok(Self { args, future }) } else { Err(input.error("nothing comes after the block")) }
    }
}

/// The error where nothing is `async`: at a block that should be, else at the end.
fn no_block(args: &[TokenTree]) -> Error {
    match args.last() {
        Some(TokenTree::Group(block)) if block.delimiter() == Delimiter::Brace => Error::new_spanned(block, TAKES),
        last => Error::new(
            last.map_or_else(Span::call_site, TokenTree::span),
            "the block is missing: `stage!(\"file_parsing\", kind = parse, async { … }).await`",
        ),
    }
}
