//! The path of a run: the runs that enclose it.

use ragtrace_core::{SpanId, Timestamp};

/// A step of a path: one of the runs from a local root down to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PathStep {
    /// The span id of the run.
    pub span_id: SpanId,
    /// The time at which the run started.
    pub start: Timestamp,
    /// Set in the first step of a path if it is not the root of its trace: its parent is in another
    /// process or is not known, or the trace had another root before.
    pub is_detached: bool,
}

impl PathStep {
    /// The maximum number of steps in a record's path. Of a longer path, the local root and the
    /// steps nearest to the run are kept.
    pub const MOST: usize = 64;

    /// Creates a step.
    pub fn new(span_id: SpanId, start: Timestamp) -> Self {
        Self { span_id, start, is_detached: false }
    }

    /// Sets whether the step is the first of a path and not the root of its trace.
    pub fn with_detached(mut self, is_detached: bool) -> Self {
        self.is_detached = is_detached;
        self
    }
}
