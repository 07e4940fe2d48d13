//! A file that is moved, replaced or deleted while it is being written.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ragtrace::Sink;
use ragtrace::sink::Verdict;
use ragtrace_store::{self as store, LogFilter, SqliteSink};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use crate::other_user::{Part, answer, orders, part};
use crate::support::{File, Make, batch, ingestion};

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).connect().await.expect("a database")
}

async fn rows(path: &Path) -> i64 {
    let mut connection = connect(path).await;
    let rows = sqlx::query_scalar("SELECT count(*) FROM logs").fetch_one(&mut connection).await.expect("a number");
    connection.close().await.expect("closes");
    rows
}

/// Returns the number of rows in a file alone, without its companions.
async fn rows_without_a_log(path: &Path) -> i64 {
    let elsewhere = tempfile::tempdir().expect("a folder");
    let copy = elsewhere.path().join("copy.db");
    // This process must not copy the file itself, since it would lose its locks on it.
    assert!(Command::new("cp").args([path, &copy]).status().expect("cp runs").success());
    rows(&copy).await
}

async fn deliver(sink: &SqliteSink) {
    sink.deliver(&batch(ingestion())).await.expect("delivered");
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

/// Delivers batches until `is_over` returns `true`, and returns the ids of the batches that were
/// acknowledged.
async fn deliver_until(path: &Path, is_over: impl Fn(usize) -> bool) -> Vec<String> {
    let (sink, mut delivered) = (SqliteSink::new(path), Vec::new());
    while !is_over(delivered.len() / 7) {
        let records: Vec<_> = (0..7).map(|at| Make::new("log", "file_parsing", 1, at).record()).collect();
        let ids: Vec<_> = records.iter().map(|record| record.id().to_string()).collect();
        let batch = batch(records);
        while let Err(error) = sink.deliver(&batch).await {
            assert_eq!(error.verdict(), Verdict::Retry, "{error:?}");
        }
        delivered.extend(ids);
    }
    sink.close().await;
    delivered
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_delivered_is_lost_or_doubled_by_files_that_are_moved_under_load() {
    const TEST: &str = "sqlite::rotation::nothing_delivered_is_lost_or_doubled_by_files_that_are_moved_under_load";
    if let Some((_, path)) = part() {
        return answer(deliver_until(&path, |batches| batches >= 400).await.join(","));
    }
    // Two sinks of one process and two of others.
    let file = File::new();
    let others: Vec<_> = (0..2).map(|_| Part::start_as_us(TEST, "write", &file.path())).collect();
    let over = Arc::new(AtomicBool::new(false));
    let ours: Vec<_> = (0..2)
        .map(|_| {
            let (path, over) = (file.path(), Arc::clone(&over));
            tokio::spawn(async move { deliver_until(&path, |_| over.load(Ordering::Relaxed)).await })
        })
        .collect();
    let mut delivered = Vec::new();
    let others = std::thread::spawn(move || {
        let answers = others.into_iter().map(|mut other| {
            let ids = other.answer();
            other.end();
            ids
        });
        answers.collect::<Vec<_>>()
    });
    let mut files = Vec::new();
    let begun = Instant::now();
    // On a busy machine the others may be done before many files were moved; these sinks go on.
    while !others.is_finished() || (files.len() <= 5 && begun.elapsed() < Duration::from_mins(1)) {
        // The file is moved as soon as there is one. How far the writers are by then is as good as
        // random.
        let to: PathBuf = file.folder.path().join(format!("old-{}.db", files.len()));
        if std::fs::metadata(file.path()).is_ok_and(|metadata| metadata.len() > 100_000)
            && std::fs::rename(file.path(), &to).is_ok()
        {
            files.push(to);
        }
        tokio::task::yield_now().await;
    }
    over.store(true, Ordering::Relaxed);
    for ids in others.join().expect("the others do not panic") {
        delivered.extend(ids.split(',').map(str::to_owned));
    }
    for writer in ours {
        delivered.extend(writer.await.expect("the writer does not panic"));
    }
    assert!(files.len() > 5, "{}", files.len());
    files.extend(Some(file.path()).filter(|path| path.exists()));
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for path in &files {
        let mut connection = connect(path).await;
        let sound: String =
            sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await.expect("asked");
        assert_eq!(sound, "ok", "{}", path.display());
        let ids: Vec<String> =
            sqlx::query_scalar("SELECT id FROM logs").fetch_all(&mut connection).await.expect("rows");
        for id in ids {
            *found.entry(id).or_default() += 1;
        }
    }
    let lost = delivered.iter().filter(|id| !found.contains_key(*id)).count();
    let kept: Vec<_> = names(file.folder.path()).into_iter().filter(|name| name.contains("kept")).collect();
    assert_eq!(lost, 0, "of {} in {} files, beside {kept:?}", delivered.len(), files.len());
    assert!(found.values().all(|times| *times == 1), "each is in one file");
}

#[tokio::test]
async fn a_moved_file_has_what_was_in_the_log_when_the_next_batch_comes() {
    let file = File::new();
    let (sink, old) = (file.sink(), file.folder.path().join("old.db"));
    deliver(&sink).await;
    std::fs::rename(file.path(), &old).expect("moved");
    deliver(&sink).await;
    assert_eq!(rows_without_a_log(&old).await, 8);
    sink.close().await;
    assert_eq!(rows(&file.path()).await, 8);
    assert_eq!(names(file.folder.path()), ["old.db", "ragtrace.db"]);
}

#[tokio::test]
async fn a_moved_file_has_what_was_in_the_log_when_the_sink_is_closed() {
    let file = File::new();
    let (sink, old) = (file.sink(), file.folder.path().join("old.db"));
    deliver(&sink).await;
    std::fs::rename(file.path(), &old).expect("moved");
    sink.close().await;
    assert_eq!(rows_without_a_log(&old).await, 8);
    assert_eq!(names(file.folder.path()), ["old.db"]);
}

#[tokio::test]
async fn a_moved_folder_has_it_all() {
    let file = File::new();
    let (here, there) = (file.folder.path().join("here"), file.folder.path().join("there"));
    std::fs::create_dir(&here).expect("made");
    let sink = SqliteSink::new(here.join("ragtrace.db"));
    deliver(&sink).await;
    std::fs::rename(&here, &there).expect("moved");
    let refused = sink.deliver(&batch(ingestion())).await.expect_err("there is no such folder");
    assert_eq!(refused.verdict(), Verdict::Park, "{refused}");
    assert_eq!(rows_without_a_log(&there.join("ragtrace.db")).await, 8);
    std::fs::create_dir(&here).expect("made");
    deliver(&sink).await;
    sink.close().await;
    assert_eq!(rows(&here.join("ragtrace.db")).await, 8);
}

#[tokio::test]
async fn a_file_that_another_takes_the_place_of_goes_on_in_that() {
    let file = File::new();
    let other = File::holding(ingestion()).await;
    let sink = file.sink();
    deliver(&sink).await;
    std::fs::rename(other.path(), file.path()).expect("replaced");
    deliver(&sink).await;
    sink.close().await;
    assert_eq!(rows(&file.path()).await, 16);
    assert_eq!(names(file.folder.path()), ["ragtrace.db"]);
}

#[tokio::test]
async fn a_deleted_file_is_made_anew() {
    let file = File::new();
    let sink = file.sink();
    for _ in 0..3 {
        deliver(&sink).await;
        std::fs::remove_file(file.path()).expect("deleted");
    }
    deliver(&sink).await;
    sink.close().await;
    assert_eq!(rows(&file.path()).await, 8);
    assert_eq!(names(file.folder.path()), ["ragtrace.db"]);
}

#[tokio::test]
async fn a_link_that_leads_elsewhere_is_followed() {
    let file = File::new();
    let [one, two] = ["one.db", "two.db"].map(|name| file.folder.path().join(name));
    std::os::unix::fs::symlink(&one, file.path()).expect("linked");
    let sink = file.sink();
    deliver(&sink).await;
    std::fs::remove_file(file.path()).expect("deleted");
    std::os::unix::fs::symlink(&two, file.path()).expect("linked");
    deliver(&sink).await;
    sink.close().await;
    assert_eq!((rows_without_a_log(&one).await, rows_without_a_log(&two).await), (8, 8));
}

#[tokio::test]
async fn a_log_that_is_deleted_takes_nothing_along() {
    let file = File::new();
    let sink = file.sink();
    for (round, companion) in (1..).zip(["db-wal", "db-shm", "db-wal"]) {
        deliver(&sink).await;
        std::fs::remove_file(file.path().with_extension(companion)).expect("deleted");
        deliver(&sink).await;
        let store = store::open(&file.url()).await.expect("opens");
        assert_eq!(store.logs(LogFilter::new()).await.expect("reads").len(), round * 16, "{companion}");
    }
    sink.close().await;
    assert_eq!(rows_without_a_log(&file.path()).await, 48);
}

#[tokio::test]
async fn a_file_that_is_cut_after_it_was_copied_goes_on_and_its_log_is_kept() {
    let file = File::new();
    let (sink, copy) = (file.sink(), file.folder.path().join("ragtrace.db.1"));
    deliver(&sink).await;
    // This is what logrotate's `copytruncate` does. This process must not do it itself, since it
    // would lose its locks.
    assert!(Command::new("cp").args([&file.path(), &copy]).status().expect("cp runs").success());
    assert!(Command::new("truncate").arg("--size=0").arg(file.path()).status().expect("truncate runs").success());
    for _ in 0..2 {
        deliver(&sink).await;
    }
    sink.close().await;
    assert_eq!(rows(&file.path()).await, 16);
    assert_eq!(names(file.folder.path()), ["ragtrace.db", "ragtrace.db-wal.kept-1", "ragtrace.db.1"]);
    let kept = file.folder.path().join("ragtrace.db-wal.kept-1");
    std::fs::rename(kept, file.folder.path().join("ragtrace.db.1-wal")).expect("moved");
    assert_eq!(rows(&copy).await, 8, "what the copy had not");
}

#[tokio::test]
async fn a_log_that_a_killed_process_left_is_kept_for_the_file_that_was_moved() {
    const TEST: &str = "sqlite::rotation::a_log_that_a_killed_process_left_is_kept_for_the_file_that_was_moved";
    if let Some((_, path)) = part() {
        let sink = SqliteSink::new(path);
        for _ in orders() {
            deliver(&sink).await;
            answer("written");
        }
        return;
    }
    let file = File::new();
    let old = file.folder.path().join("old.db");
    let mut writer = Part::start_as_us(TEST, "write", &file.path());
    writer.order("write");
    std::fs::rename(file.path(), &old).expect("moved");
    writer.kill();
    let sink = file.sink();
    deliver(&sink).await;
    sink.close().await;
    assert_eq!(rows(&file.path()).await, 8, "what is new, and nothing of the other");
    let kept = file.folder.path().join("ragtrace.db-wal.kept-1");
    std::fs::rename(kept, file.folder.path().join("old.db-wal")).expect("moved");
    assert_eq!(rows(&old).await, 8);
}

#[tokio::test]
async fn a_tail_reads_a_moved_file_to_its_end_and_goes_on_in_the_next() {
    let file = File::new();
    let sink = file.sink();
    deliver(&sink).await;
    let store = store::open(&file.url()).await.expect("opens");
    let cursor = store.tail(None).await.expect("asked").cursor;
    deliver(&sink).await;
    std::fs::rename(file.path(), file.folder.path().join("old.db")).expect("moved");
    let tail = store.tail(Some(cursor)).await.expect("asked");
    assert_eq!(tail.rows.len(), 8, "what was written before it was moved");
    let error = store.tail(Some(tail.cursor.clone())).await.expect_err("nothing is there");
    assert!(error.is_missing(), "{error}");
    deliver(&sink).await;
    let tail = store.tail(Some(tail.cursor)).await.expect("asked");
    assert_eq!(tail.rows.len(), 8, "the new one from its beginning");
    assert_eq!(store.tail(Some(tail.cursor)).await.expect("asked").rows.len(), 0);
    std::fs::remove_file(file.path()).expect("deleted");
    assert!(store.logs(LogFilter::new()).await.expect_err("deleted").is_missing());
}

#[tokio::test]
async fn a_log_that_became_long_is_cut() {
    let file = File::new();
    let sink = file.sink();
    deliver(&sink).await;
    let mut reader = connect(&file.path()).await;
    // A reader that stays on one snapshot holds up the log.
    let held = reader.begin().await.map(|mut held| async move {
        let _: i64 = sqlx::query_scalar("SELECT count(*) FROM logs").fetch_one(&mut *held).await.expect("a number");
        held
    });
    let held = held.expect("begun").await;
    let long = "long ".repeat(2_000);
    let log = file.path().with_extension("db-wal");
    let len = || std::fs::metadata(&log).expect("a log").len();
    while len() < 40 << 20 {
        let records = (0..500).map(|at| Make::new("log", "file_parsing", 1, at).with("message", &*long).record());
        sink.deliver(&batch(records)).await.expect("delivered");
    }
    held.rollback().await.expect("let go");
    for _ in 0..3 {
        deliver(&sink).await;
    }
    assert!(len() <= 24 << 20, "{}", len());
    sink.close().await;
}
