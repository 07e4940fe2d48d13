//! Which records somebody takes, by level and event.

use ragtrace_core::{Event, Level};

use super::Record;

/// Which records a sink takes: those of a level and scores, which say nothing of how severe something
/// is, and perhaps every end whatever its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordFilter {
    /// `None` if it takes none for their level.
    level: Option<Level>,
    all_end_records: bool,
    all_scores: bool,
}

impl RecordFilter {
    /// Takes records of at least `level`; with `all_end_records` the ends of all stages, too.
    pub(crate) fn new(level: Level, all_end_records: bool) -> Self {
        Self { level: Some(level), all_end_records, all_scores: false }
    }

    /// Takes no record.
    pub(crate) fn nothing() -> Self {
        Self { level: None, all_end_records: false, all_scores: false }
    }

    /// Takes the ends of all stages and nothing else.
    pub(crate) fn end_records() -> Self {
        Self { all_end_records: true, ..Self::nothing() }
    }

    /// Takes all scores and nothing else.
    pub(crate) fn scores() -> Self {
        Self { all_scores: true, ..Self::nothing() }
    }

    /// Returns a filter that takes what either takes.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            level: self.level.into_iter().chain(other.level).min(),
            all_end_records: self.all_end_records || other.all_end_records,
            all_scores: self.all_scores || other.all_scores,
        }
    }

    /// Returns the least severe level of ends, and of everything else: no records of less are worth
    /// being made.
    pub(crate) fn levels(self) -> (Level, Level) {
        let level = self.level.unwrap_or(Level::Error);
        (if self.all_end_records { Level::ALL[0] } else { level }, level)
    }

    /// Returns true if it takes a record of this level and event.
    pub(crate) fn takes(self, level: Level, event: Event) -> bool {
        self.level.is_some_and(|least| level >= least || event == Event::Score)
            || (self.all_end_records && event.is_end())
            || (self.all_scores && event == Event::Score)
    }

    /// Returns true if it takes `record`.
    pub(crate) fn takes_record(self, record: &Record) -> bool {
        self.takes(record.level(), record.event())
    }
}
