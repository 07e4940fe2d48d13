//! The way of a record from the queue to the sinks.
//!
//! It promises:
//!
//! - The caller is never blocked: handing over an entry is a write to memory of the thread's own.
//!   Only when the queue is full is an entry refused, there and then, and counted by level. An end
//!   whose start was accepted is always accepted, so what is open stays bounded by what runs.
//! - The worker drains the queue without waiting for a sink or a disk. Each sink has a delivery of
//!   its own with batches, state and backoff; one that is down touches no other.
//! - Memory is bounded: the queue by its entries, a delivery by its limits in records and bytes. A
//!   delivery that is over half of its limits, or whose sink fails, puts batches on disk if there
//!   is a spool; one that has no room drops, and counts. Leaving entries in the queue instead would
//!   make every sink lose and wait for what one disk cannot take.
//! - A batch keeps its id and its records from its first attempt on, in memory and on disk, over
//!   processes. One that is on disk is taken from there only when it was delivered or written down
//!   as dead letters; a split is on disk before a part is sent.
//! - What a backend refuses for good is found by halving, and is a dead letter with its reason.
//!   Counts ride on no record: when a batch is split they are a part of their own. Where everything
//!   is refused, the sink is parked instead, and nothing more becomes a dead letter.
//! - For each sink, at every reading,
//!   `accepted + recovered = delivered + spooled + dead_lettered + dropped + pending`.
//! - `flush` and `shutdown` end within their timeout and say what became of every record.
//!   `complete` means that all that was accepted before is delivered or on disk, the dead letters
//!   included, and nothing was given up.
//! - What panics in a sink or a redaction rule is an answer or a mark, and ends no thread of ours.
//!   If one panics all the same, flushes and shutdowns are answered as incomplete, and what is
//!   recorded afterwards is counted.
//! - Secrets go, and texts are cut, before anything is sampled, sent, stored or shown.
//! - Reports of the pipeline on itself lead to no further reports, and stages that run on its
//!   threads, as in a sink, are not recorded.
//! - Where records are durable, what the sampler holds is on disk, too, once a flush has returned.
//!
//! It does not promise: an order between batches; what only memory held when the process was
//! killed; and room: a disk that is slower than the application for long makes a delivery drop.
//!
//! The rooms, each of which may use those before it: [`report`] (what is said of the pipeline),
//! [`intake`] (entries become records), [`sampling`] (which traces are shipped), [`delivery`] (one
//! sink's batches), and [`worker`] (the thread that moves records through the others). The queue is
//! in [`ragtrace_core`], the disk in [`crate::spool`].

#[cfg(feature = "pipeline")]
mod delivery;
mod intake;
#[cfg(feature = "pipeline")]
mod report;
#[cfg(feature = "pipeline")]
mod sampling;
#[cfg(feature = "pipeline")]
mod worker;

#[cfg(feature = "testing")]
pub(crate) use intake::Assembler;
#[cfg(feature = "pipeline")]
pub(crate) use intake::Sanitizer;
#[cfg(feature = "pipeline")]
pub use report::{Dropped, Report, SinkStats, Stats};
#[cfg(feature = "pipeline")]
pub(crate) use report::{Published, StageTotals};
#[cfg(feature = "pipeline")]
pub(crate) use worker::{Command, SpoolSettings, WorkerConfig, start};
