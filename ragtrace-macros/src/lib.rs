//! The attribute of `ragtrace`. Use it through that crate, whose documentation says what it does.
//!
//! One direction, a file each: `args`, `field` and `item` parse what was written, `model` checks it, `expand` writes the
//! code. When anything is wrong, `fallback` gives the item back as it was, with one error beside it.

mod args;
mod block;
mod expand;
mod fallback;
mod field;
mod function;
mod keywords;
mod model;
mod name;
mod shape;
mod suggest;
mod undeclared;

#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

#[expect(missing_docs, reason = "documented where it is handed on")]
#[proc_macro_attribute]
pub fn traced_stage(args: TokenStream, item: TokenStream) -> TokenStream {
    traced(args.into(), item.into()).into()
}

fn traced(args: proc_macro2::TokenStream, item: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    let written = args.clone();
    let parsed = syn::parse2::<args::Args>(args)
        .and_then(|args| {
            let function = function::Function::parse(&item, args.stream.as_ref())?;
            Ok((args, function))
        })
        .and_then(|(args, function)| Ok((model::Stage::check(args, &function)?, function)));
    match parsed {
        Ok((stage, function)) => expand::expand(&stage, &function),
        Err(error) => fallback::fallback(&error, written, item),
    }
}

#[expect(missing_docs, reason = "documented where it is handed on")]
#[proc_macro]
pub fn stage(input: TokenStream) -> TokenStream {
    let block: syn::Result<block::Block> = syn::parse(input);
    let expanded = block.and_then(|block| Ok((model::Stage::check_block(block.args)?, block.body)));
    match expanded {
        Ok((stage, body)) => expand::expand_block(&stage, &body).into(),
        Err(error) => error.into_compile_error().into(),
    }
}

/// The error of a `record!` that names a field which is not declared.
#[doc(hidden)]
#[proc_macro]
pub fn undeclared(input: TokenStream) -> TokenStream {
    undeclared::error(input.into()).into()
}
