//! Filters that choose records by level, target and event.

use ragtrace_core::{Event, Level};

use super::Record;
use super::levels::LevelFilter;

/// The records that a sink takes: those of its levels, scores, which have no severity, and, if set,
/// all end records whatever their level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RecordFilter {
    stages: LevelFilter,
    log_lines: LevelFilter,
    all_end_records: bool,
    scores: bool,
}

impl RecordFilter {
    /// Returns a filter that takes records of these levels, and with `all_end_records` also the end
    /// records of all stages.
    pub(crate) fn new(levels: impl Into<LevelFilter>, all_end_records: bool) -> Self {
        let levels = levels.into();
        Self { stages: levels, log_lines: levels, all_end_records, scores: true }
    }

    /// Returns a filter that takes no record.
    pub(crate) fn nothing() -> Self {
        Self::default()
    }

    /// Returns a filter that takes the end records of all stages and nothing else.
    pub(crate) fn end_records() -> Self {
        Self { all_end_records: true, ..Self::nothing() }
    }

    /// Returns a filter that takes all scores and nothing else.
    pub(crate) fn scores() -> Self {
        Self { scores: true, ..Self::nothing() }
    }

    /// Returns a filter that takes log lines of these levels and all scores, and no records of
    /// stages.
    pub(crate) fn log_lines_and_scores(levels: LevelFilter) -> Self {
        Self { log_lines: levels, ..Self::scores() }
    }

    /// Returns a filter that takes every record that `self` or `other` takes.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            stages: self.stages.or(other.stages),
            log_lines: self.log_lines.or(other.log_lines),
            all_end_records: self.all_end_records || other.all_end_records,
            scores: self.scores || other.scores,
        }
    }

    /// Returns the least severe levels, as numbers, from which on all end records and all start
    /// records are taken, whatever their target.
    pub(crate) fn certain_of_stages(self) -> (u8, u8) {
        let level = self.stages.certain();
        (if self.all_end_records { Level::ALL[0] as u8 } else { level }, level)
    }

    /// Returns the levels of the log lines that the filter takes.
    pub(crate) fn log_lines(self) -> LevelFilter {
        self.log_lines
    }

    /// Returns `true` if the filter depends on the target of a stage, besides its level.
    pub(crate) fn is_by_target(self) -> bool {
        self.stages.is_by_target()
    }

    /// Returns `true` if the filter takes a record with this level, event and target.
    pub(crate) fn takes<'a>(self, level: Level, event: Event, target: impl FnOnce() -> &'a str) -> bool {
        match event {
            Event::Score => self.scores,
            Event::Log => self.log_lines.takes(level, target),
            _ => (self.all_end_records && event.is_end()) || self.stages.takes(level, target),
        }
    }

    /// Returns `true` if the filter takes `record`.
    pub(crate) fn takes_record(self, record: &Record) -> bool {
        self.takes(record.level(), record.event(), || record.logger())
    }
}
