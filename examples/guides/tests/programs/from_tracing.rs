use ragtrace::Event;
use ragtrace_sinks::store::{LogFilter, LogRow, SpanNode, Trace};

use crate::program::Folder;
use crate::run::{outline, run_well, trace};

/// Returns the messages of the application's own events, each with the stage in which it occurred.
fn events(trace: &Trace) -> Vec<(String, Option<&str>)> {
    let logs = trace.logs().iter().map(LogRow::record).filter(|record| record.event() == Event::Log);
    let mut events: Vec<_> = logs
        .map(|record| {
            let span = record.span_id().and_then(|id| trace.span(id));
            (record.message().into_owned(), span.map(SpanNode::stage))
        })
        .collect();
    events.sort();
    events
}

#[tokio::test]
async fn events_and_spans_of_tracing_are_in_the_trace() {
    let folder = Folder::new();
    let printed = run_well(&folder, "from_tracing", &[]).await;
    for line in ["ready", "a question has come", "searched", "4 hits"] {
        assert!(printed.contains(line), "{line} is not in {printed}");
    }
    assert!(!printed.contains("not recorded"), "{printed}");

    let trace = trace(&folder).await;
    let stages = ["question completed", "  retrieval completed", "  retrieval completed", "  retrieval completed"];
    assert_eq!(outline(&trace), stages);
    let expected = [
        ("a question has come".to_owned(), Some("question")),
        ("searched".to_owned(), Some("retrieval")),
        ("searched".to_owned(), Some("retrieval")),
        ("searched".to_owned(), Some("retrieval")),
    ];
    assert_eq!(events(&trace), expected);
    let of_tasks = trace.logs().iter().filter(|row| row.record().message() == "searched");
    assert_eq!(of_tasks.filter(|row| row.record().field("index").is_some()).count(), 2, "the fields of the spans");

    let all = folder.store().await.logs(LogFilter::new()).await.expect("a readable store");
    let ready = all.iter().find(|row| row.record().message() == "ready").expect("an event outside of any request");
    assert_eq!((ready.record().trace_id(), ready.record().user_id()), (None, None));
}
