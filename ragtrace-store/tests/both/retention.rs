//! Traces that are kept, moved and removed, and none of them ever in part.

use std::collections::BTreeMap;
use std::time::Duration;

use ragtrace::{Record, Sink, Timestamp};
use ragtrace_store as store;
use ragtrace_store::retention::{Purge, PurgeReport, Retention};
use ragtrace_store::{LogFilter, TraceFilter};
use uuid::Uuid;

use crate::support::{BEGIN, Make, batch, run};
use crate::test_store::TestStore;

over_both!(
    a_trace_is_kept_whole_or_goes_whole_also_across_midnight,
    a_late_record_follows_its_trace,
    the_archive_forgets_a_trace_after_its_last_record,
    a_job_that_is_stopped_anywhere_goes_on_where_it_was,
    two_jobs_at_once_decide_on_everything_once,
    a_sink_that_is_asked_to_runs_retention_beside_its_deliveries,
    a_dry_run_says_what_would_be_done_and_does_nothing,
    a_person_is_erased_everywhere_and_nobody_else,
    the_archive_has_the_columns_of_the_logs_in_their_order,
    an_archived_record_is_as_it_was,
    an_age_beyond_all_time_keeps_everything,
);

const DAY: Duration = Duration::from_hours(24);

/// Returns an instant on a day, counted from the day of BEGIN.
fn at(day: u32, hour: u64) -> Timestamp {
    let midnight = Timestamp::from_micros(BEGIN.as_micros().div_euclid(86_400_000_000) * 86_400_000_000);
    midnight.plus(DAY * day + Duration::from_hours(hour))
}

/// Returns a trace with this number of records, an hour apart.
fn trace(number: u64, begins: Timestamp, records: u64, fails: bool) -> Vec<Record> {
    let id = Uuid::from_u128(u128::from(number) + 1).to_string();
    let make = |nth: u64| {
        let event = if fails && nth + 1 == records { "failed" } else { "log" };
        let time = begins.plus(Duration::from_hours(nth)).to_string();
        Make::new(event, "retrieval", nth + 1, 0).trace(&id).with("timestamp", time).record()
    };
    (0..records).map(make).collect()
}

/// Returns the number of rows of each trace, in the logs and in the archive.
async fn rows_by_trace(place: &TestStore, traces: u64) -> BTreeMap<u64, (i64, i64)> {
    let mut found = BTreeMap::new();
    for number in 0..traces {
        let id = Uuid::from_u128(u128::from(number) + 1);
        let of = |table: &str| format!("SELECT count(*) FROM {table} WHERE trace_id = '{id}'");
        found.insert(number, (place.number(&of("logs")).await, place.number(&of("logs_archive")).await));
    }
    found
}

async fn a_trace_is_kept_whole_or_goes_whole_also_across_midnight(place: TestStore) {
    // Each trace has six records an hour apart, beginning at 22:00, so it crosses midnight. Every
    // other trace fails after midnight.
    let traces = (0..12).flat_map(|number| {
        let day = u32::try_from(number / 4).expect("small");
        trace(number, at(day, 22), 6, number % 2 == 0)
    });
    let loose = [(0, "ERROR"), (0, "INFO"), (5, "INFO")].map(|(day, level)| {
        let make = Make::new("log", "x", 1, 0).with("trace_id", serde_json::Value::Null).with("level", level);
        make.with("timestamp", at(day, 1).to_string()).record()
    });
    let store = place.holding(traces.chain(loose)).await;
    let retention = Retention::new().days(7).sample(0.0).at(at(9, 1));
    let report = store::retain(&place.url, &retention, |_| {}).await.expect("decided");
    // Days 0 and 1 are older than seven whole days. Traces of day 2 are not, even though records of
    // day 1's traces lie there.
    assert_eq!((report.archived, report.removed), (4, 4), "{report:?}");
    for (number, rows) in rows_by_trace(&place, 12).await {
        let expected = match number {
            8.. => (6, 0),
            failed if failed % 2 == 0 => (0, 6),
            _ => (0, 0),
        };
        assert_eq!(rows, expected, "trace {number}");
    }
    assert_eq!(place.number("SELECT count(*) FROM logs WHERE trace_id IS NULL").await, 1);
    assert_eq!(place.number("SELECT count(*) FROM logs_archive WHERE trace_id IS NULL").await, 1);
    let moved = store.trace(Uuid::from_u128(1).to_string().parse().expect("an id")).await.expect("reads");
    assert_eq!(moved.expect("it is in the archive").logs().len(), 6);
    assert!(store::retain(&place.url, &retention, |_| {}).await.expect("again").days.is_empty());
}

