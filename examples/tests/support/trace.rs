//! Checks that hold for every trace.

use ragtrace_sinks::store::{LogRow, SpanNode, Trace};

/// Asserts that every row has the same ids, every parent is there, and every run that started has
/// ended.
pub(crate) fn assert_whole(trace: &Trace) {
    let who = |row: &LogRow| {
        let owned = |id: Option<&str>| id.map(str::to_owned);
        (row.trace_id(), owned(row.request_id()), owned(row.user_id()), owned(row.tenant_id()))
    };
    let first = trace.logs().first().expect("a record");
    assert!(trace.logs().iter().all(|row| who(row) == who(first)));
    assert!(first.request_id().is_some());
    assert_eq!(trace.roots().count(), 1);
    assert!(trace.spans().all(|span| !span.is_orphan()));
    assert_eq!(trace.logs().len(), 2 * trace.spans().len(), "a start and an end each");
}

/// Returns the stages of a span's children, in order.
pub(crate) fn stages(span: SpanNode<'_>) -> Vec<&str> {
    span.children().map(SpanNode::stage).collect()
}
