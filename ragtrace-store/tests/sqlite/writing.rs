//! The contents of the file after the sink has written to it.

use ragtrace::Sink;
use ragtrace::sink::Batch;
use ragtrace_store::{self as store, LogFilter};
use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Row, SqliteConnection};

use crate::support::{BEGIN, File, INSTANCE, Make, batch, ingestion, run};

async fn connect(file: &File) -> SqliteConnection {
    SqliteConnectOptions::new().filename(file.path()).connect().await.expect("the file is a database")
}

async fn number(file: &File, sql: &str) -> i64 {
    let sql = AssertSqlSafe(sql.to_owned());
    sqlx::query_scalar(sql).fetch_one(&mut connect(file).await).await.expect("a number")
}

#[tokio::test]
async fn a_batch_that_is_delivered_again_writes_nothing() {
    let file = File::new();
    let batch = batch(ingestion());
    let sink = file.sink();
    for _ in 0..3 {
        sink.deliver(&batch).await.expect("acknowledged");
    }
    sink.close().await;
    file.sink().deliver(&batch).await.expect("acknowledged by another process too");
    assert_eq!(number(&file, "SELECT count(*) FROM logs").await, 8);
    assert_eq!(number(&file, "SELECT count(*) FROM request_metrics").await, 1);
    assert_eq!(number(&file, "SELECT count(*) FROM delivered_batches").await, 1);
    assert_eq!(number(&file, "SELECT records FROM delivered_batches").await, 8);
}

#[tokio::test]
async fn a_record_that_comes_in_two_batches_makes_one_row() {
    let file = File::new();
    let sink = file.sink();
    sink.deliver(&batch(ingestion())).await.expect("delivered");
    let (first, mut second) = (ingestion(), ingestion());
    second.extend(first.clone());
    sink.deliver(&batch(first)).await.expect("delivered");
    sink.deliver(&batch(second)).await.expect("delivered");
    assert_eq!(number(&file, "SELECT count(*) FROM logs").await, 24);
}

#[tokio::test]
async fn batches_of_any_size_arrive_whole() {
    let file = File::new();
    let sink = file.sink();
    for size in [0, 1, 49, 50, 51, 1_000] {
        let records = (0..size).map(|at| Make::new("log", "file_parsing", 1, at).record());
        sink.deliver(&batch(records)).await.expect("delivered");
    }
    assert_eq!(number(&file, "SELECT count(*) FROM logs").await, 1_151);
}

