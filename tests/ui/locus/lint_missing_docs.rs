//! Documented.
#![warn(missing_docs, unreachable_pub)]

#[ragtrace::traced_stage]
pub fn undocumented() {}

fn main() {}
