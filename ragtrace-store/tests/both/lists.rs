//! Lists: requests, counts, new rows, and running stages.

use std::time::Duration;

use ragtrace::metrics::RunStatus;
use ragtrace::{Sink, StageDescriptor, Timestamp};
use ragtrace_store::{TraceFilter, Window};

use crate::support::{BEGIN, Make, batch, ingestion, run};
use crate::test_store::TestStore;

over_both!(
    requests_are_listed_newest_first_and_narrowed,
    stats_of_a_window_count_what_ended_in_it,
    stats_of_a_renamed_stage_are_those_of_both_of_its_names,
    what_has_started_and_not_ended_is_in_flight,
    a_tail_gives_each_row_once,
);

fn request(at: u64, status: &str, user: &str) -> ragtrace::Record {
    let (_, end) = run(status, if at.is_multiple_of(2) { "ingestion" } else { "ask" }, at + 1, (at, at + 50));
    let trace = uuid::Uuid::from_u128(u128::from(at) + 1).to_string();
    end.with("local_root", true).with("user_id", user).trace(&trace).record()
}

async fn requests_are_listed_newest_first_and_narrowed(place: TestStore) {
    let records = (0..40).map(|at| match at % 4 {
        0 => request(at, "failed", "alice"),
        1 => request(at, "cancelled", "bob"),
        _ => request(at, "completed", "bob"),
    });
    let store = place.holding(records).await;
    let all = TraceFilter::new;
    let cases = [
        (all(), 40),
        (all().user_id("alice"), 10),
        (all().operation("ask"), 20),
        (all().status(RunStatus::Cancelled), 10),
        (all().status(RunStatus::Failed).user_id("bob"), 0),
        (all().tenant_id("acme").since(BEGIN.plus(Duration::from_millis(80))), 10),
        (all().until(BEGIN.plus(Duration::from_millis(60))), 10),
        (all().limit(7), 7),
        (all().user_id("' OR 1=1 --"), 0),
        (all().operation("x'); DROP TABLE request_metrics; --"), 0),
        (all().tenant_id("%"), 0),
    ];
    for (filter, expected) in cases {
        let found = store.traces(filter.clone()).await.expect("reads");
        assert_eq!(found.len(), expected, "{filter:?}");
        assert!(found.windows(2).all(|pair| pair[0].ended_at() >= pair[1].ended_at()), "the newest first");
    }
    let first = store.traces(all().limit(25)).await.expect("reads");
    let rest = store.traces(all().after(first[24].position())).await.expect("reads");
    assert_eq!(rest.len(), 15);
    assert!(rest.iter().all(|one| !first.contains(one)));
    assert_eq!(
        (first[0].status(), first[0].operation(), first[0].duration().as_millis()),
        (RunStatus::Completed, "ask", 50)
    );
}

async fn stats_of_a_window_count_what_ended_in_it(place: TestStore) {
    let at = |minutes: u64| BEGIN.plus(Duration::from_mins(minutes));
    let run_at = |minutes: u64| {
        let (_, end) = run("completed", "retrieval", minutes + 1, (0, 10));
        end.with("timestamp", at(minutes).to_string()).record()
    };
    let store = place.holding((0..300).map(run_at)).await;
    for (from, to) in [(0, 300), (0, 1), (3, 5), (10, 130), (55, 300), (41, 221), (200, 200), (300, 400)] {
        let stats = store.stage_stats(Window::new(at(from), at(to))).await.expect("reads");
        // BEGIN is eleven seconds into its minute, and the end is widened to a whole minute.
        let expected = 300_u64.min(to + 1).saturating_sub(from);
        assert_eq!(stats.first().map_or(0, ragtrace_store::StageStats::runs), expected, "{from}..{to}");
    }
}

async fn stats_of_a_renamed_stage_are_those_of_both_of_its_names(place: TestStore) {
    const CHUNKING: StageDescriptor =
        StageDescriptor::new("document_chunking", "rag").with_renamed_from(&"chunk_document");
    const NEVER_RUN: StageDescriptor = StageDescriptor::new("chunk", "rag");
    let at = |minutes: u64| BEGIN.plus(Duration::from_mins(minutes));
    // The stage's old name and its new one alternate, and another stage has neither.
    let run_at = |minutes: u64| {
        let name = ["chunk_document", "document_chunking", "chunking"][usize::try_from(minutes % 3).expect("small")];
        let (_, end) = run("completed", name, minutes + 1, (0, 10));
        end.with("timestamp", at(minutes).to_string()).record()
    };
    let store = place.holding((0..300).map(run_at)).await;
    let all = Window::new(at(0), at(300));
    assert_eq!(store.stage_stats(all).await.expect("reads").len(), 3);
    let stats = store.stage_stats(all.of(&CHUNKING)).await.expect("reads");
    let found: Vec<_> = stats.iter().map(|one| (one.stage(), one.runs(), one.mean_duration().as_millis())).collect();
    assert_eq!(found, [("document_chunking", 200, 10)]);
    assert_eq!(store.stage_stats(all.of(&NEVER_RUN)).await.expect("reads"), []);
}

async fn what_has_started_and_not_ended_is_in_flight(place: TestStore) {
    let now = Timestamp::now();
    let at = |make: Make, ms: u64| make.with("timestamp", now.minus(Duration::from_millis(5_000 - ms)).to_string());
    let running = at(Make::new("started", "running", 1, 0), 0);
    let (start, end) = run("completed", "done", 2, (0, 10));
    let elsewhere = at(Make::new("started", "gone", 3, 0), 3).with("instance", uuid::Uuid::new_v4().to_string());
    let sink = place.sink();
    sink.deliver(&batch([running, at(start, 1), at(end, 2)].map(|make| make.record()))).await.expect("delivered");
    let ended = place.sink();
    ended.deliver(&batch([elsewhere.record()])).await.expect("delivered");
    ended.close().await;
    let store = place.store().await;
    let stages: Vec<_> =
        store.inflight().await.expect("reads").iter().map(|row| row.stage().map(str::to_owned)).collect();
    assert_eq!(stages, [Some("running".to_owned())]);
    sink.close().await;
    assert_eq!(store.inflight().await.expect("reads"), []);
}

async fn a_tail_gives_each_row_once(place: TestStore) {
    let sink = place.sink();
    sink.deliver(&batch(ingestion())).await.expect("delivered");
    let store = place.store().await;
    let tail = store.tail(None).await.expect("reads");
    assert_eq!(tail.rows, []);
    let mut cursor = tail.cursor;
    let mut seen = Vec::new();
    let mut written = Vec::new();
    for size in [1, 0, 8, 25_000, 3] {
        let records: Vec<_> = (0..size).map(|at| Make::new("log", "file_parsing", 1, at).record()).collect();
        written.extend(records.iter().map(ragtrace::Record::id));
        sink.deliver(&batch(records)).await.expect("delivered");
        loop {
            let tail = store.tail(Some(cursor)).await.expect("reads");
            cursor = tail.cursor;
            if tail.rows.is_empty() {
                break;
            }
            assert!(tail.rows.len() <= 10_000);
            seen.extend(tail.rows.iter().map(|row| row.id()));
        }
        assert_eq!(seen.len(), written.len());
    }
    seen.sort_unstable();
    written.sort_unstable();
    assert_eq!(seen, written);
}
