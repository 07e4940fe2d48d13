//! Turns an error into code.

use proc_macro2::TokenStream;
use syn::Error;

/// Returns `compile_error! { … }` located at the error.
///
/// The macro is written without a path: in edition 2015, `::core` is a module of the user's crate,
/// and a path generated here would add a note to each error that it originates in a macro.
pub(crate) fn compile_error(error: &Error) -> TokenStream {
    // The number of tokens in `::core::`.
    const PATH: usize = 5;
    error.to_compile_error().into_iter().skip(PATH).collect()
}
