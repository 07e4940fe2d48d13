//! The names of attributes: one dialect per family of backends.
//!
//! `common` is part of every dialect. `gen_ai` and `open_inference` are conventions that several
//! backends read. Names of a single vendor are in its [`profile`](super::profile).

pub(crate) mod common;
pub(crate) mod gen_ai;
pub(crate) mod json;
pub(crate) mod open_inference;
