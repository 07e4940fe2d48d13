//! The laws of `mirror_laws`, where a level hides the stages that are not asynchronous.

#[path = "mirror_laws.rs"]
mod laws;
