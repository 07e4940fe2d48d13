//! The attribute of `ragtrace`. Use it through that crate, whose documentation says what it does.
//!
//! One direction, a file each: `args` parses the arguments, with `field`; `function` and `block` what they are about, with
//! `shape`, `work` and `parameters` for what the signature tells; `model` validates; `expand` writes the code. When anything is wrong, `fallback` gives the item back as it was, with one error
//! beside it.

mod args;
mod block;
mod diagnostic;
mod expand;
mod fallback;
mod field;
mod function;
mod keywords;
mod model;
mod name;
mod parameters;
mod shape;
mod suggest;
mod undeclared;
mod work;

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;

use crate::args::Args;
use crate::block::Block;
use crate::function::Function;
use crate::model::Stage;

#[expect(missing_docs, reason = "documented where it is handed on")]
#[proc_macro_attribute]
pub fn traced_stage(args: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    traced_function(args.into(), item.into()).into()
}

fn traced_function(args: TokenStream, item: TokenStream) -> TokenStream {
    let stage = || {
        let attribute = args.clone();
        let args: Args = syn::parse2(attribute.clone())?;
        let function = Function::parse(&item, &attribute, &args)?;
        Ok((Stage::check(args, &function)?, function))
    };
    match stage() {
        Ok((stage, function)) => expand::expand(&stage, &function),
        Err(error) => fallback::fallback(&error, args, item),
    }
}

#[expect(missing_docs, reason = "documented where it is handed on")]
#[proc_macro]
pub fn stage(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    traced_block(input.into()).into()
}

fn traced_block(input: TokenStream) -> TokenStream {
    let stage = || {
        let Block { args, body } = syn::parse2(input)?;
        Ok((Stage::check_block(args)?, body))
    };
    match stage() {
        Ok((stage, body)) => expand::expand_block(&stage, &body),
        Err(error) => diagnostic::compile_error(&error),
    }
}

/// Explains a `record!` that names a field which is not declared.
#[doc(hidden)]
#[proc_macro]
pub fn undeclared(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    undeclared::error(input.into()).into()
}