async fn the_archive_has_the_columns_of_the_logs_in_their_order(place: TestStore) {
    place.holding([]).await;
    let columns = |table: &str| {
        if place.is_sqlite() {
            format!("SELECT cid || ' ' || name FROM pragma_table_info('{table}')")
        } else {
            format!(
                "SELECT concat_ws(' ', ordinal_position, column_name, data_type, is_nullable)
                FROM information_schema.columns WHERE table_schema = 'ragtrace' AND table_name = '{table}'"
            )
        }
    };
    let (logs, archive) = (columns("logs"), columns("logs_archive"));
    for (one, other) in [(&logs, &archive), (&archive, &logs)] {
        assert_eq!(place.number(&format!("SELECT count(*) FROM ({one} EXCEPT {other}) AS differing")).await, 0);
    }
    assert!(place.number(&format!("SELECT count(*) FROM ({logs}) AS columns")).await > 30);
}

async fn an_archived_record_is_as_it_was(place: TestStore) {
    let record = Make::new("failed", "retrieval", 1, 0)
        .parent(7)
        .with("timestamp", at(0, 22).to_string())
        .with("session_id", "chat-1")
        .with("local_root", true)
        .with("stack_trace", "at the end")
        .with("context", serde_json::json!({"doc.name": "report.pdf"}))
        .metrics(serde_json::json!({"duration_ms": 1.5, "count": 3}))
        .record();
    let store = place.holding([record.clone()]).await;
    store::retain(&place.url, &Retention::new().at(at(9, 1)), |_| {}).await.expect("decided");
    let found = store.logs(LogFilter::new()).await.expect("reads");
    assert_eq!(found.iter().map(store::LogRow::record).collect::<Vec<_>>(), [&record]);
    let trace = store.trace(record.trace_id().expect("a trace")).await.expect("reads").expect("archived");
    assert_eq!(trace.logs().iter().map(store::LogRow::record).collect::<Vec<_>>(), [&record]);
}

async fn a_late_record_follows_its_trace(place: TestStore) {
    let retention = Retention::new().days(7).sample(0.0).at(at(9, 1));
    place.holding(trace(0, at(0, 1), 3, true).into_iter().chain(trace(1, at(0, 1), 3, false))).await;
    store::retain(&place.url, &retention, |_| {}).await.expect("decided");
    // Late records of the same day and of a later one. The removed trace now turns out to have
    // failed.
    let late = [trace(0, at(0, 9), 1, false), trace(1, at(0, 9), 1, true), trace(0, at(1, 9), 1, false)].concat();
    place.sink().deliver(&batch(late.into_iter().chain(trace(1, at(1, 9), 1, true)))).await.expect("delivered");
    store::retain(&place.url, &retention, |_| {}).await.expect("decided");
    assert_eq!(rows_by_trace(&place, 2).await, BTreeMap::from([(0, (0, 5)), (1, (0, 0))]));
}

