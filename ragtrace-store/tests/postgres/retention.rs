//! Retention and purge during everything that may interfere.

use std::time::Duration;

use ragtrace::{Record, Sink, Timestamp};
use ragtrace_store::retention::{Purge, Retention};
use ragtrace_store::{self as store, StoreError};
use sqlx::Connection;

use super::proxy::{Cut, Proxy};
use super::server::{Database, until_delivered};
use crate::cluster::Cluster;
use crate::support::{BEGIN, Make, batch};

/// Returns traces of four records an hour apart from 22:00, so across midnight. Every third trace
/// fails.
fn crossing(traces: std::ops::Range<u64>) -> Vec<Record> {
    let record = |trace: u64, nth: u64| {
        let event = if trace.is_multiple_of(3) && nth == 3 { "failed" } else { "log" };
        let midnight = BEGIN.as_micros().div_euclid(86_400_000_000) * 86_400_000_000;
        let at = Timestamp::from_micros(midnight).plus(Duration::from_hours(22 + nth));
        let id = uuid::Uuid::from_u128(u128::from(trace) + 1).to_string();
        Make::new(event, "retrieval", nth + 1, 0).trace(&id).with("timestamp", at.to_string()).record()
    };
    traces.flat_map(|trace| (0..4).map(move |nth| record(trace, nth))).collect()
}

fn ten_days_later() -> Retention {
    Retention::new().sample(0.0).at(BEGIN.plus(Duration::from_hours(240)))
}

/// Asserts that every trace is whole in one of the tables, or removed completely.
fn no_halves(database: &Database<'_>, when: &str) {
    let halves = "SELECT count(*) FROM (SELECT trace_id FROM (SELECT trace_id FROM logs UNION ALL
        SELECT trace_id FROM logs_archive) rows GROUP BY trace_id HAVING count(*) <> 4) AS halves";
    assert_eq!(database.number(halves), 0, "{when}");
    let both = "SELECT count(*) FROM logs l JOIN logs_archive a USING (id)";
    assert_eq!(database.number(both), 0, "{when}");
}

#[tokio::test]
async fn a_job_whose_connection_is_cut_at_any_step_goes_on_where_it_was() {
    let cluster = Cluster::shared();
    let database = Database::on(cluster);
    database.sink().deliver(&batch(crossing(0..60))).await.expect("delivered");
    let proxy = Proxy::to(cluster.port()).await;
    let url = format!("postgres://postgres@{}/{}", proxy.address, database.name);
    for point in [
        "pg_try_advisory_xact_lock",
        "pg_inherits",
        "SELECT DISTINCT trace_id FROM logs",
        "INSERT INTO retention_decisions",
        "INSERT INTO logs_archive",
        "DELETE FROM logs",
        "COMMIT",
        "LOCK TABLE",
        "DROP TABLE",
        "DELETE FROM request_metrics",
    ] {
        for cut in [Cut::Before(point), Cut::After(point)] {
            proxy.cut(cut);
            let job = store::retain(&url, &ten_days_later(), |_| {}).await;
            // If the server has not released a lock yet, or the step was done before, the
            // connection was not cut.
            assert!(job.is_err() || !proxy.is_cut(), "{cut:?}: {job:?}");
            assert!(job.as_ref().err().is_none_or(StoreError::is_retryable), "{cut:?}: {job:?}");
            no_halves(&database, &format!("{cut:?}"));
        }
    }
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while store::retain(&database.url(), &ten_days_later(), |_| {}).await.expect("decided").is_running_elsewhere {
        assert!(std::time::Instant::now() < deadline, "the lock of a job that was cut is not given back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(database.number("SELECT count(*) FROM logs"), 0);
    assert_eq!(database.number("SELECT count(*) FROM logs_archive"), 20 * 4);
}

#[tokio::test]
async fn a_day_that_somebody_reads_is_dropped_later_and_writers_do_not_wait_for_it() {
    let database = Database::on(Cluster::shared());
    let sink = database.sink();
    sink.deliver(&batch(crossing(0..9))).await.expect("delivered");
    let mut reader = sqlx::PgConnection::connect(&database.url()).await.expect("connects");
    let mut reading = reader.begin().await.expect("begins");
    sqlx::raw_sql("SELECT count(*) FROM ragtrace.logs").execute(&mut *reading).await.expect("reads");
    let url = database.url();
    let job = tokio::spawn(async move { store::retain(&url, &ten_days_later(), |_| {}).await });
    let waits = "SELECT count(*) FROM ragtrace.retention_decisions";
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while database.number(waits) == 0 {
        assert!(std::time::Instant::now() < deadline, "the job decides nothing");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for _ in 0..5 {
        let now = Make::new("log", "x", 1, 0).with("timestamp", Timestamp::now().to_string());
        sink.deliver(&batch([now.with("trace_id", uuid::Uuid::new_v4().to_string()).record()]))
            .await
            .expect("delivered");
    }
    assert!(!job.is_finished(), "somebody reads the day still");
    reading.commit().await.expect("ends");
    let report = job.await.expect("ends").expect("decided");
    assert_eq!((report.archived, report.removed), (3, 6));
    assert_eq!(database.number("SELECT count(*) FROM logs"), 5);
}

#[tokio::test]
async fn a_schema_of_its_own_has_a_job_of_its_own() {
    let database = Database::on(Cluster::shared());
    let other = format!("{}?schema=other", database.url());
    for url in [&database.url(), &other] {
        ragtrace_store::PostgresSink::new(url).deliver(&batch(crossing(0..3))).await.expect("delivered");
    }
    // Another session holds the lock of one of them.
    let mut holder = sqlx::PgConnection::connect(&database.url()).await.expect("connects");
    let lock = "SET search_path = ragtrace; SELECT pg_advisory_lock(1918986100, hashtext(current_schema()))";
    sqlx::raw_sql(lock).execute(&mut holder).await.expect("held");
    assert!(store::retain(&database.url(), &ten_days_later(), |_| {}).await.expect("says so").is_running_elsewhere);
    assert_eq!(store::retain(&other, &ten_days_later(), |_| {}).await.expect("decided").archived, 1);
}

#[tokio::test]
async fn a_person_is_erased_while_others_and_the_person_go_on() {
    let database = Database::on(Cluster::shared());
    let sink = std::sync::Arc::new(database.sink());
    sink.deliver(&batch([])).await.expect("the tables are made");
    let of = |user: &'static str, trace: u64| {
        let id = uuid::Uuid::from_u128(u128::from(trace) + 1).to_string();
        (0..4).map(move |nth| Make::new("log", "x", nth + 1, nth).trace(&id).with("user_id", user).record())
    };
    let writer = tokio::spawn({
        let sink = std::sync::Arc::clone(&sink);
        async move {
            for round in 0..120_u64 {
                let records = (0..8).flat_map(|n| of(if n % 2 == 0 { "alice" } else { "bob" }, round * 8 + n));
                until_delivered(&*sink, &batch(records)).await;
            }
        }
    });
    while !writer.is_finished() {
        store::purge(&database.url(), &Purge::of("alice"), |_| {}).await.expect("purged");
    }
    writer.await.expect("all is written");
    store::purge(&database.url(), &Purge::of("alice"), |_| {}).await.expect("purged");
    assert_eq!(database.number("SELECT count(*) FROM logs WHERE user_id = 'alice'"), 0);
    assert_eq!(database.number("SELECT count(*) FROM logs WHERE user_id = 'bob'"), 120 * 4 * 4);
}
