//! The execution of searches.

use ragtrace::Sink;
use ragtrace_store::{self as store, LogFilter};
use sqlx::Connection;

use super::server::Database;
use crate::cluster::Cluster;
use crate::support::{Make, batch, ingestion};

/// Creates a database with ten days of traces of twenty records each.
async fn ten_days(cluster: &Cluster) -> Database<'_> {
    let database = Database::on(cluster);
    let sink = database.sink();
    for day in 10..20 {
        let records = (0..3_000_u64).map(|at| {
            let event = if at % 100 == 0 { "failed" } else { "log" };
            let time = format!("2026-11-{day}T{:02}:00:00.{at:06}Z", at % 24);
            let trace = uuid::Uuid::from_u128(u128::from(at / 20 + day * 1_000 + 1)).to_string();
            let user = format!("user-{}", at % 7);
            Make::new(event, "retrieval", 1, at).with("timestamp", time).with("user_id", user).trace(&trace).record()
        });
        sink.deliver(&batch(records)).await.expect("delivered");
    }
    database.sql("ANALYZE logs");
    database
}

/// The plans are those of the store's own statements, as the server logs them when it runs them.
#[tokio::test]
async fn filters_use_their_indexes_and_read_the_days_they_name() {
    // A trace is found by a function, whose own plan is that of a nested statement.
    let cluster = Cluster::start(
        "-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0 -c auto_explain.log_nested_statements=on",
    );
    let database = ten_days(&cluster).await;
    let store = store::open(&database.url()).await.expect("opens");
    let at = |text: &str| text.parse::<ragtrace::Timestamp>().expect("a time");
    let day = || LogFilter::new().since(at("2026-11-15")).until(at("2026-11-16"));
    let trace: ragtrace::TraceId = "00000000-0000-0000-0000-000000002774".parse().expect("an id");
    let mut read = cluster.log().len();
    let mut plans = || {
        let log = cluster.log();
        let new = log[read..].to_owned();
        read = log.len();
        new
    };
    let days_of = |plans: &str| (10..20).filter(|day| plans.contains(&format!("logs_202611{day}"))).collect::<Vec<_>>();

    assert_eq!(store.trace(trace).await.expect("reads").expect("there").logs().len(), 20);
    let by_trace = plans();
    for day in 10..20 {
        assert!(by_trace.contains(&format!("logs_202611{day}_trace_id_idx")), "{by_trace}");
    }
    assert!(!by_trace.contains("Seq Scan on logs_2026111"), "{by_trace}");
    assert!(by_trace.contains("logs_archive_trace") && !by_trace.contains("Seq Scan on logs_archive"), "{by_trace}");

    assert_eq!(store.logs(LogFilter::new().trace_id(trace)).await.expect("reads").len(), 20);
    let by_filter = plans();
    assert!(by_filter.contains("_trace_id_idx") && !by_filter.contains("Seq Scan on logs_2026111"), "{by_filter}");

    assert_eq!(store.traces_starting_with("00000000-0000-0000-0000-00000000277", 20).await.expect("reads").len(), 16);
    let by_beginning = plans();
    assert!(
        by_beginning.contains("_trace_id_idx") && !by_beginning.contains("Seq Scan on logs_2026111"),
        "{by_beginning}"
    );

    assert_eq!(store.errors(day().user_id("user-3")).await.expect("reads").len(), 4);
    let errors = plans();
    assert!(errors.contains("logs_20261115_left_timestamp_idx"), "{errors}");
    assert_eq!(days_of(&errors), [15], "{errors}");

    for filter in [day().stage("retrieval"), day().tenant_id("acme"), day().request_id("req-1"), day().limit(10)] {
        assert!(!store.logs(filter.clone()).await.expect("reads").is_empty());
        let plans = plans();
        assert_eq!(days_of(&plans), [15], "{filter:?}: {plans}");
    }
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_given_up_and_says_what_to_do() {
    let database = Database::on(Cluster::shared());
    database.sink().deliver(&batch(ingestion())).await.expect("delivered");
    // Another session rebuilds the table, and blocks readers.
    let mut holder = sqlx::PgConnection::connect(&database.url()).await.expect("connects");
    let mut holding = holder.begin().await.expect("begins");
    let lock = "LOCK TABLE ragtrace.logs IN ACCESS EXCLUSIVE MODE";
    sqlx::raw_sql(lock).execute(&mut *holding).await.expect("held");
    let store = store::open(&database.url()).await.expect("opens");
    let error = store.logs(LogFilter::new()).await.expect_err("held up");
    assert!(error.is_retryable() && error.to_string().contains("narrow it, by `since`"), "{error}");
    holding.rollback().await.expect("let go");
    assert_eq!(store.logs(LogFilter::new()).await.expect("reads").len(), 8);
}

#[tokio::test]
async fn a_tail_misses_no_row_of_a_transaction_that_commits_late() {
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
    database.sql("DELETE FROM ragtrace_migrations WHERE version > 1");
    let error = store::open(&database.url()).await.expect_err("too old");
    assert!(error.is_schema_mismatch() && error.to_string().contains("run `ragtrace migrate`"), "{error}");
}
