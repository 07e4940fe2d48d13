//! The attribute: every shape of function, and what a stage records whatever becomes of it.

mod bounds;
mod laws;
mod outcomes;
mod shapes;

use ragtrace_tests::captured;
