//! The attribute: every shape of function, and what a stage records whatever becomes of it.

mod abort;
mod bounds;
mod captures;
mod catalog;
mod drop_order;
mod fields;
mod laws;
mod named;
mod outcomes;
mod schema;
mod shapes;
mod stack;

use ragtrace_tests::captured;
