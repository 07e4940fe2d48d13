//! Filters, and the rows that a store returns.

use ragtrace::{Level, StageDescriptor, Timestamp};
use ragtrace_store::{self as store, LogFilter, LogStore, TraceFilter};

use crate::support::{BEGIN, Make, TRACE, ingestion};
use crate::test_store::TestStore;

over_both!(
    each_filter_narrows_and_all_of_them_together,
    errors_are_the_records_of_level_error,
    injection_in_any_filter_finds_nothing_and_breaks_nothing,
    a_trace_is_found_by_the_beginning_of_its_id,
    the_latest_trace_is_that_of_the_newest_record,
    pages_follow_each_other_without_gap_or_overlap,
    a_renamed_stage_is_found_by_its_descriptor_with_what_it_left_before,
    a_session_is_found_with_all_of_its_traces,
);

const OTHER: &str = "0199a1c2-7b1e-7a54-9c01-ffffffffffff";

async fn two_traces(place: &TestStore) -> LogStore {
    let others = [
        Make::new("log", "file_parsing", 9, 5_000).with("level", "WARN").with("user_id", "bob"),
        Make::new("failed", "retrieval", 10, 6_000).with("tenant_id", "umbrella").with("request_id", "req-2"),
    ];
    let others = others.map(|make| make.trace(OTHER).record());
    place.holding(ingestion().into_iter().chain(others)).await
}

fn at(ms: u64) -> Timestamp {
    BEGIN.plus(std::time::Duration::from_millis(ms))
}

async fn each_filter_narrows_and_all_of_them_together(place: TestStore) {
    const CHUNKING: StageDescriptor = StageDescriptor::new("document_chunking", "rag");
    let store = two_traces(&place).await;
    let all = LogFilter::new;
    let cases = [
        (all(), 10),
        (all().trace_id(TRACE.parse().expect("an id")), 8),
        (all().request_id("req-2"), 1),
        (all().user_id("alice"), 9),
        (all().user_id("bob"), 1),
        (all().tenant_id("umbrella"), 1),
        (all().stage("file_parsing"), 3),
        (all().of(&CHUNKING), 2),
        (all().level(Level::Trace), 10),
        (all().level(Level::Warn), 4),
        (all().level(Level::Error), 3),
        (all().since(at(5_000)), 2),
        (all().until(at(5_000)), 8),
        (all().since(at(114)).until(at(200)), 2),
        (all().limit(4), 4),
        (all().limit(0), 0),
        (all().user_id("alice").level(Level::Error), 3),
        (all().user_id("alice").level(Level::Error).tenant_id("umbrella").stage("retrieval").since(at(6_000)), 1),
        (all().user_id("bob").tenant_id("umbrella"), 0),
        (all().trace_id(OTHER.parse().expect("an id")).stage("ingestion"), 0),
    ];
    for (filter, expected) in cases {
        let rows = store.logs(filter.clone()).await.expect("reads");
        assert_eq!(rows.len(), expected, "{filter:?}");
        assert!(rows.windows(2).all(|pair| pair[0].timestamp() >= pair[1].timestamp()), "the newest first");
    }
}

async fn a_renamed_stage_is_found_by_its_descriptor_with_what_it_left_before(place: TestStore) {
    const CHUNKING: StageDescriptor =
        StageDescriptor::new("document_chunking", "rag").with_renamed_from(&"chunk_document");
    // The stage's old name and its new one alternate, each run in a trace of its own, and another
    // stage has neither.
    let end = |number: u64| {
        let name = ["chunk_document", "document_chunking", "chunking"][usize::try_from(number % 3).expect("small")];
        let trace = uuid::Uuid::from_u128(u128::from(number) + 1).to_string();
        Make::new("completed", name, number + 1, number).with("local_root", true).trace(&trace).record()
    };
    let store = place.holding((0..30).map(end)).await;
    let numbers = |rows: &[store::LogRow]| -> Vec<u64> {
        rows.iter().map(|row| row.span_id().expect("a stage's").as_u64() - 1).collect()
    };
    let expected: Vec<u64> = (0..30).rev().filter(|number| number % 3 < 2).collect();
    let all = store.logs(LogFilter::new().of(&CHUNKING)).await.expect("reads");
    assert_eq!(numbers(&all), expected, "the newest first, whichever name it has");
    let first = store.logs(LogFilter::new().of(&CHUNKING).limit(7)).await.expect("reads");
    let next = LogFilter::new().of(&CHUNKING).after(first[6].position());
    let rest = store.logs(next).await.expect("reads");
    assert_eq!([numbers(&first), numbers(&rest)].concat(), expected, "pages go on where they stopped");
    assert_eq!(store.logs(LogFilter::new().of(&CHUNKING).stage("chunking")).await.expect("reads").len(), 10);
    let traces = store.traces(TraceFilter::new().of(&CHUNKING).limit(15)).await.expect("reads");
    let ended: Vec<_> = traces.iter().map(store::TraceSummary::ended_at).collect();
    assert_eq!(ended, expected[..15].iter().map(|number| at(*number)).collect::<Vec<_>>());
    assert_eq!(store.traces(TraceFilter::new().operation("chunk_document")).await.expect("reads").len(), 10);
}

