//! What is written in `stage!(…)`: the arguments of the attribute, and then an `async` block.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::{Error, ExprAsync, Result, Token};

use crate::args::Args;

/// Arguments and block.
pub(crate) struct Block {
    pub(crate) args: Args,
    pub(crate) future: ExprAsync,
}

impl Parse for Block {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let whole = input.span();
        let mut args = TokenStream::new();
        while !input.peek(Token![async]) {
            let token: TokenTree = input.parse().map_err(|_| {
                Error::new(whole, "the block is missing: `stage!(\"file_parsing\", kind = parse, async { … }).await`")
            })?;
            args.extend([token]);
        }
        let args = syn::parse2(args)?;
        let word = input.span();
        let future = input
            .parse()
            .map_err(|_| Error::new(word, "`stage!` takes a block: `async { … }` or `async move { … }`"))?;
        if input.peek(Token![,]) {
            input.parse::<Token![,]>()?;
        }
        if input.is_empty() { Ok(Self { args, future }) } else { Err(input.error("nothing comes after the block")) }
    }
}
