//! From a stage to the sinks.
//!
//! What it promises:
//!
//! - The caller is never blocked: handing over an entry is a write to memory of the thread's own. Only when the queue
//!   is full is an entry refused, there and then, and counted by level. An end whose start was accepted is always
//!   accepted, so what is open stays bounded by what runs.
//! - The worker drains the queue without waiting for a sink. Each sink has a lane of its own with batches, state and
//!   backoff; one that is down touches no other.
//! - For each sink, at every reading, `accepted + recovered = delivered + spooled + dead_lettered + dropped + pending`.
//! - `flush` and `shutdown` end within their timeout and say what became of every record.
//!
//! What it does not promise: an order between batches, and what only memory held when the process was killed.
//!
//! The rooms, in the order of the data: [`gate`] (is anybody listening?), [`queue`] (threads to worker), [`assemble`]
//! (entries to records), [`worker`] (the thread), [`lane`] (one sink's batches), [`batch`], [`backoff`], [`stats`].

mod assemble;
mod backoff;
mod batch;
pub(crate) mod gate;
mod lane;
mod own;
mod queue;
mod refine;
mod sampling;
mod stats;
mod worker;

#[cfg(feature = "testing")]
pub(crate) use assemble::Assembler;
pub use queue::QueueLimits;
#[cfg(feature = "testing")]
pub(crate) use queue::Taken;
pub(crate) use queue::{Queue, Severity};
pub(crate) use refine::Refiner;
pub use stats::{Dropped, Report, SinkStats, Stats};
pub(crate) use worker::{Command, Plan, SpoolSettings, start};
