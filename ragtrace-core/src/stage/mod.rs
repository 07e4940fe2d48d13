//! A stage at run time: what it declares, how a run of it begins and ends, what is recorded of its result.
//!
//! A run records exactly one start and one end. Its end is recorded when its body returns, panics, or is dropped
//! before it returned; the thread's context is then what it was before. Generated code calls [`span::open`] and one of
//! `run` and `call`; it never sees a clock, an id or a queue.

pub mod abort;
mod call;
mod catalog;
mod countable;
mod descriptor;
mod desk;
pub mod entry;
mod future;
mod kind;
mod later;
mod outcome;
pub mod panic;
mod recorder;
mod schema;
pub mod slots;
mod span;
mod stream;
mod typed;
pub mod words;

pub use catalog::{Listed, stages};
pub use countable::Countable;
pub use descriptor::{FieldDescriptor, FieldSource, StageDescriptor};
pub use kind::StageKind;
pub use later::open_later;
pub use outcome::{CountProbe, ErrorProbe, Probe};
pub use recorder::{record, record_cost, record_count};
pub use schema::stages_schema;
pub use slots::Field;
pub use span::{open, open_bare};
