//! The attribute of `ragtrace`. Use it through that crate, whose documentation says what it does.
//!
//! One direction, a file each: [`args`] and [`item`] parse what was written, [`model`] checks it, [`expand`] writes the
//! code. When anything is wrong, [`fallback`] gives the item back as it was, with one error beside it.

mod args;
mod expand;
mod fallback;
mod item;
mod model;
mod suggest;

use proc_macro::TokenStream;

/// Records every run of a function as a stage; see the `ragtrace` crate.
#[proc_macro_attribute]
pub fn traced_stage(args: TokenStream, item: TokenStream) -> TokenStream {
    traced(args.into(), item.into()).into()
}

fn traced(args: proc_macro2::TokenStream, item: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    let parsed = syn::parse2::<args::Args>(args)
        .and_then(|args| Ok((args, item::Function::parse(item.clone())?)))
        .and_then(|(args, function)| Ok((model::Stage::check(args, &function)?, function)));
    match parsed {
        Ok((stage, function)) => expand::expand(&stage, &function),
        Err(error) => fallback::fallback(&error, item),
    }
}
