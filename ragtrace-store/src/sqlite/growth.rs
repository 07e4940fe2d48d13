//! Tests how the work of a job grows with its store. The work is counted in steps of SQLite's
//! virtual machine, so that no clock decides.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ragtrace::Timestamp;
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::connect::{Synchronous, for_writing};
use super::purge::erase;
use super::retain::decide_all;
use crate::retention::{Purge, PurgeReport, Retention};

/// 2026-11-22T08:20:11Z, the time of all records.
const THEN: Timestamp = Timestamp::from_micros(1_795_335_611_000_000);

/// The number of steps that are counted at a time.
const COUNTED: i32 = 100;

/// The shapes of a store with a given number of records.
#[derive(Clone, Copy, Debug)]
enum Shape {
    OneTrace,
    /// One trace with all records at the same instant, as from a clock that stands still.
    OneTraceAtOnce,
    TraceEach,
    NoTrace,
}

const SHAPES: [Shape; 4] = [Shape::OneTrace, Shape::OneTraceAtOnce, Shape::TraceEach, Shape::NoTrace];

async fn fill(connection: &mut SqliteConnection, shape: Shape, records: u32) {
    let trace = match shape {
        Shape::OneTrace | Shape::OneTraceAtOnce => "printf('00000000-0000-7000-8000-%012x', 1)",
        Shape::TraceEach => "printf('00000000-0000-7000-8000-%012x', n)",
        Shape::NoTrace => "NULL",
    };
    let time = match shape {
        Shape::OneTraceAtOnce => "'2026-11-22T08:20:11.000000Z'",
        _ => "printf('2026-11-22T08:20:%02d.%06dZ', 11 + n / 1000, n % 1000)",
    };
    let fill = format!(
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {records})
        INSERT INTO logs (id, timestamp, trace_id, span_id, local_root, user_id, logger, level, message, event, stage,
            instance)
        SELECT printf('10000000-0000-7000-8000-%012x', n), {time}, {trace}, printf('%016x', n), 1, 'alice', 'rag', 'INFO',
            'retrieval_completed', 'completed', 'retrieval', '00000000-0000-7000-8000-000000000001'
        FROM numbers;
        INSERT INTO request_metrics (timestamp, operation, status, trace_id, user_id)
        SELECT timestamp, stage, event, coalesce(trace_id, id), user_id FROM logs;
        INSERT INTO stage_minutes
        SELECT timestamp, instance, NULL, NULL, id, stage, NULL, 1, 1, 0, 0, 0, 0, 0, '{{}}' FROM logs;
        INSERT INTO delivered_batches SELECT id, timestamp, 1 FROM logs"
    );
    sqlx::raw_sql(AssertSqlSafe(fill)).execute(connection).await.expect("filled");
}

/// Returns the number of steps that a job takes in a store of its own.
async fn steps(shape: Shape, records: u32, job: impl AsyncFn(&mut SqliteConnection)) -> u64 {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = for_writing(&folder.path().join("ragtrace.db"), Synchronous::Normal).await;
    let mut connection = opened.expect("a fresh file").connection;
    fill(&mut connection, shape, records).await;
    let counter = Arc::new(AtomicU64::new(0));
    let counting = Arc::clone(&counter);
    connection.lock_handle().await.expect("a handle").set_progress_handler(COUNTED, move || {
        counting.fetch_add(1, Ordering::Relaxed);
        true
    });
    job(&mut connection).await;
    counter.load(Ordering::Relaxed)
}

/// Asserts that four times the records take about four times the steps. A little more is allowed,
/// since an index gets a level deeper now and then; quadratic work would take sixteen times the
/// steps.
async fn grows_with_its_records(what: &str, job: impl AsyncFn(&mut SqliteConnection)) {
    for shape in SHAPES {
        let (few, many) = (steps(shape, 2_000, &job).await, steps(shape, 8_000, &job).await);
        assert!(few > 100, "{what} over {shape:?} does something: {few}");
        assert!(many < few * 6, "{what} over {shape:?}: {few} hundred steps, then {many}");
    }
}

fn later(days: u64) -> Retention {
    Retention::new().sample(1.0).at(THEN.plus(Duration::from_hours(24 * days)))
}

async fn decide(connection: &mut SqliteConnection, retention: Retention) {
    decide_all(connection, &retention, &mut |_| {}).await.expect("decided");
}

#[tokio::test]
async fn retention_that_archives_grows_with_its_records() {
    grows_with_its_records("archiving", async |connection| decide(connection, later(10)).await).await;
}

#[tokio::test]
async fn retention_that_removes_grows_with_its_records() {
    grows_with_its_records("removing", async |connection| decide(connection, later(10).sample(0.0)).await).await;
}

#[tokio::test]
async fn a_dry_run_grows_with_its_records() {
    grows_with_its_records("a dry run", async |connection| decide(connection, later(10).dry_run(true)).await).await;
}

#[tokio::test]
async fn the_expiry_of_the_archive_and_of_metrics_grows_with_its_records() {
    let both = async |connection: &mut SqliteConnection| {
        decide(connection, later(10)).await;
        decide(connection, later(200).dry_run(true)).await;
        decide(connection, later(200)).await;
    };
    grows_with_its_records("expiry", both).await;
}

#[tokio::test]
async fn the_erasure_of_a_person_grows_with_their_records() {
    for dry in [true, false] {
        let erase = async |connection: &mut SqliteConnection| {
            let (purge, mut report) = (Purge::of("alice").dry_run(dry), PurgeReport::default());
            erase(connection, &purge, &mut report, &mut |_| {}).await.expect("erased");
            assert!(report.logs >= 2_000, "{report:?}");
        };
        grows_with_its_records("erasure", erase).await;
    }
}
