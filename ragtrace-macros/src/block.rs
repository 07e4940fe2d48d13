//! Parses the input of `stage!`: the attribute's arguments, followed by a block that is kept as
//! written.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Ident, Lifetime, Result, Token, token};

use crate::args::Args;
use crate::function::braces;

/// The arguments and the block.
pub(crate) struct Block {
    pub(crate) args: Args,
    pub(crate) body: Body,
}

/// The block.
pub(crate) enum Body {
    /// `async { … }` or `async move { … }`: becomes a future.
    Async(TokenStream),
    /// `{ … }`: runs in place.
    Sync(Group),
}

const TAKES: &str = "`stage!` takes a block after its arguments: `{ … }`, `async { … }` or `async move { … }`";

impl Parse for Block {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut args: Vec<TokenTree> = Vec::new();
        let mut is_separated = true;
        while !(input.peek(Token![async]) || input.peek(token::Brace)) {
            if is_separated {
                refuse_other_expressions(input)?;
            }
            let token = input.parse().map_err(|_| no_block(args.last()))?;
            is_separated = matches!(&token, TokenTree::Punct(comma) if comma.as_char() == ',');
            args.push(token);
        }
        let start = input.span();
        let args = syn::parse2(args.into_iter().collect())?;
        if !is_separated {
            return Err(Error::new(start, "expected `,` before the block"));
        }
        let body = input.parse()?;
        if input.peek(Token![.]) || input.peek(Token![?]) {
            return Err(
                input.error("nothing may follow the block: move this behind the closing parenthesis of `stage!(…)`")
            );
        }
        let _comma: Option<Token![,]> = input.parse()?;
        if !input.is_empty() {
            return Err(input.error("nothing may follow the block: put arguments before it"));
        }
        Ok(Self { args, body })
    }
}

impl Parse for Body {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let start = input.span();
        let asynchronous: Option<Token![async]> = input.parse()?;
        let capture: Option<Token![move]> = input.parse()?;
        if is_closure(input) {
            return Err(Error::new(start, of_closure("async { … }")));
        }
        let block = input.parse().ok().and_then(braces).ok_or_else(|| Error::new(start, TAKES))?;
        Ok(match asynchronous {
            Some(_) => Self::Async(quote!(#asynchronous #capture #block)),
            None => Self::Sync(block),
        })
    }
}

/// Rejects anything that is neither an argument nor a block, and says how to turn it into a block.
fn refuse_other_expressions(input: ParseStream<'_>) -> Result<()> {
    const KEYWORDS: [&str; 7] = ["unsafe", "const", "loop", "while", "for", "if", "match"];
    let lookahead = input.fork();
    let capture: Option<Token![move]> = lookahead.parse()?;
    if is_closure(&lookahead) {
        return Err(input.error(of_closure("{ … }")));
    }
    if capture.is_some() {
        return Err(input.error("`move` needs an `async` block: remove it, or write `async move { … }`"));
    }
    if lookahead.peek(Lifetime) {
        return Err(input.error("wrap the labeled expression in a block: `{ 'name: { … } }`"));
    }
    let keyword = lookahead.call(Ident::parse_any).map(|word| word.to_string()).unwrap_or_default();
    if KEYWORDS.contains(&keyword.as_str()) {
        return Err(input.error(format!("wrap this expression in a block: `{{ {keyword} … }}`")));
    }
    Ok(())
}

fn is_closure(input: ParseStream<'_>) -> bool {
    input.peek(Token![|]) || input.peek(Token![||])
}

fn of_closure(block: &str) -> String {
    format!("`stage!` does not take a closure: write its body as a block, `{block}`")
}

/// Returns the error for a missing block, located at the last token.
fn no_block(last: Option<&TokenTree>) -> Error {
    Error::new(
        last.map_or_else(Span::call_site, TokenTree::span),
        "the block is missing: write `stage!(\"file_parsing\", kind = parse, async { … }).await`, or `{ … }` for synchronous code",
    )
}
