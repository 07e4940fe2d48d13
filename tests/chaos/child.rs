//! The process that the chaos tests start and kill.

fn main() {}
