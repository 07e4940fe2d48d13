//! The bytes that a purge leaves in the files.

use std::path::Path;

use ragtrace::{Record, Sink, Timestamp};
use ragtrace_store as store;
use ragtrace_store::retention::{Purge, Retention};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use crate::support::{BEGIN, File, Make, batch};

/// Returns a unique text of some length, so that rows also take pages of their own.
fn marker(number: usize) -> String {
    format!("marker-of-alice-{number:05}-").repeat(1 + number % 300)
}

/// Returns records of one user, each in a trace of its own, with a text in every possible place.
fn of_user(user: &str, numbers: std::ops::Range<usize>, at: Timestamp) -> Vec<Record> {
    let make = |number: usize| {
        let text =
            if user == "alice" { marker(number) } else { format!("of {user} {number} ").repeat(1 + number % 90) };
        let trace = uuid::Uuid::new_v4().to_string();
        let event = if number.is_multiple_of(3) { "failed" } else { "completed" };
        Make::new(event, "file_parsing", number as u64 + 1, 0)
            .trace(&trace)
            .with("timestamp", at.to_string())
            .with("user_id", if user == "alice" { "marker-of-alice".to_owned() } else { user.to_owned() })
            .with("local_root", true)
            .with("message", &*text)
            .with("session_id", &*text)
            .with("context", serde_json::json!({"query": text}))
            .with("error", serde_json::json!({"type": "E", "message": text, "chain": []}))
            .metrics(serde_json::json!({"duration_ms": 1.0}))
            .record()
    };
    numbers.map(make).collect()
}

/// Returns how often a text is in the bytes of the files of a folder.
fn occurrences(folder: &Path, text: &str) -> usize {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    // Another process counts, since closing a file of SQLite's would end this process's locks on
    // it.
    let count = |path: std::path::PathBuf| {
        let output = std::process::Command::new("grep").arg("-a").arg("-o").arg(text).arg(path).output();
        String::from_utf8_lossy(&output.expect("grep runs").stdout).lines().count()
    };
    entries.map(count).sum()
}

async fn purge(file: &File) -> store::retention::PurgeReport {
    store::purge(&file.url(), &Purge::of("marker-of-alice"), |_| {}).await.expect("purged")
}

#[tokio::test]
async fn a_purge_leaves_no_byte_of_a_person_in_any_file() {
    let file = File::new();
    let sink = file.sink();
    for round in 0..6 {
        let numbers = round * 100..(round + 1) * 100;
        sink.deliver(&batch(of_user("alice", numbers.clone(), BEGIN))).await.expect("delivered");
        sink.deliver(&batch(of_user("bob", numbers, BEGIN))).await.expect("delivered");
    }
    // Retention moves some rows to the archive and deletes others, whose bytes stay in free pages.
    let later = BEGIN.plus(std::time::Duration::from_hours(24 * 10));
    let retention = Retention::new().days(3).archive_days(365).at(later);
    let retained = store::retain(&file.url(), &retention, |_| {}).await.expect("retained");
    assert!(retained.archived > 200 && retained.removed > 200, "{retained:?}");
    sink.deliver(&batch(of_user("alice", 600..900, later))).await.expect("delivered");
    assert!(occurrences(file.folder.path(), "marker-of-alice") > 5_000);
    let dry = Purge::of("marker-of-alice").dry_run(true);
    let would = store::purge(&file.url(), &dry, |_| {}).await.expect("purged");
    // The sink stays open all the time, as in a running program.
    let purged = purge(&file).await;
    assert_eq!((would.total(), would.bytes_remain), (purged.total(), false));
    assert!(purged.archived > 100 && purged.logs >= 300 && purged.requests > 500, "{purged:?}");
    assert!(!purged.bytes_remain);
    assert_eq!(purged.steps_done, purged.steps);
    assert_eq!(occurrences(file.folder.path(), "marker-of-alice"), 0);
    assert!(occurrences(file.folder.path(), "of bob") > 300, "of others all is there");
    sink.deliver(&batch(of_user("bob", 0..10, later))).await.expect("delivered");
    sink.close().await;
    assert_eq!(occurrences(file.folder.path(), "marker-of-alice"), 0);
}

#[tokio::test]
async fn what_retention_deleted_of_a_person_goes_with_a_purge_that_finds_no_row() {
    let file = File::holding(of_user("alice", 1..300, BEGIN)).await;
    let later = BEGIN.plus(std::time::Duration::from_hours(24 * 100));
    let retention = Retention::new().sample(0.0).keep_errors(false).metrics_days(1).at(later);
    store::retain(&file.url(), &retention, |_| {}).await.expect("retained");
    assert!(occurrences(file.folder.path(), "marker-of-alice") > 300);
    assert_eq!(purge(&file).await.total(), 0);
    assert_eq!(occurrences(file.folder.path(), "marker-of-alice"), 0);
}

#[tokio::test]
async fn a_reader_that_holds_the_log_is_told_and_the_next_purge_is_whole() {
    let file = File::holding(of_user("alice", 1..50, BEGIN)).await;
    let mut reader = SqliteConnectOptions::new().filename(file.path()).connect().await.expect("a database");
    let mut held = reader.begin().await.expect("begun");
    let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM logs").fetch_one(&mut *held).await.expect("a number");
    let purged = purge(&file).await;
    assert_eq!(purged.logs, 49);
    assert!(purged.bytes_remain, "the reader sees them still");
    let still: i64 = sqlx::query_scalar("SELECT count(*) FROM logs").fetch_one(&mut *held).await.expect("a number");
    assert_eq!(still, seen);
    held.rollback().await.expect("let go");
    let purged = purge(&file).await;
    assert_eq!((purged.total(), purged.bytes_remain), (0, false));
    assert_eq!(occurrences(file.folder.path(), "marker-of-alice"), 0);
}

#[tokio::test]
async fn logs_that_were_set_aside_are_told_of_since_no_purge_looks_into_them() {
    let file = File::holding(of_user("alice", 1..3, BEGIN)).await;
    assert_eq!(purge(&file).await.logs_set_aside, 0);
    for name in ["ragtrace.db-wal.kept-1", "ragtrace.db-wal.kept-3"] {
        std::fs::write(file.folder.path().join(name), "rows").expect("written");
    }
    assert_eq!(purge(&file).await.logs_set_aside, 2);
}

#[tokio::test]
async fn retention_says_what_is_free_in_the_file_and_gives_it_back_if_asked_to() {
    let file = File::holding(of_user("bob", 0..2_000, BEGIN)).await;
    let len = || std::fs::metadata(file.path()).expect("a file").len();
    let full = len();
    let later = BEGIN.plus(std::time::Duration::from_hours(24 * 100));
    let retention = Retention::new().sample(0.0).keep_errors(false).at(later);
    let report = store::retain(&file.url(), &retention, |_| {}).await.expect("retained");
    assert!(len() >= full && report.free_bytes > full / 2, "{} of {full}: {report:?}", len());
    let dry = store::retain(&file.url(), &retention.shrink(true).dry_run(true), |_| {}).await.expect("retained");
    assert!(len() >= full && dry.free_bytes == report.free_bytes, "a dry run changes nothing");
    let report = store::retain(&file.url(), &retention.shrink(true), |_| {}).await.expect("retained");
    assert_eq!(report.free_bytes, 0);
    assert!(len() < full / 2, "{} of {full}", len());
}
