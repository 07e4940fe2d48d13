//! Rows that retention has moved are found like all others.

use std::time::Duration;

use ragtrace::{Record, Sink, Timestamp, TraceId};
use ragtrace_store::retention::Retention;
use ragtrace_store::{self as store, LogFilter, LogStore};
use uuid::Uuid;

use crate::support::{BEGIN, Make, batch, run};
use crate::test_store::TestStore;

over_both!(
    an_archived_trace_is_found_by_the_beginning_of_its_id,
    the_latest_trace_may_be_an_archived_one,
    archived_records_are_found_by_every_filter,
    a_trace_that_lies_half_in_the_archive_is_read_as_one,
    a_span_whose_end_or_start_is_archived_is_not_in_flight,
    what_retention_removes_is_found_nowhere,
);

const DAY: Duration = Duration::from_hours(24);

fn on_day(day: u32, ms: u64) -> Timestamp {
    BEGIN.plus(DAY * day + Duration::from_millis(ms))
}

fn id_of(number: u128) -> TraceId {
    Uuid::from_u128((number << 96) | number).to_string().parse().expect("an id")
}

/// Returns a failed trace on a day: a start, a log line, an end.
fn failed(number: u128, day: u32) -> Vec<Record> {
    let (start, end) = run("failed", "retrieval", 1, (0, 20));
    let line = Make::new("log", "retrieval", 1, 10);
    let of = |make: Make, ms| {
        let make = make.trace(&id_of(number).to_string()).with("session_id", "chat").with("local_root", true);
        make.with("timestamp", on_day(day, ms).to_string()).record()
    };
    vec![of(start, 0), of(line, 10), of(end, 20)]
}

/// Creates a store whose archive has the traces 1 to 3 of the days 0 to 2, and whose logs have
/// those of the days 8 and 9.
async fn moved(place: &TestStore) -> LogStore {
    let traces = [(1, 0), (2, 1), (3, 2), (4, 8), (5, 9)];
    place.holding(traces.into_iter().flat_map(|(number, day)| failed(number, day))).await;
    let retention = Retention::new().days(7).sample(0.0).at(on_day(10, 0));
    let report = store::retain(&place.url, &retention, |_| {}).await.expect("decided");
    assert_eq!(report.archived, 3);
    assert_eq!(place.number("SELECT count(*) FROM logs").await, 6);
    assert_eq!(place.number("SELECT count(*) FROM logs_archive").await, 9);
    place.store().await
}

async fn an_archived_trace_is_found_by_the_beginning_of_its_id(place: TestStore) {
    let store = moved(&place).await;
    let all: Vec<TraceId> = (1..=5).map(id_of).collect();
    for (prefix, limit, expected) in [
        ("00000001", 10, &all[..1]),
        ("00000003-0000", 10, &all[2..3]),
        ("00000004", 10, &all[3..4]),
        ("0000000", 10, &all[..]),
        ("0000000", 2, &all[..2]),
        ("0000000", 4, &all[..4]),
        ("0", 0, &[]),
        ("1", 10, &[]),
    ] {
        assert_eq!(store.traces_starting_with(prefix, limit).await.expect("reads"), expected, "{prefix} {limit}");
    }
    // A late record puts a trace into both tables, and it is still found once.
    place.sink().deliver(&batch(failed(1, 0))).await.expect("delivered");
    assert_eq!(store.traces_starting_with("0000000", 10).await.expect("reads"), all);
}

async fn the_latest_trace_may_be_an_archived_one(place: TestStore) {
    let store = moved(&place).await;
    let latest = async || store.latest_trace().await.expect("reads").map(|trace| trace.trace_id());
    assert_eq!(latest().await, Some(id_of(5)));
    place.execute("DELETE FROM logs").await;
    assert_eq!(latest().await, Some(id_of(3)));
    // The late record is older than those that were moved before.
    place.sink().deliver(&batch(failed(6, 1))).await.expect("delivered");
    assert_eq!(latest().await, Some(id_of(3)));
    let loose = Make::new("log", "x", 1, 0).with("trace_id", serde_json::Value::Null);
    let loose = loose.with("timestamp", on_day(9, 0).to_string()).record();
    place.sink().deliver(&batch([loose])).await.expect("delivered");
    assert_eq!(latest().await, Some(id_of(3)));
    place.execute("DELETE FROM logs_archive").await;
    assert_eq!(latest().await, Some(id_of(6)));
    place.execute("DELETE FROM logs").await;
    assert_eq!(latest().await, None);
}

