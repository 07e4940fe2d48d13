//! Not laid out yet.
fn main() {}
