//! The names of variables in generated code.

use proc_macro2::{Ident, Span};
use syn::Lifetime;

/// Hygienic names, which the user's code can neither refer to nor shadow.
pub(crate) struct Names {
    pub(crate) fields: Ident,
    pub(crate) out: Ident,
    pub(crate) end: Ident,
    pub(crate) open: Ident,
    pub(crate) expected: Ident,
    pub(crate) deferred: Ident,
    pub(crate) entered: Ident,
    pub(crate) body: Ident,
    pub(crate) span: Ident,
    pub(crate) future: Ident,
    /// The label of a whole expansion.
    pub(crate) whole: Lifetime,
}

impl Names {
    pub(crate) fn new() -> Self {
        let ours = |name| Ident::new(name, Span::mixed_site());
        Self {
            fields: ours("__fields"),
            out: ours("__out"),
            end: ours("__end"),
            open: ours("__open"),
            expected: ours("__expected"),
            deferred: ours("__deferred"),
            entered: ours("__entered"),
            body: ours("__body"),
            span: ours("__span"),
            future: ours("__future"),
            whole: Lifetime::new("'__whole", Span::mixed_site()),
        }
    }
}
