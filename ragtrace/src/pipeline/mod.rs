//! From a stage to the sinks.
//!
//! What it promises:
//!
//! - The caller is never blocked: handing over an entry is a write to memory of the thread's own. Only when the queue
//!   is full is an entry refused, there and then, and counted by level. An end whose start was accepted is always
//!   accepted, so what is open stays bounded by what runs.
//! - The worker drains the queue without waiting for a sink or a disk. Each sink has a lane of its own with batches, state
//!   and backoff; one that is down touches no other.
//! - Memory is bounded: the queue by its entries, a lane by its share in records and bytes. A lane that is over half of
//!   its share, or whose sink fails, puts batches on disk if there is a spool; one that has no room drops, and counts.
//!   Leaving entries in the queue instead would make every sink lose and wait for what one disk cannot take.
//! - A batch keeps its id and its records from its first attempt on, in memory and on disk, over processes. One that is on
//!   disk is taken from there only when it was delivered or written down as dead; a split is on disk before a half is sent.
//! - What a backend refuses for good is found by halving, and is a dead letter with its reason. Where everything is
//!   refused, the sink is parked instead, and nothing more is dead.
//! - For each sink, at every reading, `accepted + recovered = delivered + spooled + dead_lettered + dropped + pending`.
//! - `flush` and `shutdown` end within their timeout and say what became of every record. `complete` means that all that
//!   was accepted before is delivered, dead, or on disk.
//! - Secrets go, and texts are cut, before anything is sampled, sent, stored or shown.
//! - What the pipeline tells of itself leads to no more of it.
//! - Where records are durable, what the sampler holds is on disk, too, once a flush has returned.
//!
//! What it does not promise: an order between batches; what only memory held when the process was killed; and room: a disk
//! that is slower than the application for long makes a lane drop.
//!
//! The rooms, in the order of the data, which comes from the queue in [`ragtrace_core`]: [`assemble`] (entries to records),
//! [`refine`] (secrets and bounds), [`stage_totals`], [`sampling`], [`ahead`] (what the sampler holds, on disk), [`worker`]
//! (the thread), [`batch`], [`lane`] (one sink's way: answers, disk, news), [`backoff`], [`own`] (records of our own
//! doings), [`stats`], [`prometheus`]. The disk is in [`crate::spool`].

mod ahead;
mod assemble;
mod backoff;
mod batch;
mod lane;
mod open;
mod own;
mod prometheus;
mod published;
mod refine;
mod sampling;
mod stage_totals;
mod stats;
mod worker;

#[cfg(feature = "testing")]
pub(crate) use assemble::Assembler;
pub(crate) use published::Published;
pub(crate) use refine::Refiner;
pub(crate) use stage_totals::StageTotals;
pub use stats::{Dropped, Report, SinkStats, Stats};
pub(crate) use worker::{Command, Plan, SpoolSettings, start};
