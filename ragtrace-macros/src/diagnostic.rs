//! Writes an error as code.

use proc_macro2::TokenStream;
use syn::Error;

/// Returns `compile_error! { … }` at the place of the error. It has no path: under edition 2015
/// `::core` is a module of the user's crate, and a path of ours would add a note to each error that
/// it comes from a macro.
pub(crate) fn compile_error(error: &Error) -> TokenStream {
    // Those of `::core::`.
    const PATH: usize = 5;
    error.to_compile_error().into_iter().skip(PATH).collect()
}
