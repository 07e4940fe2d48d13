//! The attribute: every shape of function, and the records of a stage however it ends.

mod abort;
mod bounds;
mod cannot_unwind;
mod captures;
mod catalog;
mod drop_order;
mod fields;
mod items;
mod laws;
mod named;
mod outcomes;
mod panics;
mod schema;
mod shapes;
mod stack;
mod structured;
mod unreadable;

use ragtrace_tests::captured;
