//! The records that arrive in a store, and how often.

use ragtrace::metrics::{RequestMetric, StageMinute};
use ragtrace::sink::Batch;
use ragtrace::{Origin, Record, Sink};
use ragtrace_store::LogFilter;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::support::{BEGIN, INSTANCE, Make, batch, ingestion};
use crate::test_store::TestStore;

over_both!(
    a_batch_that_is_delivered_again_writes_nothing,
    deliveries_of_one_batch_at_once_write_it_once,
    a_record_that_comes_alone_makes_one_row_whichever_batch_it_comes_in,
    batches_of_any_size_arrive_whole,
    counts_add_up_and_come_without_records_too,
    a_record_comes_back_as_it_was,
    json_that_a_database_cannot_hold_costs_no_record,
    the_catalog_holds_the_stages_of_the_program,
    many_sinks_may_make_the_same_store_at_once,
    a_delivery_that_nobody_waits_for_any_more_does_no_harm,
);

async fn a_batch_that_is_delivered_again_writes_nothing(place: TestStore) {
    let batch = batch(ingestion());
    let sink = place.sink();
    for _ in 0..3 {
        sink.deliver(&batch).await.expect("acknowledged");
    }
    sink.close().await;
    place.sink().deliver(&batch).await.expect("acknowledged by another process too");
    for (table, rows) in [("logs", 8), ("request_metrics", 1), ("delivered_batches", 1), ("instances", 1)] {
        assert_eq!(place.number(&format!("SELECT count(*) FROM {table}")).await, rows, "{table}");
    }
    assert_eq!(place.number("SELECT CAST(sum(runs) AS BIGINT) FROM stage_minutes").await, 4);
}

async fn deliveries_of_one_batch_at_once_write_it_once(place: TestStore) {
    let batch = batch((0..500).flat_map(|_| ingestion()));
    let sinks: Vec<_> = (0..4).map(|_| place.sink()).collect();
    let deliveries = sinks.iter().map(|sink| sink.deliver(&batch));
    for answer in futures_util::future::join_all(deliveries).await {
        answer.expect("acknowledged");
    }
    assert_eq!(place.number("SELECT count(*) FROM logs").await, 4_000);
}

async fn a_record_that_comes_alone_makes_one_row_whichever_batch_it_comes_in(place: TestStore) {
    let records = ingestion();
    let loose = Make::new("log", "x", 1, 5).with("trace_id", Json::Null).record();
    let sink = place.sink();
    sink.deliver(&batch(records.iter().cloned().chain([loose.clone()]))).await.expect("delivered");
    for record in records.iter().chain([&loose]) {
        sink.deliver(&batch([record.clone()])).await.expect("acknowledged");
    }
    assert_eq!(place.number("SELECT count(*) FROM logs").await, 9);
    // The same holds if two deliveries bring it at once, and it was not stored before.
    let new = Make::new("log", "x", 1, 6).record();
    let sinks: Vec<_> = (0..4).map(|_| (place.sink(), batch([new.clone()]))).collect();
    let deliveries = sinks.iter().map(|(sink, batch)| sink.deliver(batch));
    for answer in futures_util::future::join_all(deliveries).await {
        answer.expect("acknowledged");
    }
    assert_eq!(place.number("SELECT count(*) FROM logs").await, 10);
}

async fn batches_of_any_size_arrive_whole(place: TestStore) {
    let sink = place.sink();
    for size in [0, 1, 49, 999, 1_000, 1_001] {
        let records = (0..size).map(|at| Make::new("log", "file_parsing", 1, at).record());
        sink.deliver(&batch(records)).await.expect("delivered");
    }
    assert_eq!(place.number("SELECT count(*) FROM logs").await, 3_050);
}

async fn counts_add_up_and_come_without_records_too(place: TestStore) {
    let origin = Origin::new(INSTANCE.parse().expect("an id")).with_service("rag-api");
    let counted = ingestion();
    for minutes in 0..3 {
        let at = BEGIN.plus(std::time::Duration::from_mins(minutes));
        // Twice in one batch, as when a flush comes in the middle of a minute.
        let minutes = counted.iter().chain(&counted).filter_map(StageMinute::of).collect();
        let requests = counted.iter().filter_map(RequestMetric::of).collect();
        let batch = Batch::new(Uuid::new_v4(), []).with_metrics(requests, minutes).with_origin(origin.clone(), at);
        place.sink().deliver(&batch).await.expect("delivered");
    }
    assert_eq!(place.number("SELECT count(*) FROM logs").await, 0);
    assert_eq!(place.number("SELECT count(*) FROM request_metrics").await, 3);
    let store = place.store().await;
    let stats = store.stage_stats(ragtrace_store::Window::new(BEGIN, BEGIN.plus(HOUR))).await.expect("reads");
    let embedding = stats.iter().find(|stage| stage.stage() == "chunk_embedding").expect("counted");
    assert_eq!((embedding.runs(), embedding.failed(), embedding.items()), (6, 6, 6 * 1_280));
    let p99 = embedding.quantile(0.99).expect("runs").as_secs_f64();
    assert!((p99 / 1.218 - 1.0).abs() < 0.011, "{p99}");
}

