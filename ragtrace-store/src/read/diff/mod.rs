//! Compares two traces stage by stage.
//!
//! The traces are matched as trees, from the roots down: two runs match if their parents do, their
//! stages have the same name, and they are equally many runs of that name among their siblings, so
//! the second run of a stage matches the second one. Many siblings of one stage are compared as a
//! sum, and so is everything below them. The same traces always give the same comparison, in time
//! that grows with their spans.

mod matching;
mod stage;

use std::time::Duration;

use ragtrace::{Timestamp, TraceId};

use self::stage::sum;
pub use self::stage::{StageDiff, StageRuns};
use crate::object::Object;
use crate::read::trace::{SpanNode, SpanStatus, Trace};
use crate::tables::millis;

/// A comparison of two traces, from [`Trace::diff`].
#[derive(Clone, Debug, PartialEq)]
pub struct TraceDiff {
    before: TraceTotals,
    after: TraceTotals,
    stages: Vec<StageDiff>,
}

/// The totals of one of two traces that are compared.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceTotals {
    trace_id: TraceId,
    status: SpanStatus,
    started_at: Timestamp,
    duration: Duration,
    spans: u64,
    failed: u64,
    cost_usd: Option<f64>,
}

impl Trace {
    /// Compares the trace with another, usually a later one, stage by stage.
    ///
    /// Runs match if their parents do and their stages have the same name, in the order of their
    /// starts. Five or more siblings of one stage, and everything below them, are compared as a
    /// sum.
    pub fn diff(&self, after: &Self) -> TraceDiff {
        TraceDiff {
            before: TraceTotals::of(self),
            after: TraceTotals::of(after),
            stages: matching::stages(self, after),
        }
    }
}

impl TraceDiff {
    /// Returns the totals of the first trace.
    pub fn before(&self) -> &TraceTotals {
        &self.before
    }

    /// Returns the totals of the second trace.
    pub fn after(&self) -> &TraceTotals {
        &self.after
    }

    /// Returns the stages in depth-first order: those of the first trace in its order, and those
    /// that are new behind the one that they follow in the second trace.
    pub fn stages(&self) -> &[StageDiff] {
        &self.stages
    }

    /// Leaves out the stages that have not [changed](StageDiff::is_changed), except for those that
    /// enclose one that has.
    pub fn only_changed(mut self) -> Self {
        // The depth of the stage that was kept last: the next one above it, going back, encloses
        // it.
        let mut enclosing = 0;
        let mut kept: Vec<StageDiff> = Vec::new();
        for stage in self.stages.into_iter().rev() {
            if stage.depth + 1 == enclosing || stage.is_changed() {
                enclosing = stage.depth;
                kept.push(stage);
            }
        }
        kept.reverse();
        self.stages = kept;
        self
    }

    /// Returns the comparison as one JSON object: `{before, after, stages: […]}`.
    ///
    /// `before` and `after` are `{trace_id, status, started_at, duration_ms, spans, failed,
    /// cost_usd}`. The stages are as from [`StageDiff::to_json`].
    pub fn to_json(&self) -> String {
        let stages: Vec<String> = self.stages.iter().map(StageDiff::to_json).collect();
        Object::new()
            .with_json("before", &self.before.to_json())
            .with_json("after", &self.after.to_json())
            .with_json("stages", &format!("[{}]", stages.join(",")))
            .close()
    }
}

impl TraceTotals {
    fn of(trace: &Trace) -> Self {
        let failed = trace.spans().filter(|span| span.status() == SpanStatus::Failed).count();
        Self {
            trace_id: trace.trace_id(),
            status: trace.status(),
            started_at: trace.started_at(),
            duration: trace.duration(),
            spans: trace.spans().len() as u64,
            failed: failed as u64,
            cost_usd: sum(trace.spans().filter_map(SpanNode::cost_usd)),
        }
    }

    /// Returns the trace's id.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// Returns the trace's status.
    pub fn status(&self) -> SpanStatus {
        self.status
    }

    /// Returns the start of the trace.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// Returns the duration of the trace.
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Returns the number of spans.
    pub fn spans(&self) -> u64 {
        self.spans
    }

    /// Returns the number of spans that failed.
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// Returns the cost that the spans recorded, in US dollars.
    pub fn cost_usd(&self) -> Option<f64> {
        self.cost_usd
    }

    fn to_json(&self) -> String {
        Object::new()
            .with("trace_id", self.trace_id.to_string())
            .with("status", self.status.as_str())
            .with("started_at", self.started_at.to_string())
            .with("duration_ms", millis(self.duration))
            .with("spans", self.spans)
            .with("failed", self.failed)
            .with("cost_usd", self.cost_usd)
            .close()
    }
}
