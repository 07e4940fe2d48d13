//! Which records somebody takes, by level and event.

use ragtrace_core::{Event, Level};

use super::Record;

/// Which records a sink takes: those of a level, and perhaps every end whatever its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordFilter {
    level: Level,
    every_end: bool,
}

impl RecordFilter {
    /// Takes records of at least `level`; with `every_end` the ends of all stages, too.
    pub(crate) fn new(level: Level, every_end: bool) -> Self {
        Self { level, every_end }
    }

    /// Returns a filter that takes what either takes.
    pub(crate) fn or(self, other: Self) -> Self {
        Self { level: self.level.min(other.level), every_end: self.every_end || other.every_end }
    }

    /// Returns the least severe level of ends, and of everything else.
    pub(crate) fn levels(self) -> (Level, Level) {
        (if self.every_end { Level::ALL[0] } else { self.level }, self.level)
    }

    /// Returns true if it takes a record of this level and event.
    pub(crate) fn takes(self, level: Level, event: Event) -> bool {
        level >= self.level || (self.every_end && event.is_end())
    }

    /// Returns true if it takes `record`.
    pub(crate) fn takes_record(self, record: &Record) -> bool {
        self.takes(record.level(), record.event())
    }
}
