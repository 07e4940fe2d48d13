//! The path of a record from the queue to the sinks.
//!
//! The pipeline promises:
//!
//! - The caller is never blocked: handing over an entry is a write to the thread's own memory. Only
//!   if the queue is full is an entry refused, at once, and counted by level. An end whose start
//!   was accepted is always accepted, so the number of open runs stays bounded by the number of
//!   running stages.
//! - The worker drains the queue without waiting for a sink or a disk. Each sink has a delivery of
//!   its own, with its own batches, state and backoff, so a sink that is down affects no other.
//! - Memory is bounded: the queue by its entries, a delivery by its limits in records and bytes. A
//!   delivery that exceeds half of its limits, or whose sink fails, writes batches to disk if there
//!   is a spool. A delivery without room drops records and counts them. Leaving entries in the
//!   queue instead would make every sink lose records, and wait, for one slow disk.
//! - A batch keeps its id and its records from its first attempt on, in memory, on disk and across
//!   processes. A batch on disk is removed only after it was delivered or its records became dead
//!   letters. A split is on disk before a part is sent.
//! - Records that a backend refuses for good are found by halving, and become dead letters with the
//!   reason. Metrics are never sent with records that may be refused: they become a part of their
//!   own when a batch is split. If everything is refused, the sink is parked instead, and no more
//!   records become dead letters.
//! - For each sink, at every reading, `accepted + recovered = delivered + spooled + dead_lettered +
//!   dropped + pending`.
//! - `flush` and `shutdown` end within their timeout and report what happened to every record.
//!   `complete` means that everything accepted before is delivered or on disk, including dead
//!   letters, and that nothing was dropped.
//! - A panic in a sink or a redaction rule becomes an error or a mark, and ends no thread of the
//!   pipeline. Should such a thread panic nevertheless, flushes and shutdowns are answered as
//!   incomplete, and records made afterwards are counted as lost.
//! - Secrets are removed and texts are cut before anything is sampled, sent, stored or shown.
//! - Reports of the pipeline on itself cause no further reports, and stages that run on its
//!   threads, as in a sink, are not recorded.
//! - With durable records, the records that the sampler holds are on disk too once a flush has
//!   returned.
//!
//! It does not promise an order between batches; nor to keep, when the process is killed, what was
//! only in memory; nor unlimited room: if the disk is slower than the application for long, a
//! delivery drops records.
//!
//! The modules, each of which may use those before it, are [`report`] (counts and reports),
//! [`intake`] (turns entries into records), [`sampling`] (decides which traces are delivered),
//! [`delivery`] (the batches of one sink) and [`worker`] (the thread that moves records through the
//! others). The queue is in [`ragtrace_core`], the disk in [`crate::spool`].

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
