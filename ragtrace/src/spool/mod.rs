//! What waits on disk: batches that a sink does not take now, and records that it never will.
//!
//! What it promises:
//!
//! - The disk has a thread of its own. Neither the application nor the worker ever waits for it.
//! - A stored batch keeps its id and its records until it is delivered. If it is split, the halves are on disk before
//!   one of them is sent, so a crash between them repeats nothing.
//! - What does not fit the limits is dropped, the oldest or the newest as set, and counted.
//! - A disk that is full, a folder that cannot be written and a damaged file cost what they hold and no more: the
//!   process goes on in memory and says so on stderr.
//!
//! What it does not promise: an order between batches, and that a batch arrives once at a sink that keeps no ledger.
//!
//! # The folder
//!
//! ```text
//! slot-0/lock                  locked for as long as its process lives
//! slot-0/spool.redb            the batches of that process
//! slot-0/spool.redb.corrupt-…  a file that could not be read, set aside
//! slot-1/…                     another process with the same folder
//! dead-letters.jsonl           records that a sink refused for good, a line each
//! dead-letters.lock            locked while a line is written, or while the lines are replayed
//! ```
//!
//! Processes may share a folder: each takes the first slot that nobody has locked. What other slots without a process
//! hold is moved to it at its start, so what a process left behind is delivered by the next one, once.
//!
//! # The format
//!
//! `spool.redb` is a `redb` database with four tables: `meta` (`version` is 1), `batches` (by sink and sequence number:
//! id, records, bytes, time of storing), `chunks` (by sequence number and place: the bytes) and `undecided` (by trace and
//! row: what the sampler holds). The bytes of a batch are a line of JSON with its id and its counts, and the canonical JSON
//! of each record, a line each. A file of another version is set aside like a damaged one. A dead letter is a line of JSON
//! with `at`, `sink`, `reason` and `record`.

mod codec;
mod database;
mod dead;
mod erase;
mod index;
mod recover;
mod replay;
mod slot;
mod store;
mod thread;
mod undecided;

use std::str::FromStr;
use std::time::Duration;

use ragtrace_core::ParseError;

pub use dead::{DeadLetter, DeadLetters};
pub use erase::{Erased, erase};
pub use replay::Replayed;
pub(crate) use thread::{Command, Event, Handle, Key, SpoolPlan, Stored, start};

/// When records go to disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Never: memory only. What is not delivered at the end is dropped.
    Memory,
    /// When a sink fails or is over its share of memory, and at the end. The default once there is a spool.
    #[default]
    Spill,
    /// Before they are sent: once [`crate::Telemetry::flush`] has returned with `complete`, what was recorded before is
    /// delivered or on disk, and survives the process. That includes what a [`crate::Sampler`] holds until its trace is
    /// decided, which is on disk within a second or so; a trace that is decided by then never goes there.
    Durable,
}

impl FromStr for Durability {
    type Err = ParseError;

    /// Reads the name that it has in settings: `memory`, `spill` or `durable`.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text.to_ascii_lowercase().as_str() {
            "memory" => Ok(Self::Memory),
            "spill" => Ok(Self::Spill),
            "durable" => Ok(Self::Durable),
            _ => Err(ParseError::new("a durability (memory, spill or durable)", text)),
        }
    }
}

/// How much a spool may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolLimits {
    /// Bytes on disk for one sink of one process. Batches take at most five eighths of it; the rest is what the file
    /// needs besides. The file may be longer than that, with holes that take no room. What a sampler holds has as much
    /// for itself, and is bounded by [`crate::Sampler::hold`] before.
    pub bytes: u64,
    /// What is older is dropped.
    pub age: Duration,
    /// What is dropped when there is no room.
    pub when_full: WhenFull,
    /// Bytes of dead letters in the folder. Beyond, refused records are counted as dropped.
    pub dead_letter_bytes: u64,
}

/// What is dropped when the spool is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// What was stored first.
    #[default]
    DropOldest,
    /// What comes now: it stays in memory for as long as there is room, and is dropped then.
    DropNewest,
}

impl Default for SpoolLimits {
    /// 1 GiB a sink, seven days, the oldest first; 64 MiB of dead letters.
    fn default() -> Self {
        Self {
            bytes: 1 << 30,
            age: Duration::from_hours(168),
            when_full: WhenFull::default(),
            dead_letter_bytes: 64 << 20,
        }
    }
}

impl SpoolLimits {
    /// The same with another number of bytes.
    pub fn with_bytes(mut self, bytes: u64) -> Self {
        self.bytes = bytes;
        self
    }

    /// The same with another greatest age.
    pub fn with_age(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    /// The same with another choice of what is dropped.
    pub fn with_when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// The same with another number of bytes for dead letters.
    pub fn with_dead_letter_bytes(mut self, bytes: u64) -> Self {
        self.dead_letter_bytes = bytes;
        self
    }

    /// What the batches of one sink may take.
    fn budget(&self) -> u64 {
        self.bytes / 8 * 5
    }

    /// What may be written in one transaction.
    fn group(&self) -> u64 {
        (self.bytes / 16).min(8 << 20)
    }
}
