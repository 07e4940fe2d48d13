//! The form in which clients get a trace, from the store or from memory.

use std::sync::Arc;
use std::time::Duration;

use ragtrace::{SpanId, TraceId};
use serde::Serialize;

use crate::run_view::{Judgement, Line, Run, RunView, Text, millis};

/// Everything that is known of a trace, without what other tenants wrote into it.
#[derive(Debug)]
pub(crate) struct TraceView {
    pub(crate) id: TraceId,
    pub(crate) status: &'static str,
    pub(crate) duration: Duration,
    pub(crate) user_id: Option<Box<str>>,
    pub(crate) tenant_id: Option<Box<str>>,
    /// Each run with its status, which the store may know better than the run's last record.
    pub(crate) runs: Vec<(Arc<Run>, &'static str)>,
    pub(crate) lines: Vec<Arc<Line>>,
    pub(crate) scores: Vec<Judgement>,
}

impl TraceView {
    /// Returns the tenant that owns the trace: that of its first record.
    pub(crate) fn owner(&self) -> Option<&str> {
        self.tenant_id.as_deref()
    }

    /// Returns `true` if the trace contains a run with this id.
    pub(crate) fn has_run(&self, id: SpanId) -> bool {
        self.runs.iter().any(|(run, _)| run.span_id == id)
    }

    /// Returns the more complete one of the two. A trace in memory may not have reached the store
    /// yet, and a trace in the store may no longer be in memory.
    pub(crate) fn fuller(stored: Option<Self>, live: Option<Self>) -> Option<Self> {
        let (mut stored, mut live) = match (stored, live) {
            (Some(stored), Some(live)) => (stored, live),
            (one, other) => return one.or(other),
        };
        // The store decides who owns a trace, since it keeps the first record for longer.
        if stored.tenant_id != live.tenant_id {
            return Some(stored);
        }
        let knowledge = |view: &Self| {
            let ended = view.runs.iter().filter(|(run, _)| run.duration.is_some()).count();
            (ended, view.runs.len(), view.lines.len())
        };
        let scores = [&mut stored, &mut live].map(|view| std::mem::take(&mut view.scores));
        let mut fuller = if knowledge(&live) > knowledge(&stored) { live } else { stored };
        fuller.scores = scores.into_iter().max_by_key(Vec::len).unwrap_or_default();
        Some(fuller)
    }

    /// Returns the trace's JSON.
    pub(crate) fn to_json(&self) -> impl Serialize + use<'_> {
        Json {
            trace_id: Text(self.id),
            status: self.status,
            duration_ms: millis(self.duration),
            user_id: self.user_id.as_deref(),
            tenant_id: self.tenant_id.as_deref(),
            stages: self.runs.iter().map(|(run, status)| run.with_status(status)).collect(),
            logs: self.lines.iter().map(AsRef::as_ref).collect(),
            scores: &self.scores,
        }
    }
}

#[derive(Serialize)]
struct Json<'a> {
    trace_id: Text<TraceId>,
    status: &'a str,
    duration_ms: f64,
    user_id: Option<&'a str>,
    tenant_id: Option<&'a str>,
    stages: Vec<RunView<'a>>,
    logs: Vec<&'a Line>,
    scores: &'a [Judgement],
}