#[tokio::test]
async fn many_writers_may_open_a_fresh_file_at_once() {
    for _ in 0..5 {
        let file = File::new();
        let writers: Vec<_> = (0..12)
            .map(|_| {
                let sink = file.sink();
                std::thread::spawn(move || {
                    let runtime =
                        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                    runtime.block_on(async {
                        for _ in 0..3 {
                            sink.deliver(&batch(ingestion())).await.expect("delivered");
                        }
                        sink.close().await;
                    });
                })
            })
            .collect();
        for writer in writers {
            writer.join().expect("the writer does not panic");
        }
        assert_eq!(number(&file, "SELECT count(*) FROM logs").await, 12 * 3 * 8);
        assert_eq!(number(&file, "SELECT count(*) FROM ragtrace_migrations").await, 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_are_never_locked_out_by_a_writer() {
    let file = File::holding(ingestion()).await;
    let sink = file.sink();
    let writer = tokio::spawn(async move {
        for _ in 0..60 {
            sink.deliver(&batch((0..5).flat_map(|_| ingestion()))).await.expect("delivered");
        }
        sink.close().await;
    });
    let mut rows = 0;
    while !writer.is_finished() {
        let store = store::open(&file.url()).await.expect("opens while the writer writes");
        let seen = store.logs(LogFilter::new().limit(usize::MAX)).await.expect("reads while the writer writes").len();
        assert!(seen >= rows && seen % 8 == 0, "whole batches, and never fewer than before: {seen} after {rows}");
        rows = seen;
        store.latest_trace().await.expect("reads while the writer writes").expect("there is a trace");
    }
    writer.await.expect("the writer does not panic");
}

#[tokio::test]
async fn a_finished_local_root_makes_a_row_of_request_metrics() {
    let child_of_elsewhere = run("completed", "retrieval", 9, (0, 30));
    let open_root = Make::new("started", "ask", 10, 0).with("local_root", true);
    let remote = child_of_elsewhere.1.parent(77).with("local_root", true);
    let file = File::holding(ingestion().into_iter().chain([remote.record(), open_root.record()])).await;
    let rows = sqlx::query("SELECT * FROM request_metrics ORDER BY operation");
    let rows = rows.fetch_all(&mut connect(&file).await).await.expect("rows");
    let texts = |column: &str| rows.iter().map(|row| row.get::<String, _>(column)).collect::<Vec<_>>();
    assert_eq!(texts("operation"), ["ingestion", "retrieval"]);
    assert_eq!(texts("status"), ["failed", "completed"]);
    assert_eq!(texts("user_id"), ["alice", "alice"]);
    assert_eq!(texts("tenant_id"), ["acme", "acme"]);
    assert_eq!(rows.iter().map(|row| row.get("duration_ms")).collect::<Vec<f64>>(), [1_420.0, 30.0]);
}

#[tokio::test]
async fn a_process_is_known_by_its_records_and_ends_with_its_sink() {
    let file = File::new();
    let sink = file.sink();
    sink.deliver(&batch(ingestion())).await.expect("delivered");
    let all = format!("SELECT started_at || ' ' || last_seen_at FROM instances WHERE instance = '{INSTANCE}'");
    let seen: String =
        sqlx::query_scalar(AssertSqlSafe(all)).fetch_one(&mut connect(&file).await).await.expect("a row");
    assert_eq!(seen, format!("{BEGIN} 2026-11-22T08:20:12.420000Z"));
    assert_eq!(number(&file, "SELECT count(*) FROM instances WHERE ended_at IS NULL").await, 1);
    sink.close().await;
    assert_eq!(number(&file, "SELECT count(*) FROM instances WHERE ended_at IS NOT NULL").await, 1);
    let later = Make::new("log", "x", 1, 0).with("timestamp", "2999-01-01T00:00:00.000000Z");
    file.sink().deliver(&batch([later.record()])).await.expect("delivered");
    assert_eq!(number(&file, "SELECT count(*) FROM instances WHERE ended_at IS NULL").await, 1, "it was not its end");
}

#[ragtrace::traced_stage(kind = chunk, fields(note))]
fn noted(note: &str) {}

#[tokio::test]
async fn a_batch_without_records_says_that_its_process_lives_and_carries_counts() {
    let file = File::new();
    let instance: uuid::Uuid = INSTANCE.parse().expect("an id");
    let origin = ragtrace::Origin::new(instance).with_service("rag-api");
    let counts = ingestion();
    for minutes in 0..3 {
        let at = BEGIN.plus(std::time::Duration::from_mins(minutes));
        let minutes = counts.iter().filter_map(ragtrace::metrics::StageMinute::of).collect();
        let requests = counts.iter().filter_map(ragtrace::metrics::RequestMetric::of).collect();
        let batch =
            Batch::new(uuid::Uuid::new_v4(), []).with_metrics(requests, minutes).with_origin(origin.clone(), at);
        file.sink().deliver(&batch).await.expect("delivered");
    }
    assert_eq!(number(&file, "SELECT count(*) FROM logs").await, 0);
    assert_eq!(number(&file, "SELECT count(*) FROM request_metrics").await, 3);
    let lived = "SELECT unixepoch(last_seen_at) - unixepoch(started_at) FROM instances";
    assert_eq!(number(&file, lived).await, 120);
    let of_embedding =
        "SELECT runs * 1000000 + failed * 10000 + items FROM stage_minutes WHERE stage = 'chunk_embedding'";
    assert_eq!(number(&file, of_embedding).await, 3_000_000 + 30_000 + 3 * 1_280);
    let sketched = "SELECT sum(value) FROM stage_minutes, json_each(durations) WHERE stage = 'chunk_embedding'";
    assert_eq!(number(&file, sketched).await, 3);
    noted("x");
    let catalogued = "SELECT count(*) FROM stages WHERE service = 'rag-api' AND name = 'noted'
        AND kind = 'chunk' AND fields ->> '$[0].name' = 'note' AND fields ->> '$[0].source' = 'fields'";
    assert_eq!(number(&file, catalogued).await, 1);
}

#[tokio::test]
async fn odd_texts_and_numbers_come_back_as_they_were() {
    let odd = "\u{0}'\"; DROP TABLE logs; --\u{1b}[31m \u{202e}𝔘𝔫𝔦\u{fffd} NaN";
    let record = Make::new("completed", "odd", 1, 0)
        .with("user_id", odd)
        .with("stack_trace", odd)
        .with("context", json!({"key \u{0}\"": odd, "flag": true, "nothing": null, "negative": -5}))
        .metrics(json!({"duration_ms": 0.001, "count": u64::MAX, "tiny": 1e-300, "big": u64::MAX, "nan": null}))
        .record();
    let file = File::holding([record.clone()]).await;
    let store = store::open(&file.url()).await.expect("opens");
    let rows = store.logs(LogFilter::new().user_id(odd)).await.expect("reads");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].record(), &record);
    assert_eq!(number(&file, "SELECT item_count FROM logs").await, i64::MAX, "clamped in its column alone");
}

#[tokio::test]
async fn a_file_that_is_deleted_under_a_sink_is_made_anew() {
    let file = File::new();
    let sink = file.sink();
    sink.deliver(&batch(ingestion())).await.expect("delivered");
    std::fs::remove_file(file.path()).expect("the file is there");
    sink.deliver(&batch(ingestion())).await.expect("delivered into a new file");
    assert_eq!(number(&file, "SELECT count(*) FROM logs").await, 8);
}

#[tokio::test]
async fn a_delivery_that_is_dropped_half_way_does_no_harm() {
    let file = File::new();
    let sink = file.sink();
    let batches: Vec<Batch> = (0..40).map(|_| batch((0..10).flat_map(|_| ingestion()))).collect();
    for (at, batch) in batches.iter().enumerate() {
        // The delivery is polled some times and then dropped, each time at another point.
        let mut delivery = Box::pin(sink.deliver(batch));
        for _ in 0..at {
            tokio::select! {
                biased;
                _ = &mut delivery => break,
                () = tokio::task::yield_now() => {}
            }
        }
    }
    for batch in &batches {
        sink.deliver(batch).await.expect("delivered");
    }
    assert_eq!(number(&file, "SELECT count(*) FROM logs").await, 40 * 80);
}
