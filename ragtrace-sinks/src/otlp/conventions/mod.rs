//! The words that attributes have: one dialect for each family of backends.
//!
//! `common` is in all of them. `gen_ai` and `open_inference` are conventions that several backends
//! read; what one vendor alone reads is in its [`profile`](super::profile).

pub(crate) mod common;
pub(crate) mod gen_ai;
pub(crate) mod json;
pub(crate) mod open_inference;
