//! The attribute of `ragtrace`. Use it through that crate, whose documentation says what it does.
//!
//! One direction, a file each: `args` parses the arguments, with `field` and `items`; `function`
//! and `block` what they are about, with `shape`, `work` and `parameters` for what the signature
//! tells; `model` validates; `expand` writes the code. When anything is wrong, `fallback` gives the
//! item back as it was, with one error beside it. `traced` goes through them all.

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

#[expect(missing_docs, reason = "documented where it is handed on")]
#[proc_macro_attribute]
pub fn traced_stage(args: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    traced::traced_function(args.into(), item.into()).into()
}

#[expect(missing_docs, reason = "documented where it is handed on")]
#[proc_macro]
pub fn stage(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    traced::traced_block(input.into()).into()
}

/// Explains a `record!` that names a field which is not declared.
#[doc(hidden)]
#[proc_macro]
pub fn undeclared(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    undeclared::error(input.into()).into()
}
