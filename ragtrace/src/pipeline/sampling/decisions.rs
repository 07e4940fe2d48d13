//! The latest decisions about traces, for records that arrive later.

use std::collections::{HashMap, VecDeque};

use crate::TraceId;

/// The number of remembered decisions.
const REMEMBERED: usize = 65_536;

/// The latest decisions that do not follow from the trace id: whether the records of a trace are
/// delivered.
#[derive(Default)]
pub(super) struct Decisions {
    by_trace: HashMap<TraceId, bool>,
    oldest_first: VecDeque<TraceId>,
}

impl Decisions {
    pub(super) fn of(&self, trace_id: TraceId) -> Option<bool> {
        self.by_trace.get(&trace_id).copied()
    }

    pub(super) fn remember(&mut self, trace_id: TraceId, is_kept: bool) {
        if self.by_trace.insert(trace_id, is_kept).is_none() {
            self.oldest_first.push_back(trace_id);
        }
        if self.oldest_first.len() > REMEMBERED
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.by_trace.remove(&oldest);
        }
    }
}
