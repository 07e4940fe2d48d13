//! How searches are carried out.

use ragtrace::Sink;
use ragtrace_sinks::store;

use super::server::Database;
use crate::cluster::Cluster;
use crate::support::{Make, batch, ingestion};

/// The plan of a statement, with a store that has something in it.
async fn plan(sql: &str) -> String {
    let database = Database::on(Cluster::shared());
    let sink = database.sink();
    for day in 10..20 {
        let records = (0..3_000_u64).map(|at| {
            let event = if at % 100 == 0 { "failed" } else { "log" };
            let time = format!("2026-11-{day}T{:02}:00:00.{at:06}Z", at % 24);
            let trace = uuid::Uuid::from_u128(u128::from(at / 20 + day * 1_000 + 1)).to_string();
            Make::new(event, "retrieval", 1, at).with("timestamp", time).trace(&trace).record()
        });
        sink.deliver(&batch(records)).await.expect("delivered");
    }
    database.sql("ANALYZE logs");
    database.sql(&format!("EXPLAIN {sql}"))
}

#[tokio::test]
async fn filters_use_their_indexes_and_read_the_days_they_name() {
    let by_trace = plan("SELECT * FROM logs WHERE trace_id = '00000000-0000-0000-0000-000000002774'").await;
    for day in 10..20 {
        assert!(by_trace.contains(&format!("logs_202611{day}_trace_id_idx")), "{by_trace}");
    }
    let errors = plan(
        "SELECT * FROM logs WHERE user_id = 'alice' AND level = ANY ('{ERROR}')
            AND timestamp >= '2026-11-15' AND timestamp < '2026-11-16' ORDER BY timestamp DESC, id DESC LIMIT 1000",
    )
    .await;
    assert!(errors.contains("user_id_timestamp_idx"), "{errors}");
    assert!(errors.contains("logs_20261115") && !errors.contains("logs_20261116"), "one day is read: {errors}");
}

#[tokio::test]
async fn a_tail_misses_no_row_of_a_transaction_that_commits_late() {
    use sqlx::Connection;
    let database = Database::on(Cluster::shared());
    let sink = database.sink();
    sink.deliver(&batch(ingestion())).await.expect("delivered");
    let store = store::open(&database.url()).await.expect("opens");
    let url = format!("{}?options=-csearch_path%3Dragtrace", database.url());
    let mut slow = sqlx::PgConnection::connect(&url).await.expect("connects");
    let mut transaction = slow.begin().await.expect("begins");
    let insert = "INSERT INTO logs (id, timestamp, local_root, logger, level, message, event, instance)
        VALUES (gen_random_uuid(), '2026-11-22', false, 'x', 'INFO', 'late', 'log', gen_random_uuid())";
    sqlx::raw_sql(insert).execute(&mut *transaction).await.expect("inserts");
    let cursor = store.tail(None).await.expect("reads").cursor;
    sink.deliver(&batch(ingestion())).await.expect("delivered");
    let tail = store.tail(Some(cursor)).await.expect("reads");
    assert_eq!(tail.rows.len(), 8, "what is committed is there at once");
    transaction.commit().await.expect("commits");
    let tail = store.tail(Some(tail.cursor)).await.expect("reads");
    assert_eq!(tail.rows.len(), 1);
    assert_eq!(tail.rows[0].message(), "late");
    assert_eq!(store.tail(Some(tail.cursor)).await.expect("reads").rows, []);
}

#[tokio::test]
async fn what_is_no_store_says_what_to_do() {
    let database = Database::on(Cluster::shared());
    let error = store::open(&database.url()).await.expect_err("empty");
    assert!(error.is_not_a_store() && error.to_string().contains("ragtrace migrate"), "{error}");
    let error = store::open("postgres://postgres@127.0.0.1:1/x").await.expect_err("nobody there");
    assert!(error.is_retryable(), "{error}");
    database.sink().deliver(&batch([])).await.expect("the tables are made");
    database.sql("UPDATE ragtrace_migrations SET version = 0");
    let error = store::open(&database.url()).await.expect_err("too old");
    assert!(error.is_schema_mismatch() && error.to_string().contains("run `ragtrace migrate`"), "{error}");
}
