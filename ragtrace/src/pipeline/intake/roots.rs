//! The root of each trace, for sinks that need paths, because a backend that names the root after
//! the trace has room for only one.
//!
//! The module promises: if several runs in one trace have no parent, for example because one
//! context is the scope of two stages after one another, the one whose start was read first is the
//! root, for as long as the trace is among the last [`Roots::MOST`].

use std::collections::{HashMap, VecDeque};

use crate::hash::FastHash;
use crate::{SpanId, TraceId};

/// The roots of the traces that began last.
#[derive(Debug, Default)]
pub(super) struct Roots {
    known: HashMap<TraceId, SpanId, FastHash>,
    /// The traces, oldest first.
    order: VecDeque<TraceId>,
}

impl Roots {
    /// The maximum number of traces, which take about 2 MiB.
    const MOST: usize = 32 << 10;

    /// Handles a run without a parent, and returns `true` if it is the root of its trace.
    pub(super) fn is_first(&mut self, trace: TraceId, span: SpanId) -> bool {
        if let Some(root) = self.known.get(&trace) {
            return *root == span;
        }
        if self.order.len() == Self::MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.known.insert(trace, span);
        self.order.push_back(trace);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_has_one_root_whoever_asks_again() {
        let mut roots = Roots::default();
        let (trace, first, second) = (TraceId::new(), SpanId::new(), SpanId::new());
        assert!(roots.is_first(trace, first));
        assert!(!roots.is_first(trace, second));
        assert!(roots.is_first(trace, first));
        assert!(roots.is_first(TraceId::new(), second));
    }

    #[test]
    fn the_oldest_traces_are_forgotten() {
        let mut roots = Roots::default();
        let trace = TraceId::new();
        roots.is_first(trace, SpanId::new());
        for _ in 0..Roots::MOST {
            roots.is_first(TraceId::new(), SpanId::new());
        }
        assert_eq!((roots.known.len(), roots.order.len()), (Roots::MOST, Roots::MOST));
        assert!(roots.is_first(trace, SpanId::new()));
    }
}
