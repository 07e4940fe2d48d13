//! When records go to disk, and how much of them may.

use std::str::FromStr;
use std::time::Duration;

use ragtrace_core::ParseError;

/// The policy for writing records to disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Never: memory only. What is not delivered at the end is dropped.
    Memory,
    /// When a sink fails or is over half of its memory limits, and at the end. The default once
    /// there is a spool.
    #[default]
    Spill,
    /// Before they are sent: once [`crate::Telemetry::flush`] has returned with `complete`, what
    /// was recorded before is delivered or on disk, and survives the process. That includes what a
    /// [`crate::Sampler`] holds until its trace is decided, which is on disk within a second or so;
    /// a trace that is decided by then never goes there.
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

/// Limits on a spool's size and age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolLimits {
    /// Bytes on disk for one sink of one process. Batches take at most five eighths of it; the rest
    /// is what the file needs besides. The file may be longer than that, with holes that take no
    /// room. What a sampler holds has as much for itself, and is bounded by
    /// [`crate::Sampler::hold`] before.
    pub bytes: u64,
    /// The age over which batches are dropped.
    pub age: Duration,
    /// The batches to drop when the spool is full.
    pub when_full: WhenFull,
    /// Bytes of dead letters in the folder. Beyond, refused records are counted as dropped.
    pub dead_letter_bytes: u64,
}

/// The batches to drop when the spool is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// The batches that were stored first.
    #[default]
    DropOldest,
    /// The batch that comes now: it stays in memory for as long as there is room, and is dropped
    /// then.
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
    /// Sets how many bytes one sink may have on disk.
    pub fn with_bytes(mut self, bytes: u64) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets the age over which a batch is dropped.
    pub fn with_age(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    /// Sets what is dropped when there is no room.
    pub fn with_when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// Sets how many bytes of dead letters the folder may have.
    pub fn with_dead_letter_bytes(mut self, bytes: u64) -> Self {
        self.dead_letter_bytes = bytes;
        self
    }

    /// Returns how many bytes the batches of one sink may take.
    pub(super) fn budget(&self) -> u64 {
        self.bytes / 8 * 5
    }

    /// Returns how many bytes may be written in one transaction.
    pub(super) fn group_bytes(&self) -> u64 {
        (self.bytes / 16).min(8 << 20)
    }
}