async fn a_session_is_found_with_all_of_its_traces(place: TestStore) {
    let end = |number: u64| {
        let trace = uuid::Uuid::from_u128(u128::from(number) + 1).to_string();
        let make = Make::new("completed", "ask", number + 1, number).with("local_root", true).trace(&trace);
        if number.is_multiple_of(2) { make.with("session_id", format!("chat-{}", number % 4)) } else { make }.record()
    };
    // Few and many records, which are written to PostgreSQL in different ways.
    for size in [20, 1_200] {
        let store = place.holding((0..size).map(end)).await;
        let rows = store.logs(LogFilter::new().session_id("chat-2").limit(5)).await.expect("reads");
        assert_eq!(rows.len(), 5);
        assert!(rows.iter().all(|row| row.session_id() == Some("chat-2")));
        let traces = store.traces(TraceFilter::new().session_id("chat-2").limit(5)).await.expect("reads");
        assert_eq!(traces.len(), 5);
        assert!(traces.iter().all(|trace| trace.session_id() == Some("chat-2")));
        let trace = store.trace(rows[0].trace_id().expect("a trace")).await.expect("reads").expect("there");
        assert_eq!(trace.session_id(), Some("chat-2"));
        for none in ["chat-1", "' OR 1=1 --", "chat-2\u{0}"] {
            assert_eq!(store.logs(LogFilter::new().session_id(none)).await.expect("reads"), [], "{none}");
            assert_eq!(store.traces(TraceFilter::new().session_id(none)).await.expect("reads"), [], "{none}");
        }
    }
}

async fn errors_are_the_records_of_level_error(place: TestStore) {
    let store = two_traces(&place).await;
    let stages = |rows: &[store::LogRow]| rows.iter().map(|row| row.stage().map(str::to_owned)).collect::<Vec<_>>();
    let of_alice = store.errors(LogFilter::new().user_id("alice")).await.expect("reads");
    let expected = ["retrieval", "ingestion", "chunk_embedding"].map(|stage| Some(stage.to_owned()));
    assert_eq!(stages(&of_alice), expected);
    assert_eq!(store.errors(LogFilter::new()).await.expect("reads").len(), 3);
    assert_eq!(of_alice[1].error().expect("an error").message(), "the model is overloaded");
    assert!(of_alice[1].created_at() > BEGIN.minus(std::time::Duration::from_hours(24)));
}

async fn injection_in_any_filter_finds_nothing_and_breaks_nothing(place: TestStore) {
    let store = two_traces(&place).await;
    let attempts = [
        "' OR '1'='1",
        "alice' --",
        "'; DROP TABLE logs; --",
        "\" OR \"\"=\"",
        "alice\u{0}",
        "%",
        "?5",
        "alice' UNION SELECT * FROM instances --",
        "x' OR 1=1) OR ('a'='a",
    ];
    for attempt in attempts {
        let filters = [
            LogFilter::new().request_id(attempt),
            LogFilter::new().user_id(attempt),
            LogFilter::new().tenant_id(attempt),
            LogFilter::new().stage(attempt),
            LogFilter::new().user_id(attempt).level(Level::Error),
        ];
        for filter in filters {
            assert_eq!(store.logs(filter.clone()).await.expect("reads"), [], "{filter:?}");
        }
        assert_eq!(store.traces_starting_with(attempt, 10).await.expect("reads"), [], "{attempt}");
    }
    assert_eq!(store.logs(LogFilter::new()).await.expect("reads").len(), 10);
}

async fn a_trace_is_found_by_the_beginning_of_its_id(place: TestStore) {
    let store = two_traces(&place).await;
    let (one, other) = (TRACE.parse().expect("an id"), OTHER.parse().expect("an id"));
    for (prefix, expected) in [
        ("0199a1c2", vec![one, other]),
        ("0199a1c2-7b1e-7a54-9c01-5", vec![one]),
        ("0199A1C27B1E7A549C01F", vec![other]),
        (TRACE, vec![one]),
        ("02", vec![]),
        ("-", vec![]),
        ("", vec![]),
        ("0199a1c2-7b1e-7a54-9c01-5f2e8d3b9a10f", vec![]),
    ] {
        assert_eq!(store.traces_starting_with(prefix, 10).await.expect("reads"), expected, "{prefix:?}");
    }
    assert_eq!(store.traces_starting_with("0199", 1).await.expect("reads").len(), 1);
}

async fn the_latest_trace_is_that_of_the_newest_record(place: TestStore) {
    let store = two_traces(&place).await;
    let latest = store.latest_trace().await.expect("reads").expect("there is one");
    assert_eq!(latest.trace_id().to_string(), OTHER);
    assert_eq!(store.trace("0199a1c2-7b1e-7a54-9c01-000000000000".parse().expect("an id")).await.expect("reads"), None);
}

async fn pages_follow_each_other_without_gap_or_overlap(place: TestStore) {
    // Many rows have the same instant, so pages by time alone would lose or repeat some.
    let records = (0..500_u64).map(|at| Make::new("log", "file_parsing", 1, at / 50).record());
    let store = place.holding(records).await;
    for since in [None, Some(BEGIN)] {
        let mut filter = LogFilter::new().limit(70);
        if let Some(since) = since {
            filter = filter.since(since);
        }
        let all = store.logs(filter.clone().limit(1_000)).await.expect("reads");
        let mut paged = Vec::new();
        loop {
            let page = store.logs(filter.clone()).await.expect("reads");
            let Some(last) = page.last() else { break };
            filter = filter.after(last.position().to_string().parse().expect("a position reads back"));
            paged.extend(page);
        }
        assert_eq!(paged.len(), 500);
        assert_eq!(paged, all);
    }
}
