//! Entries of the queue become records that may leave the process.
//!
//! It promises: a run's end is joined with its start, whichever is read first; every run is
//! counted, whether its records are logged or not; and no record leaves this room with a secret or
//! with more than its limits allow.
//!
//! It does not promise: an order between threads, since each has a chain of its own.
//!
//! It is what the worker does most, so records are put together where they stay, fields remain in
//! the encoding that the stage wrote, and texts are looked at once.

mod assembler;
mod deferred_end;
mod end_summary;
mod item_fields;
mod open_runs;
mod paths;
mod record_maker;
mod roots;
#[cfg(feature = "pipeline")]
mod sanitizer;
mod used_items;

pub(crate) use assembler::Assembler;
#[cfg(feature = "pipeline")]
pub(super) use record_maker::Assembled;
#[cfg(feature = "pipeline")]
pub(crate) use sanitizer::Sanitizer;
