//! Which records somebody takes, by level and event.

use ragtrace_core::{Event, Level};

use super::Record;

/// Which records a sink takes: those of a level, perhaps every end whatever its level, and scores,
/// which say nothing of how severe something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordFilter {
    level: Level,
    all_end_records: bool,
}

impl RecordFilter {
    /// Takes records of at least `level`; with `all_end_records` the ends of all stages, too.
    pub(crate) fn new(level: Level, all_end_records: bool) -> Self {
        Self { level, all_end_records }
    }

    /// Returns a filter that takes what either takes.
    pub(crate) fn or(self, other: Self) -> Self {
        Self { level: self.level.min(other.level), all_end_records: self.all_end_records || other.all_end_records }
    }

    /// Returns the least severe level of ends, and of everything else.
    pub(crate) fn levels(self) -> (Level, Level) {
        (if self.all_end_records { Level::ALL[0] } else { self.level }, self.level)
    }

    /// Returns true if it takes a record of this level and event.
    pub(crate) fn takes(self, level: Level, event: Event) -> bool {
        level >= self.level || (self.all_end_records && event.is_end()) || event == Event::Score
    }

    /// Returns true if it takes `record`.
    pub(crate) fn takes_record(self, record: &Record) -> bool {
        self.takes(record.level(), record.event())
    }
}
