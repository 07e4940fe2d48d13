//! Building traces from records.

use proptest::prelude::*;
use ragtrace::{Record, Timestamp};
use ragtrace_store::{self as store, SpanNode, SpanStatus, Trace};
use serde_json::{Value as Json, json};

use crate::support::{File, Make, TRACE, ingestion, run};

async fn trace_of(records: impl IntoIterator<Item = Record>) -> Trace {
    let file = File::holding(records).await;
    let store = store::open(&file.url()).await.expect("opens");
    store.trace(TRACE.parse().expect("an id")).await.expect("reads").expect("the trace is there")
}

fn stages(trace: &Trace) -> Vec<(usize, &str, SpanStatus)> {
    trace.spans().map(|span| (span.depth(), span.stage(), span.status())).collect()
}

#[tokio::test]
async fn spans_come_as_a_tree_with_all_that_their_records_say() {
    let trace = trace_of(ingestion()).await;
    assert_eq!(
        stages(&trace),
        [
            (0, "ingestion", SpanStatus::Failed),
            (1, "file_parsing", SpanStatus::Completed),
            (1, "document_chunking", SpanStatus::Completed),
            (1, "chunk_embedding", SpanStatus::Failed),
        ]
    );
    assert_eq!((trace.status(), trace.duration().as_millis()), (SpanStatus::Failed, 1_420));
    let root = trace.roots().next().expect("a root");
    assert_eq!(
        root.children().map(SpanNode::stage).collect::<Vec<_>>(),
        ["file_parsing", "document_chunking", "chunk_embedding"]
    );
    let parse = root.children().next().expect("a child");
    assert_eq!((parse.count(), parse.busy().map(|busy| busy.as_micros())), (Some(3), Some(40_500)));
    assert_eq!(parse.parent().map(SpanNode::span_id), Some(root.span_id()));
    let embed = trace.span(root.children().nth(2).expect("a child").span_id()).expect("by its id");
    assert_eq!(embed.error().expect("an error").chain(), ["503 Service Unavailable"]);
    assert_eq!(embed.cost_usd(), Some(0.0021));
    assert_eq!(trace.logs().len(), 8);
}

#[tokio::test]
async fn json_has_the_documented_shape() {
    let trace = trace_of(ingestion()).await;
    let text = trace.to_json();
    let json: Json = serde_json::from_str(&text).expect("JSON");
    // The members are in the documented order, which a parsed object does not keep.
    let begins = |text: &str, keys: &[&str]| {
        let at: Vec<_> = keys.iter().map(|key| text.find(&format!("\"{key}\":"))).collect();
        assert!(at.iter().all(Option::is_some) && at.is_sorted(), "{keys:?}: {at:?} in {text}");
    };
    begins(&text, &["trace_id", "status", "duration_ms", "spans", "logs"]);
    let names =
        ["stage", "kind", "status", "span_id", "parent_span_id", "started_at", "duration_ms", "count", "context"];
    begins(&trace.spans().nth(2).expect("a span").to_json(), &[&names[..], &["metrics", "error"]].concat());
    begins(&trace.logs()[0].to_json(), &["id", "timestamp", "level", "logger", "message", "event", "created_at"]);
    let span = &json["spans"][2];
    let expected = json!({
        "stage": "document_chunking", "kind": "chunk", "status": "completed", "span_id": "0000000000000003",
        "parent_span_id": "0000000000000001", "started_at": "2026-11-22T08:20:11.116000Z", "duration_ms": 84.1,
        "self_ms": 84.1, "critical_ms": 84.1, "count": 128, "context": {"doc.name": "report.pdf"},
        "metrics": {"duration_ms": 84.1, "count": 128, "avg_chars": 512.5}, "error": null,
    });
    assert_eq!(span, &expected);
    assert_eq!(json["spans"][3]["error"]["type"], "EmbedError");
    assert_eq!(json["logs"].as_array().map(Vec::len), Some(8));
    assert_eq!(json["logs"][0]["message"], "ingestion_started");
}

#[tokio::test]
async fn an_end_alone_is_a_span_and_starts_where_its_duration_says() {
    let (_, end) = run("failed", "hidden", 1, (100, 350));
    let trace = trace_of([end.record()]).await;
    let span = trace.spans().next().expect("a span");
    assert_eq!(span.started_at().to_string(), "2026-11-22T08:20:11.100000Z");
    assert_eq!((span.status(), trace.duration().as_millis()), (SpanStatus::Failed, 250));
}

#[tokio::test]
async fn a_span_without_its_parent_stands_at_the_top_and_says_so() {
    let (start, end) = run("completed", "stray", 5, (10, 20));
    let root = run("completed", "root", 1, (0, 30));
    let remote = run("completed", "served", 6, (20, 25)).1.parent(98).with("local_root", true);
    let records = [root.0, root.1, start.parent(99), end.parent(99), remote];
    let trace = trace_of(records.iter().map(Make::record)).await;
    let lacking: Vec<_> =
        trace.roots().map(|span| (span.stage(), span.is_orphan(), span.has_remote_parent())).collect();
    assert_eq!(lacking, [("root", false, false), ("stray", true, false), ("served", false, true)]);
}

