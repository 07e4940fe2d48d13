//! The procedural macros of `ragtrace`, which re-exports and documents them.
//!
//! Data passes through the modules in one direction. `args` parses the arguments, with `field` and
//! `items` for their parts. `function` and `block` parse the code that the arguments apply to, with
//! `shape`, `work` and `parameters` for the parts of a signature. `model` validates, and `expand`
//! generates code. If anything is wrong, `fallback` returns the item unchanged with one error
//! beside it. `traced` calls all of them.

mod args;
mod block;
mod diagnostic;
mod expand;
mod fallback;
mod field;
mod function;
mod items;
mod keywords;
mod model;
mod name;
mod parameters;
mod shape;
mod suggest;
mod traced;
mod undeclared;
mod work;

#[cfg(test)]
mod tests;

#[expect(missing_docs, reason = "documented where it is re-exported")]
#[proc_macro_attribute]
pub fn traced_stage(args: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    traced::traced_function(args.into(), item.into()).into()
}

#[expect(missing_docs, reason = "documented where it is re-exported")]
#[proc_macro]
pub fn stage(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    traced::traced_block(input.into()).into()
}

/// Reports a `record!` that names an undeclared field or has a syntax error.
#[doc(hidden)]
#[proc_macro]
pub fn undeclared(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    undeclared::error(input.into()).into()
}
