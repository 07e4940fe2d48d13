//! Checks that the attribute returns tokens and does not panic, whatever it is applied to.
#![no_main]

#[path = "../../ragtrace-macros/src/args.rs"]
mod args;
#[path = "../../ragtrace-macros/src/block.rs"]
mod block;
#[path = "../../ragtrace-macros/src/diagnostic.rs"]
mod diagnostic;
#[path = "../../ragtrace-macros/src/expand/mod.rs"]
mod expand;
#[path = "../../ragtrace-macros/src/fallback.rs"]
mod fallback;
#[path = "../../ragtrace-macros/src/field.rs"]
mod field;
#[path = "../../ragtrace-macros/src/function.rs"]
mod function;
#[path = "../../ragtrace-macros/src/items.rs"]
mod items;
#[path = "../../ragtrace-macros/src/keywords.rs"]
mod keywords;
#[path = "../../ragtrace-macros/src/model.rs"]
mod model;
#[path = "../../ragtrace-macros/src/name.rs"]
mod name;
#[path = "../../ragtrace-macros/src/parameters.rs"]
mod parameters;
#[path = "../../ragtrace-macros/src/shape.rs"]
mod shape;
#[path = "../../ragtrace-macros/src/suggest.rs"]
mod suggest;
#[path = "../../ragtrace-macros/src/traced.rs"]
mod traced;
#[path = "../../ragtrace-macros/src/undeclared.rs"]
mod undeclared;
#[path = "../../ragtrace-macros/src/work.rs"]
mod work;

use std::str::FromStr;

use libfuzzer_sys::fuzz_target;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// The tokens from which random bytes build arguments and functions.
const WORDS: &[&str] = &[
    "name",
    "kind",
    "chunk",
    "level",
    "target",
    "fields",
    "ok",
    "err",
    "record",
    "stream",
    "root",
    "renamed_from",
    "descriptor",
    "crate",
    "used",
    "generated",
    "=",
    ",",
    ",",
    ".",
    ":",
    "::",
    "|",
    "||",
    "%",
    "?",
    "&",
    "&mut",
    ";",
    "->",
    "=>",
    "'a",
    "<",
    ">",
    "!",
    "#",
    "*",
    "\"parsing\"",
    "\"Not a name\"",
    "1",
    "1.5",
    "-1",
    "b\"x\"",
    "'c'",
    "true",
    "self",
    "&self",
    "doc",
    "doc.name",
    "u32",
    "&str",
    "String",
    "Vec<u8>",
    "Result<(), Error>",
    "pub",
    "fn",
    "async",
    "async move",
    "const",
    "unsafe",
    "extern \"C\"",
    "impl Future<Output = u8>",
    "impl Stream<Item = u8>",
    "Pin<Box<dyn Future<Output = u8> + '_>>",
    "BoxFuture<'static, u8>",
    "Box::pin",
    "where",
    "Self",
    "T: Clone",
    "_",
    "mut",
    "ref",
    "return",
    "struct",
    "trait",
    "mod",
    "let",
    "if",
    "match",
    "while",
    "..",
    "...",
    "r#type",
    "é",
    "$",
    "#[cfg(test)]",
    "#![allow(unused)]",
    "/// text",
    "await",
    ".await",
];

/// Turns bytes into tokens. Some bytes open or close groups, which nest at most 24 levels deep.
fn tokens(bytes: &mut std::slice::Iter<'_, u8>, depth: usize) -> TokenStream {
    let mut out = TokenStream::new();
    while let Some(byte) = bytes.next() {
        let delimiter = match byte {
            250..=255 => return out,
            246..=249 if depth < 24 => Delimiter::Parenthesis,
            242..=245 if depth < 24 => Delimiter::Brace,
            240..=241 if depth < 24 => Delimiter::Bracket,
            239 if depth < 24 => Delimiter::None,
            _ => {
                let word = WORDS[usize::from(*byte) % WORDS.len()];
                out.extend(TokenStream::from_str(word).unwrap_or_default());
                continue;
            }
        };
        out.extend([TokenTree::Group(Group::new(delimiter, tokens(bytes, depth + 1)))]);
    }
    out
}

fuzz_target!(|input: (&[u8], &[u8], bool)| {
    let (args, item, is_function) = input;
    let args = tokens(&mut args.iter(), 0);
    let mut item = tokens(&mut item.iter(), 0);
    // Most random input is not a function and would be rejected at the first token.
    if is_function {
        let head = TokenStream::from_str("async fn parse").expect("tokens");
        item = head.into_iter().chain(item).collect();
    }
    let _ = traced::traced_function(args.clone(), item.clone()).to_string();
    let _ = undeclared::error(args.clone()).to_string();
    let _ = traced::traced_block(args.into_iter().chain(item).collect()).to_string();
});