async fn archived_records_are_found_by_every_filter(place: TestStore) {
    let store = moved(&place).await;
    let all = LogFilter::new;
    for (filter, expected) in [
        (all(), 15),
        (all().trace_id(id_of(1)), 3),
        (all().trace_id(id_of(4)), 3),
        (all().user_id("alice"), 15),
        (all().tenant_id("acme").since(on_day(1, 0)).until(on_day(3, 0)), 6),
        (all().request_id("req-1").until(on_day(2, 15)), 8),
        (all().session_id("chat").limit(7), 7),
        (all().stage("retrieval").until(on_day(8, 5)), 10),
        (all().since(on_day(0, 10)).until(on_day(0, 20)), 1),
        (all().level(ragtrace::Level::Warn), 5),
        (all().trace_id(id_of(2)).stage("retrieval").user_id("alice").level(ragtrace::Level::Error), 1),
        (all().user_id("bob"), 0),
        (all().limit(0), 0),
    ] {
        let rows = store.logs(filter.clone()).await.expect("reads");
        assert_eq!(rows.len(), expected, "{filter:?}");
        assert!(rows.windows(2).all(|pair| pair[0].timestamp() > pair[1].timestamp()), "the newest first");
    }
    for (filter, expected) in [
        (all(), 5),
        (all().since(on_day(1, 0)), 4),
        (all().user_id("alice").until(on_day(2, 0)), 2),
        (all().trace_id(id_of(1)), 1),
        (all().stage("retrieval"), 5),
        (all().user_id("bob"), 0),
    ] {
        assert_eq!(store.errors(filter.clone()).await.expect("reads").len(), expected, "{filter:?}");
    }
}

async fn a_trace_that_lies_half_in_the_archive_is_read_as_one(place: TestStore) {
    let store = moved(&place).await;
    let late = Make::new("log", "retrieval", 1, 15).trace(&id_of(1).to_string());
    place.sink().deliver(&batch([late.record()])).await.expect("delivered");
    let trace = store.trace(id_of(1)).await.expect("reads").expect("there");
    let times: Vec<Timestamp> = trace.logs().iter().map(|row| row.timestamp()).collect();
    assert_eq!(times, [0, 10, 15, 20].map(|ms| on_day(0, ms)));
    assert_eq!(trace.spans().len(), 1);
    let listed = store.logs(LogFilter::new().trace_id(id_of(1))).await.expect("reads");
    assert!(listed.iter().rev().map(|row| row.timestamp()).eq(times), "the list is that of the trace");
    let page = store.logs(LogFilter::new().trace_id(id_of(1)).limit(2)).await.expect("reads");
    let rest = store.logs(LogFilter::new().trace_id(id_of(1)).after(page[1].position())).await.expect("reads");
    assert_eq!([page, rest].concat(), listed);
}

async fn a_span_whose_end_or_start_is_archived_is_not_in_flight(place: TestStore) {
    let now = Timestamp::now();
    let at = |make: Make, ms: u64| make.with("timestamp", now.minus(Duration::from_millis(5_000 - ms)).to_string());
    let (start, end) = run("completed", "done", 1, (0, 10));
    let (other_start, other_end) = run("completed", "done_too", 2, (0, 10));
    let running = at(Make::new("started", "running", 3, 0), 3).record();
    let sink = place.sink();
    // The end of one is archived, and then the start of the other.
    sink.deliver(&batch([at(end, 10).record()])).await.expect("delivered");
    place.execute("INSERT INTO logs_archive SELECT * FROM logs; DELETE FROM logs").await;
    sink.deliver(&batch([at(start, 0).record(), at(other_start, 0).record(), running])).await.expect("delivered");
    place
        .execute(
            "INSERT INTO logs_archive SELECT * FROM logs WHERE stage <> 'done'; DELETE FROM logs WHERE stage <> 'done'",
        )
        .await;
    sink.deliver(&batch([at(other_end, 10).record()])).await.expect("delivered");
    let inflight = place.store().await.inflight().await.expect("reads");
    assert_eq!(inflight.iter().map(|row| row.stage().expect("a stage")).collect::<Vec<_>>(), ["running"]);
    sink.close().await;
}

async fn what_retention_removes_is_found_nowhere(place: TestStore) {
    let store = moved(&place).await;
    let later = Retention::new().days(7).sample(0.0).keep_errors(false).at(on_day(60, 0));
    let report = store::retain(&place.url, &later, |_| {}).await.expect("decided");
    assert_eq!((report.removed, report.expired), (2, 3));
    assert_eq!(store.logs(LogFilter::new()).await.expect("reads"), []);
    assert_eq!(store.errors(LogFilter::new()).await.expect("reads"), []);
    assert_eq!(store.traces_starting_with("0", 10).await.expect("reads"), []);
    assert_eq!(store.latest_trace().await.expect("reads"), None);
    for number in 1..=5 {
        assert_eq!(store.trace(id_of(number)).await.expect("reads"), None);
    }
}
