//! Importing records, some of which are stored already.

use ragtrace::{Record, Sink};
use ragtrace_store::retention::Retention;
use ragtrace_store::{self as store, LogStore, TraceFilter, Window};
use serde_json::json;

use super::server::Database;
use crate::cluster::Cluster;
use crate::support::{BEGIN, Make, batch, ingestion};

/// Returns runs of a local root, with a line outside of any trace after each.
fn runs(numbers: std::ops::Range<u64>) -> Vec<Record> {
    let run = |number: u64| {
        let end = Make::new("completed", "answer", number + 1, number)
            .trace(&uuid::Uuid::from_u128(u128::from(number) + 1).to_string())
            .with("id", uuid::Uuid::from_u128(u128::from(number) + 1_000).to_string())
            .with("local_root", true)
            .with("instance", uuid::Uuid::from_u128(u128::from(number % 2) + 7).to_string())
            .metrics(json!({"duration_ms": 5, "count": 2}));
        let line = Make::new("log", "answer", 1, number)
            .with("id", uuid::Uuid::from_u128(u128::from(number) + 50_000).to_string())
            .with("trace_id", serde_json::Value::Null);
        [end.record(), line.record()]
    };
    numbers.flat_map(run).collect()
}

/// Imports records as the command does, and returns how many were stored before.
async fn import(database: &Database<'_>, store: &LogStore, records: Vec<Record>) -> usize {
    let missing = store.missing(records).await.expect("it can be asked");
    let sink = database.sink();
    for batch in &missing.batches {
        sink.deliver(batch).await.expect("delivered");
    }
    missing.stored
}

async fn counts(store: &LogStore) -> (usize, u64) {
    let window = Window::new(BEGIN, BEGIN.plus(std::time::Duration::from_hours(1)));
    let runs = store.stage_stats(window).await.expect("reads").iter().map(ragtrace_store::StageStats::runs).sum();
    (store.traces(TraceFilter::new().limit(10_000)).await.expect("reads").len(), runs)
}

#[tokio::test]
async fn an_import_stores_and_counts_each_record_once() {
    let cluster = Cluster::start("");
    let database = Database::on(&cluster);
    store::migrate(&database.url()).await.expect("made");
    let store = store::open(&database.url()).await.expect("opens");
    assert_eq!(import(&database, &store, runs(0..30)).await, 0);
    assert_eq!(counts(&store).await, (30, 30));
    // Overlapping, in another order, and a record twice.
    let mut all = runs(0..50);
    all.reverse();
    all.extend(runs(49..50));
    assert_eq!(import(&database, &store, all.clone()).await, 62);
    assert_eq!(counts(&store).await, (50, 50));
    assert_eq!(import(&database, &store, all).await, 102);
    assert_eq!(counts(&store).await, (50, 50));
    assert_eq!(store.logs(ragtrace_store::LogFilter::new()).await.expect("reads").len(), 100);
}

#[tokio::test]
async fn what_a_process_counted_itself_is_not_counted_by_an_import() {
    let cluster = Cluster::start("");
    let database = Database::on(&cluster);
    let sink = database.sink();
    // Each call makes records with other ids.
    let records = ingestion();
    sink.deliver(&batch(records.clone())).await.expect("delivered");
    let store = store::open(&database.url()).await.expect("opens");
    let before = counts(&store).await;
    assert_eq!(before, (1, 4));
    assert_eq!(import(&database, &store, records.clone()).await, 8);
    // The archive is looked into too, and the counts outlive the records.
    let retention = Retention::new().days(0).archive_days(36_500);
    store::retain(&database.url(), &retention, |_| {}).await.expect("archived");
    assert_eq!(import(&database, &store, records.clone()).await, 8);
    database.sql("DELETE FROM logs_archive");
    assert_eq!(import(&database, &store, records).await, 0);
    assert_eq!(counts(&store).await, before);
}
