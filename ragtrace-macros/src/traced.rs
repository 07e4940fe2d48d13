//! Connects the phases: parse, validate, expand, or fall back.

use proc_macro2::TokenStream;

use crate::args::Args;
use crate::block::Block;
use crate::diagnostic;
use crate::expand;
use crate::fallback;
use crate::function::Function;
use crate::model::Stage;

/// Returns the function as a stage, or unchanged with one error beside it.
pub(crate) fn traced_function(args: TokenStream, item: TokenStream) -> TokenStream {
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

/// Returns the expression that runs the block as a stage, or one error.
pub(crate) fn traced_block(input: TokenStream) -> TokenStream {
    let stage = || {
        let Block { args, body } = syn::parse2(input)?;
        Ok((Stage::check_block(args)?, body))
    };
    match stage() {
        Ok((stage, body)) => expand::expand_block(&stage, &body),
        Err(error) => diagnostic::compile_error(&error),
    }
}
