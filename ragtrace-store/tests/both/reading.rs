//! Filters, and what a store gives back.

use ragtrace::{Level, StageDescriptor, Timestamp};
use ragtrace_store::{self as store, LogFilter, LogStore};

use crate::place::Place;
use crate::support::{BEGIN, Make, TRACE, ingestion};

over_both!(
    each_filter_narrows_and_all_of_them_together,
    errors_are_the_records_of_level_error,
    injection_in_any_filter_finds_nothing_and_breaks_nothing,
    a_trace_is_found_by_the_beginning_of_its_id,
    the_latest_trace_is_that_of_the_newest_record,
    pages_follow_each_other_without_gap_or_overlap,
);

const OTHER: &str = "0199a1c2-7b1e-7a54-9c01-ffffffffffff";

async fn two_traces(place: &Place) -> LogStore {
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

async fn each_filter_narrows_and_all_of_them_together(place: Place) {
    const CHUNKING: StageDescriptor = StageDescriptor::new("document_chunking", "rag");
    let store = two_traces(&place).await;
    let all = LogFilter::new;
    let cases = [
        (all(), 10),
        (all().trace(TRACE.parse().expect("an id")), 8),
        (all().request("req-2"), 1),
        (all().user("alice"), 9),
        (all().user("bob"), 1),
        (all().tenant("umbrella"), 1),
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
        (all().user("alice").level(Level::Error), 3),
        (all().user("alice").level(Level::Error).tenant("umbrella").stage("retrieval").since(at(6_000)), 1),
        (all().user("bob").tenant("umbrella"), 0),
        (all().trace(OTHER.parse().expect("an id")).stage("ingestion"), 0),
    ];
    for (filter, expected) in cases {
        let rows = store.logs(filter.clone()).await.expect("reads");
        assert_eq!(rows.len(), expected, "{filter:?}");
        assert!(rows.windows(2).all(|pair| pair[0].timestamp() >= pair[1].timestamp()), "the newest first");
    }
}

async fn errors_are_the_records_of_level_error(place: Place) {
    let store = two_traces(&place).await;
    let stages = |rows: &[store::LogRow]| rows.iter().map(|row| row.stage().map(str::to_owned)).collect::<Vec<_>>();
    let of_alice = store.errors(LogFilter::new().user("alice")).await.expect("reads");
    let expected = ["retrieval", "ingestion", "chunk_embedding"].map(|stage| Some(stage.to_owned()));
    assert_eq!(stages(&of_alice), expected);
    assert_eq!(store.errors(LogFilter::new()).await.expect("reads").len(), 3);
    assert_eq!(of_alice[1].error().expect("an error").message(), "the model is overloaded");
    assert!(of_alice[1].created_at() > BEGIN.minus(std::time::Duration::from_hours(24)));
}

async fn injection_in_any_filter_finds_nothing_and_breaks_nothing(place: Place) {
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
            LogFilter::new().request(attempt),
            LogFilter::new().user(attempt),
            LogFilter::new().tenant(attempt),
            LogFilter::new().stage(attempt),
            LogFilter::new().user(attempt).level(Level::Error),
        ];
        for filter in filters {
            assert_eq!(store.logs(filter.clone()).await.expect("reads"), [], "{filter:?}");
        }
        assert_eq!(store.traces_starting_with(attempt, 10).await.expect("reads"), [], "{attempt}");
    }
    assert_eq!(store.logs(LogFilter::new()).await.expect("reads").len(), 10);
}

async fn a_trace_is_found_by_the_beginning_of_its_id(place: Place) {
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

async fn the_latest_trace_is_that_of_the_newest_record(place: Place) {
    let store = two_traces(&place).await;
    let latest = store.latest_trace().await.expect("reads").expect("there is one");
    assert_eq!(latest.trace_id().to_string(), OTHER);
    assert_eq!(store.trace("0199a1c2-7b1e-7a54-9c01-000000000000".parse().expect("an id")).await.expect("reads"), None);
}

async fn pages_follow_each_other_without_gap_or_overlap(place: Place) {
    // Many at the same instant, where a page by time alone would lose or repeat some.
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
