//! The path of a run: the runs that enclose it.

use ragtrace_core::{SpanId, Timestamp};

/// A run on the path from a local root down to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PathStep {
    /// The run.
    pub span_id: SpanId,
    /// When it started.
    pub start: Timestamp,
}

impl PathStep {
    /// The most steps that a record's path has: of a longer one the local root and the steps
    /// nearest to the run are kept.
    pub const MOST: usize = 64;

    /// Makes a step.
    pub fn new(span_id: SpanId, start: Timestamp) -> Self {
        Self { span_id, start }
    }
}
