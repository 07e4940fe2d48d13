//! The critical path of a trace, in the form that the page wants.

use std::collections::HashMap;

use ragtrace_store::Trace;

use super::micros::micros;

/// Returns the parts of the critical path: a span's place in the list, and from when to when it is
/// waited for, in microseconds from the trace's start.
pub(super) fn parts(trace: &Trace) -> Vec<(usize, u64, u64)> {
    let places: HashMap<_, _> = trace.spans().enumerate().map(|(at, span)| (span.span_id(), at)).collect();
    let path = trace.critical_path();
    let parts = path.parts().filter_map(|part| {
        let from = micros(part.started_at().since(trace.started_at()));
        Some((*places.get(&part.span().span_id())?, from, from.saturating_add(micros(part.duration()))))
    });
    parts.collect()
}
