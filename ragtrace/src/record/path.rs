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
    /// True for the first step of a path if it is not the root of its trace: its parent is in
    /// another process or is not known, or the trace had another root before.
    pub is_detached: bool,
}

impl PathStep {
    /// The most steps that a record's path has: of a longer one the local root and the steps
    /// nearest to the run are kept.
    pub const MOST: usize = 64;

    /// Makes a step.
    pub fn new(span_id: SpanId, start: Timestamp) -> Self {
        Self { span_id, start, is_detached: false }
    }

    /// Sets whether it is the first step of a path and not the root of its trace.
    pub fn with_detached(mut self, is_detached: bool) -> Self {
        self.is_detached = is_detached;
        self
    }
}
