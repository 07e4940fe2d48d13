//! The laws of `mirror_laws`, with a level that hides stages that are not asynchronous.

#[path = "mirror_laws.rs"]
mod laws;