const HOUR: std::time::Duration = std::time::Duration::from_hours(1);

async fn a_record_comes_back_as_it_was(place: TestStore) {
    let odd = "'\"; DROP TABLE logs; --\u{1b}[31m \u{202e}𝔘𝔫𝔦\u{fffd} \\u0000 NaN";
    let record = |at: u64| {
        Make::new("completed", "odd", at + 1, at)
            .with("user_id", odd)
            .with("local_root", true)
            .with("stack_trace", odd)
            .with("context", json!({"key \\\"": odd, "flag": true, "nothing": null, "negative": -5}))
            .metrics(json!({"duration_ms": 0.001, "count": 7, "big": 9_007_199_254_740_993_u64, "real": 0.1}))
            .record()
    };
    // Few and many records, which are written in different ways.
    for size in [1, 2_500] {
        let records: Vec<_> = (0..size).map(record).collect();
        place.sink().deliver(&batch(records.clone())).await.expect("delivered");
        let store = place.store().await;
        let filter = LogFilter::new().user_id(odd).limit(usize::try_from(size).expect("small"));
        let rows = store.logs(filter).await.expect("reads");
        let newest = rows.iter().find(|row| row.id() == records[records.len() - 1].id()).expect("there");
        let json = |record: &ragtrace::Record| -> Json { serde_json::from_str(&record.to_json()).expect("JSON") };
        // They are compared as values, since `jsonb` does not keep the order of members.
        assert_eq!(json(newest), json(&records[records.len() - 1]));
    }
}

/// Returns a record with a structured field that contains `json`.
fn structured(json: &str) -> Record {
    let canonical = Make::new("completed", "odd", 1, 0).with("context", json!({"given": "HERE"})).record().to_json();
    let canonical = canonical.replace("\"HERE\"", json);
    Record::from_json(&canonical).expect("a record")
}

async fn json_that_a_database_cannot_hold_costs_no_record(place: TestStore) {
    let (long, longer) = ("9".repeat(131_072), "9".repeat(131_073));
    let given = [
        r#"{"a":"\ud800"}"#,
        r#"["\udc00\ud83d\ude00",{"\uDBFF":"\u0000"}]"#,
        r#"["\ud83d\n\ude00"]"#,
        "[1e131071,1e131072,-1e999999,1e-16383,1e-16384,0e99999]",
        &format!("[{long}]"),
        &format!("[{longer},0.{long}]"),
    ];
    let records: Vec<Record> = given.iter().map(|json| structured(json)).collect();
    let sink = place.sink();
    assert_eq!(sink.deliver(&batch(records.clone())).await.expect("delivered").rejected(), []);
    for again in &records {
        sink.deliver(&batch([again.clone()])).await.expect("acknowledged");
    }
    let rows = place.store().await.logs(LogFilter::new()).await.expect("reads");
    assert_eq!(rows.len(), given.len());
    for row in &rows {
        let context = row.context_json().expect("a field");
        assert!(context.starts_with("{\"given\":") && context.len() > 20, "{context:.100}");
    }
}

#[ragtrace::traced_stage(kind = chunk, fields(note))]
fn noted(note: &str) {}

async fn the_catalog_holds_the_stages_of_the_program(place: TestStore) {
    noted("x");
    let origin = Origin::new(INSTANCE.parse().expect("an id")).with_service("rag-api");
    for _ in 0..2 {
        let batch = batch(ingestion()).with_origin(origin.clone(), BEGIN);
        place.sink().deliver(&batch).await.expect("delivered");
    }
    let stages = place.store().await.stages().await.expect("reads");
    let stage = stages.iter().find(|stage| stage.name() == "noted").expect("it is linked");
    assert_eq!((stage.service(), stage.kind()), (Some("rag-api"), "chunk"));
    let fields: Json = serde_json::from_str(&stage.fields_json()).expect("JSON");
    assert_eq!((&fields[0]["name"], &fields[0]["source"]), (&json!("note"), &json!("fields")));
}

async fn many_sinks_may_make_the_same_store_at_once(place: TestStore) {
    let (sinks, batches): (Vec<_>, Vec<_>) = (0..6).map(|_| (place.sink(), batch(ingestion()))).unzip();
    let deliveries = sinks.iter().zip(&batches).map(|(sink, batch)| sink.deliver(batch));
    for answer in futures_util::future::join_all(deliveries).await {
        answer.expect("delivered");
    }
    assert_eq!(place.number("SELECT count(*) FROM logs").await, 48);
}

async fn a_delivery_that_nobody_waits_for_any_more_does_no_harm(place: TestStore) {
    let sink = place.sink();
    let batches: Vec<Batch> = (0..20).map(|_| batch((0..10).flat_map(|_| ingestion()))).collect();
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
    assert_eq!(place.number("SELECT count(*) FROM logs").await, 20 * 80);
}
