//! Turns entries of the queue into records that may leave the process.
//!
//! The module promises that a run's end is joined with its start, whichever is read first; that
//! every run is counted, whether its records are delivered or not; and that no record leaves this
//! module with a secret or beyond its limits.
//!
//! It does not promise an order between threads, because each has a chain of its own.
//!
//! This is most of the worker's work, so records are built in their final place, fields stay in the
//! encoding that the stage wrote, and texts are examined once.

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