#[tokio::test]
async fn an_open_span_is_lost_when_its_process_is() {
    let now = Timestamp::now();
    let recent = Make::new("started", "running", 1, 0).with("timestamp", now.to_string());
    let file = File::new();
    let sink = file.sink();
    ragtrace::Sink::deliver(&sink, &crate::support::batch([recent.record()])).await.expect("delivered");
    let store = store::open(&file.url()).await.expect("opens");
    let status = async || store.latest_trace().await.expect("reads").expect("a trace").status();
    assert_eq!(status().await, SpanStatus::Open);
    ragtrace::Sink::close(&sink).await;
    assert_eq!(status().await, SpanStatus::Lost, "its process has closed");

    let silent = Make::new("started", "running", 1, 0).with("timestamp", "2020-01-01T00:00:00.000000Z");
    let file = File::new();
    let sink = file.sink();
    ragtrace::Sink::deliver(&sink, &crate::support::batch([silent.record()])).await.expect("delivered");
    let trace = store::open(&file.url()).await.expect("opens").latest_trace().await.expect("reads").expect("a trace");
    assert_eq!(trace.status(), SpanStatus::Lost, "its process has been silent for years");
}

#[tokio::test]
async fn circles_of_parents_are_cut_open() {
    let circle = [(1, 3), (2, 1), (3, 2), (4, 4)];
    let records = circle.map(|(span, parent)| Make::new("started", "round", span, span).parent(parent).record());
    let trace = trace_of(records).await;
    let depths: Vec<_> = trace.spans().map(|span| (span.span_id().as_u64(), span.depth())).collect();
    assert_eq!(depths, [(1, 0), (2, 1), (3, 2), (4, 0)]);
}

#[tokio::test]
async fn ten_thousand_spans_deep_or_wide_are_read_and_drawn() {
    let deep = (1..=10_000_u64).map(|at| Make::new("started", "deep", at, at).parent(at - 1));
    let wide = (2..=10_000_u64).map(|at| Make::new("started", "wide", at, at).parent(1));
    let wide = std::iter::once(Make::new("started", "root", 1, 0)).chain(wide);
    let chain: Vec<Record> =
        std::iter::once(Make::new("started", "deep", 1, 1)).chain(deep.skip(1)).map(|make| make.record()).collect();
    let fan: Vec<Record> = wide.map(|make| make.record()).collect();
    // A chain has no siblings to fold, so it is drawn with one line per span.
    for (records, deepest, folded) in [(chain, 9_999, 10_000), (fan, 1, 3)] {
        let trace = trace_of(records).await;
        assert_eq!(trace.spans().len(), 10_000);
        assert_eq!(trace.spans().map(SpanNode::depth).max(), Some(deepest));
        let lines = |waterfall: &store::Waterfall<'_>| waterfall.to_string().lines().count();
        let waterfall = store::Waterfall::new(&trace).width(80);
        assert_eq!(lines(&waterfall), folded + 4);
        assert_eq!(lines(&waterfall.all(true)), 10_000 + 4);
        assert_eq!(trace.clone(), trace);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any forest, with its records in any order and some twice, gives the same tree.
    #[test]
    fn the_order_of_rows_and_duplicates_do_not_matter(
        parents in prop::collection::vec(any::<prop::sample::Index>(), 1..40),
        order in prop::collection::vec(any::<u64>(), 160),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut records = Vec::new();
        for (at, parent) in (1_u64..).zip(&parents) {
            let parent = parent.index(usize::try_from(at).expect("small")) as u64;
            let (start, end) = run("completed", &format!("stage_{at}"), at, (at * 10, at * 10 + 5));
            let of = |make: Make| if parent == 0 { make } else { make.parent(parent) };
            let (start, end) = (of(start), of(end));
            // The same event again with another id, from something in between that delivers at
            // least once.
            let again = end.clone().with("id", uuid::Uuid::new_v4().to_string());
            records.extend([start.record(), end.record(), again.record()]);
        }
        let mut shuffled: Vec<_> = records.iter().cloned().zip(order).collect();
        shuffled.sort_by_key(|(_, key)| *key);
        let in_order = runtime.block_on(trace_of(records.clone()));
        let any_order = runtime.block_on(trace_of(shuffled.into_iter().map(|(record, _)| record)));
        prop_assert_eq!(stages(&in_order), stages(&any_order));
        prop_assert_eq!(in_order.spans().len(), parents.len());
        for span in any_order.spans() {
            prop_assert_eq!(span.parent().map(SpanNode::span_id), span.parent_span_id());
            prop_assert!(span.children().all(|child| child.parent_span_id() == Some(span.span_id())));
        }
    }
}