async fn the_archive_forgets_a_trace_after_its_last_record(place: TestStore) {
    place.holding(trace(0, at(0, 1), 3, true).into_iter().chain(trace(1, at(0, 23), 4, true))).await;
    let retain = async |now| store::retain(&place.url, &Retention::new().at(now), |_| {}).await.expect("decided");
    retain(at(10, 0)).await;
    assert_eq!(retain(at(30, 2)).await.expired, 0);
    assert_eq!(retain(at(30, 4)).await.expired, 1);
    assert_eq!(rows_by_trace(&place, 2).await, BTreeMap::from([(0, (0, 0)), (1, (0, 4))]));
    assert_eq!(retain(at(31, 3)).await.expired, 1);
}

async fn a_job_that_is_stopped_anywhere_goes_on_where_it_was(place: TestStore) {
    let traces = (0..900_u64).flat_map(|number| trace(number, at(0, 22), 4, number % 3 == 0));
    place.holding(traces).await;
    let retention = Retention::new().days(7).sample(0.0).at(at(9, 1));
    for polls in [3, 10, 25, 60, 120] {
        let mut job = Box::pin(store::retain(&place.url, &retention, |_| {}));
        for _ in 0..polls {
            tokio::select! {
                biased;
                done = &mut job => {
                    done.expect("decided");
                    break;
                }
                () = tokio::time::sleep(Duration::from_micros(300)) => {}
            }
        }
        drop(job);
        // A transaction whose client has gone ends by itself, and its outcome is known only then.
        let halves =
            "SELECT count(*) FROM (SELECT trace_id FROM logs GROUP BY trace_id HAVING count(*) <> 4) AS halves";
        assert_eq!(place.number(halves).await, 0, "a trace is there by halves after {polls} polls");
    }
    let until = std::time::Instant::now() + Duration::from_secs(30);
    while store::retain(&place.url, &retention, |_| {}).await.expect("decided").is_running_elsewhere {
        assert!(std::time::Instant::now() < until, "the lock of a job that was stopped is not given back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(place.number("SELECT count(*) FROM logs").await, 0);
    assert_eq!(place.number("SELECT count(*) FROM logs_archive").await, 300 * 4);
}

async fn two_jobs_at_once_decide_on_everything_once(place: TestStore) {
    place.holding((0..600_u64).flat_map(|number| trace(number, at(0, 22), 4, number % 3 == 0))).await;
    let retention = Retention::new().days(7).sample(0.0).at(at(9, 1));
    let jobs = (0..3).map(|_| store::retain(&place.url, &retention, |_| {}));
    let reports: Vec<_> =
        futures_util::future::join_all(jobs).await.into_iter().map(|job| job.expect("ends")).collect();
    let archived: u64 = reports.iter().map(|job| job.archived).sum();
    assert_eq!(archived, 200, "{reports:?}");
    assert_eq!(place.number("SELECT count(*) FROM logs").await, 0);
    assert_eq!(place.number("SELECT count(*) FROM logs_archive").await, 200 * 4);
}

async fn a_sink_that_is_asked_to_runs_retention_beside_its_deliveries(place: TestStore) {
    let retention = Retention::new().days(7).sample(0.0).at(at(9, 1));
    place.holding((0..300).flat_map(|number| trace(number, at(0, 22), 4, number % 3 == 0))).await;
    let sinks = [place.sink_with(retention), place.sink_with(retention)];
    let old = "SELECT count(*) FROM logs WHERE trace_id IN (SELECT trace_id FROM retention_decisions)";
    let decided = "SELECT count(*) FROM retention_decisions";
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    let mut delivered = 0;
    while place.number(old).await > 0 || place.number(decided).await < 300 {
        assert!(std::time::Instant::now() < deadline, "nobody decides on the old traces");
        for sink in &sinks {
            sink.deliver(&batch(trace(1_000 + delivered, at(9, 0), 2, false))).await.expect("delivered");
            delivered += 1;
        }
    }
    for sink in &sinks {
        sink.close().await;
    }
    assert_eq!(place.number("SELECT count(*) FROM logs_archive").await, 100 * 4);
    let new = i64::try_from(delivered * 2).expect("few");
    assert_eq!(place.number("SELECT count(*) FROM logs").await, new, "what is young stays");
}

async fn a_dry_run_says_what_would_be_done_and_does_nothing(place: TestStore) {
    place.holding((0..10).flat_map(|number| trace(number, at(0, 22), 4, number % 2 == 0))).await;
    let retention = Retention::new().days(7).sample(0.0).at(at(9, 1));
    let said = store::retain(&place.url, &retention.dry_run(true), |_| {}).await.expect("said");
    assert_eq!((said.archived, said.removed), (5, 5));
    assert_eq!(place.number("SELECT count(*) FROM logs").await, 40);
    assert_eq!(place.number("SELECT count(*) FROM logs_archive").await, 0);
    let done = store::retain(&place.url, &retention, |_| {}).await.expect("decided");
    assert_eq!((done.archived, done.removed), (5, 5));
}

async fn a_person_is_erased_everywhere_and_nobody_else(place: TestStore) {
    let of = |number: u64, user: &str| {
        let id = Uuid::from_u128(u128::from(number) + 1).to_string();
        let (start, end) = run("failed", "retrieval", number + 1, (0, 10));
        // The first record has no user, as before a token is read.
        let start = start.with("user_id", serde_json::Value::Null);
        [start, end.with("user_id", user).with("local_root", true)].map(|make| make.trace(&id).record())
    };
    let store = place.holding((0..6).flat_map(|n| of(n, if n % 2 == 0 { "alice" } else { "bob" }))).await;
    // Half of the data is then in the archive.
    let archived = (10..14).flat_map(|n| of(n, if n % 2 == 0 { "alice" } else { "bob" }));
    store::retain(&place.url, &Retention::new().at(at(9, 1)), |_| {}).await.expect("decided");
    let now = archived.map(|record| {
        let json = record.to_json().replace("2026-11-22", "2026-11-23");
        Record::from_json(&json).expect("a record")
    });
    place.sink().deliver(&batch(now)).await.expect("delivered");

    let purge = async |user: &str, dry| {
        let mut last = (0, 0);
        let heard = |so_far: &PurgeReport| last = (so_far.steps_done, so_far.steps);
        let purged = store::purge(&place.url, &Purge::of(user).dry_run(dry), heard).await.expect("purged");
        assert!(last.0 > 0 && last.0 == last.1, "progress ends at its end: {last:?}");
        purged
    };
    let said = purge("alice", true).await;
    assert_eq!((said.logs, said.archived, said.requests), (4, 6, 5));
    assert_eq!(purge("alice' OR '1'='1", false).await.total(), 0);
    assert_eq!(purge("alice", false).await, said);
    assert_eq!(purge("alice", false).await.total(), 0);
    assert_eq!(store.logs(LogFilter::new()).await.expect("reads").len(), 4 + 6);
    assert_eq!(place.number("SELECT count(*) FROM logs_archive").await, 6);
    let left = store.traces(TraceFilter::new()).await.expect("reads");
    assert!(left.len() == 5 && left.iter().all(|request| request.user_id() == Some("bob")), "{left:?}");
}

async fn an_age_beyond_all_time_keeps_everything(place: TestStore) {
    place.holding((0..10).flat_map(|number| trace(number, at(0, 22), 4, number % 2 == 0))).await;
    for days in [740_000, 3_000_000, u32::MAX] {
        let for_ever = Retention::new().archive_days(days).metrics_days(days).sample(0.0).at(at(9, 1));
        let done = store::retain(&place.url, &for_ever, |_| {}).await.expect("retains");
        assert_eq!((done.expired, done.metrics), (0, 0), "{days}");
        let all = for_ever.days(days);
        let done = store::retain(&place.url, &all, |_| {}).await.expect("retains");
        assert_eq!((done.archived, done.removed, done.expired, done.metrics), (0, 0, 0, 0), "{days}");
    }
    assert_eq!(place.number("SELECT count(*) FROM logs_archive").await, 5 * 4);
    assert_eq!(place.number("SELECT count(*) FROM delivered_batches").await, 1);
}
