//! What a sink needs besides records of its level.

use crate::record::{LevelFilter, RecordFilter};

/// Requirements of a [`Sink`](super::Sink) besides its level: none unless set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Needs {
    all_end_records: bool,
    ancestry: bool,
    only: Option<Only>,
    alone_in: Option<&'static str>,
}

/// The only records that a sink takes.
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
    /// A sink that makes spans of end records needs that: its trees would have holes where a level
    /// hides a stage.
    pub fn with_all_end_records(mut self) -> Self {
        self.all_end_records = true;
        self
    }

    /// Requires the path of every end record: the runs from its local root down to it
    /// ([`Record::path`](crate::Record::path)). Other sinks may see it then, too.
    pub fn with_ancestry(mut self) -> Self {
        self.ancestry = true;
        self
    }

    /// Requests counts alone, and no records: a sink of metrics needs nothing else.
    pub fn with_only_counts(mut self) -> Self {
        self.only = Some(Only::None);
        self
    }

    /// Requests the end record of every stage, whatever its level, and no other record.
    pub fn with_only_end_records(mut self) -> Self {
        self.only = Some(Only::EndRecords);
        self.with_all_end_records()
    }

    /// Requests scores, and no other record.
    pub fn with_only_scores(mut self) -> Self {
        self.only = Some(Only::Scores);
        self
    }

    /// Requests log lines of the sink's level and scores, and no record of a stage.
    pub fn with_only_log_lines_and_scores(mut self) -> Self {
        self.only = Some(Only::LogLinesAndScores);
        self
    }

    /// Names what another sink must not fill as well, such as a product that would count each cost
    /// twice. [`Builder::install`](crate::Builder::install) warns of two sinks that give the same
    /// name.
    pub fn with_alone_in(mut self, place: &'static str) -> Self {
        self.alone_in = Some(place);
        self
    }

    /// Returns the name of what no other sink should fill as well.
    pub fn alone_in(&self) -> Option<&'static str> {
        self.alone_in
    }

    /// Returns the filter of a sink with these needs and these levels.
    pub(crate) fn filter(&self, levels: impl Into<LevelFilter>) -> RecordFilter {
        match self.only {
            Some(Only::None) => RecordFilter::nothing(),
            Some(Only::EndRecords) => RecordFilter::end_records(),
            Some(Only::Scores) => RecordFilter::scores(),
            Some(Only::LogLinesAndScores) => RecordFilter::log_lines_and_scores(levels.into()),
            None => RecordFilter::new(levels, self.all_end_records),
        }
    }

    /// Returns true if the sink takes end records with their path.
    pub fn ancestry(&self) -> bool {
        self.ancestry
    }

    /// Returns true if the sink takes the end record of every stage.
    pub fn all_end_records(&self) -> bool {
        self.all_end_records
    }
}
