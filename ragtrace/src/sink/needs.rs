//! The requirements of a sink besides its level.

use crate::record::{LevelFilter, RecordFilter};

/// The requirements of a [`Sink`](super::Sink) beyond records of its level, such as paths or all
/// end records; none by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Needs {
    all_end_records: bool,
    ancestry: bool,
    only: Option<Only>,
    alone_in: Option<&'static str>,
}

/// The only kind of records that a sink takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Only {
    None,
    EndRecords,
    Scores,
    LogLinesAndScores,
}

impl Needs {
    /// Requests the end record of every stage, whatever its level.
    ///
    /// A sink that makes spans of end records needs this; otherwise its trees have holes where the
    /// level excludes a stage.
    pub fn with_all_end_records(mut self) -> Self {
        self.all_end_records = true;
        self
    }

    /// Requests the path of every end record, from its local root down to it
    /// ([`Record::path`](crate::Record::path)).
    ///
    /// Other sinks may then see the path too.
    pub fn with_ancestry(mut self) -> Self {
        self.ancestry = true;
        self
    }

    /// Requests metrics and no records, for a sink of metrics.
    pub fn with_only_counts(mut self) -> Self {
        self.only = Some(Only::None);
        self
    }

    /// Requests the end record of every stage, whatever its level, and no other records.
    pub fn with_only_end_records(mut self) -> Self {
        self.only = Some(Only::EndRecords);
        self.with_all_end_records()
    }

    /// Requests scores, and no other records.
    pub fn with_only_scores(mut self) -> Self {
        self.only = Some(Only::Scores);
        self
    }

    /// Requests scores and the log lines of the sink's level, and no records of stages.
    pub fn with_only_log_lines_and_scores(mut self) -> Self {
        self.only = Some(Only::LogLinesAndScores);
        self
    }

    /// Names a destination that only one sink should write to, such as a product that would
    /// otherwise count each cost twice.
    ///
    /// [`Builder::install`](crate::Builder::install) warns if two sinks name the same destination.
    pub fn with_alone_in(mut self, place: &'static str) -> Self {
        self.alone_in = Some(place);
        self
    }

    /// Returns the destination that only this sink should write to, if it names one.
    pub fn alone_in(&self) -> Option<&'static str> {
        self.alone_in
    }

    /// Returns the filter for a sink with these needs and levels.
    pub(crate) fn filter(&self, levels: impl Into<LevelFilter>) -> RecordFilter {
        match self.only {
            Some(Only::None) => RecordFilter::nothing(),
            Some(Only::EndRecords) => RecordFilter::end_records(),
            Some(Only::Scores) => RecordFilter::scores(),
            Some(Only::LogLinesAndScores) => RecordFilter::log_lines_and_scores(levels.into()),
            None => RecordFilter::new(levels, self.all_end_records),
        }
    }

    /// Returns `true` if the sink takes end records with their path.
    pub fn ancestry(&self) -> bool {
        self.ancestry
    }

    /// Returns `true` if the sink takes the end record of every stage.
    pub fn all_end_records(&self) -> bool {
        self.all_end_records
    }
}
