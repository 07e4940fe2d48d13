//! When records are written to disk, and the limits on their size and age.

use std::str::FromStr;
use std::time::Duration;

use ragtrace_core::ParseError;

/// The policy for writing records to disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Keeps records in memory only. Records that are not delivered by the end of the process are
    /// dropped. This is the default without a spool.
    Memory,
    /// Writes records to disk when a sink fails, when it exceeds half of its memory limits, and at
    /// the shutdown. This is the default with a spool.
    #[default]
    Spill,
    /// Writes records to disk before they are sent.
    ///
    /// When [`crate::Telemetry::flush`] has returned a complete report, everything recorded before
    /// is delivered or on disk, and survives the end of the process. This includes the records that
    /// a [`crate::Sampler`] holds until their trace is decided, which are written within about a
    /// second; the records of a trace that is decided sooner are not written for that purpose.
    Durable,
}

impl FromStr for Durability {
    type Err = ParseError;

    /// Parses the name used in settings: `memory`, `spill` or `durable`, in any case.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text.to_ascii_lowercase().as_str() {
            "memory" => Ok(Self::Memory),
            "spill" => Ok(Self::Spill),
            "durable" => Ok(Self::Durable),
            _ => Err(ParseError::new("a durability (memory, spill or durable)", text)),
        }
    }
}

/// Limits on the size and age of a spool.
///
/// ```
/// use std::time::Duration;
/// use ragtrace::SpoolLimits;
///
/// let limits = SpoolLimits::default().with_bytes(256 << 20).with_age(Duration::from_secs(24 * 60 * 60));
/// let builder = ragtrace::builder().spool("/var/lib/rag-api/spool", limits);
/// # drop(builder);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolLimits {
    /// The maximum number of bytes on disk for one sink of one process. Defaults to 1 GiB. Batches
    /// take at most five eighths of it; the rest is overhead of the file. The length of the file
    /// may be greater, because of holes that take no space. The records that a sampler holds have a
    /// limit of their own of the same size, but [`crate::Sampler::hold`] usually bounds them
    /// earlier.
    pub bytes: u64,
    /// The age above which batches are dropped. Defaults to seven days.
    pub age: Duration,
    /// The batches to drop when the spool is full. Defaults to the oldest.
    pub when_full: WhenFull,
    /// The maximum number of bytes of dead letters in the folder. Defaults to 64 MiB. Beyond it,
    /// refused records are counted as dropped.
    pub dead_letter_bytes: u64,
}

/// The batches to drop when the spool is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// Drops the batches that were stored first. This is the default.
    #[default]
    DropOldest,
    /// Drops the new batch. It stays in memory for as long as there is room.
    DropNewest,
}

impl Default for SpoolLimits {
    /// Returns limits of 1 GiB for each sink, an age of seven days, dropping the oldest batches,
    /// and 64 MiB of dead letters.
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
    /// Sets the maximum number of bytes on disk for one sink.
    pub fn with_bytes(mut self, bytes: u64) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets the age above which batches are dropped.
    pub fn with_age(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    /// Sets which batches are dropped when the spool is full.
    pub fn with_when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// Sets the maximum number of bytes of dead letters in the folder.
    pub fn with_dead_letter_bytes(mut self, bytes: u64) -> Self {
        self.dead_letter_bytes = bytes;
        self
    }

    /// Returns the maximum number of bytes of one sink's batches.
    pub(super) fn budget(&self) -> u64 {
        self.bytes / 8 * 5
    }

    /// Returns the maximum number of bytes in one transaction.
    pub(super) fn group_bytes(&self) -> u64 {
        (self.bytes / 16).min(8 << 20)
    }
}
