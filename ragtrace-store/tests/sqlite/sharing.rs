//! Readers and writers of one process, and programs that share its files.
#![cfg(target_os = "linux")]

use std::path::Path;

use ragtrace::Sink;
use ragtrace_store::{self as store, LogFilter, LogStore, SqliteSink};
use sqlx::{Connection, SqliteConnection};

use crate::other_user::{Part, answer, orders, part};
use crate::support::{File, batch, ingestion};

async fn rows(store: &LogStore) -> usize {
    store.logs(LogFilter::new().limit(usize::MAX)).await.expect("reads").len()
}

/// Plays another program, which writes eight rows per order.
async fn play(path: &Path) {
    for _ in orders() {
        let sink = SqliteSink::new(path);
        sink.deliver(&batch(ingestion())).await.expect("written");
        sink.close().await;
        answer("written");
    }
}

/// Returns a copy of a file and its log while it is being written, as in a backup: without shared
/// memory.
async fn backup(with_log: bool) -> File {
    let (original, copy) = (File::new(), File::new());
    let sink = original.sink();
    sink.deliver(&batch(ingestion())).await.expect("written");
    if !with_log {
        sink.close().await;
    }
    for name in ["ragtrace.db", "ragtrace.db-wal"].iter().take(1 + usize::from(with_log)) {
        std::fs::copy(original.folder.path().join(name), copy.folder.path().join(name)).expect("copied");
    }
    copy
}

/// Returns `true` if this process has a lock on a file, according to the system's list.
fn has_lock(path: &Path) -> bool {
    let inode = format!(":{} ", std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(path).expect("is there")));
    let me = format!(" {} ", std::process::id());
    let locks = std::fs::read_to_string("/proc/locks").expect("a list");
    locks.lines().any(|lock| lock.contains("POSIX") && lock.contains(&me) && lock.contains(&inode))
}

#[tokio::test]
async fn a_reader_gives_up_no_lock_of_a_sink_in_its_process() {
    const TEST: &str = "sqlite::sharing::a_reader_gives_up_no_lock_of_a_sink_in_its_process";
    if let Some((_, path)) = part() {
        return play(&path).await;
    }
    for with_log in [true, false] {
        let file = backup(with_log).await;
        let reader = store::open(&file.url()).await.expect("opens");
        assert_eq!(rows(&reader).await, 8);
        let sink = file.sink();
        sink.deliver(&batch(ingestion())).await.expect("written");
        // The files are opened again, and the earlier connections are closed soon.
        assert_eq!(rows(&reader).await, 16);
        for _ in 0..100 {
            assert!(has_lock(&file.path()), "the sink's lock on the file, with a log: {with_log}");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let wal = std::fs::metadata(file.folder.path().join("ragtrace.db-wal")).expect("a log");
        let mut other = Part::start_as_us(TEST, "write", &file.path());
        for _ in 0..3 {
            assert_eq!(other.order("write"), "written");
        }
        other.end();
        let now = std::fs::metadata(file.folder.path().join("ragtrace.db-wal")).expect("the log of the sink stays");
        assert_eq!(std::os::unix::fs::MetadataExt::ino(&now), std::os::unix::fs::MetadataExt::ino(&wal));
        sink.deliver(&batch(ingestion())).await.expect("written");
        sink.close().await;
        assert_eq!(rows(&store::open(&file.url()).await.expect("opens")).await, 6 * 8, "with a log: {with_log}");
    }
}

/// A program in exclusive mode writes a log and has no shared memory, so nobody can share a lock
/// with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_without_shared_memory_is_read_whole_or_not_at_all() {
    let file = File::holding(ingestion()).await;
    let (reads, url) = (tokio::sync::watch::channel(0_usize), file.url());
    let (sender, mut done) = reads;
    let writer = tokio::spawn(async move {
        let mut connection = SqliteConnection::connect(&url).await.expect("a database");
        let mut execute = async |sql: &'static str| sqlx::raw_sql(sql).execute(&mut connection).await.expect("done");
        execute("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0").await;
        let mut written = 8;
        while *done.borrow() < 30 {
            for _ in 0..4 {
                execute(
                    "INSERT INTO logs (id, timestamp, trace_id, local_root, logger, level, message, event, instance)
                    SELECT lower(hex(randomblob(4)) || '-0000-7000-8000-' || hex(randomblob(6))), timestamp, trace_id,
                        local_root, logger, level, hex(randomblob(900)), 'log', instance
                    FROM logs ORDER BY number LIMIT 8",
                )
                .await;
                written += 8;
            }
            execute("PRAGMA wal_checkpoint(RESTART)").await;
            // A reader may succeed before the writer continues.
            let _ = tokio::time::timeout(std::time::Duration::from_millis(300), done.changed()).await;
        }
        connection.close().await.expect("closed");
        written
    });
    let (mut seen, mut successes) = (0, 0);
    for attempt in 1..=30 {
        let read = async { store::open(&file.url()).await?.logs(LogFilter::new().limit(usize::MAX)).await };
        match read.await {
            Ok(rows) => {
                assert!(rows.len() % 8 == 0 && rows.len() >= seen, "{} after {seen}", rows.len());
                (seen, successes) = (rows.len(), successes + 1);
            }
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
        sender.send(attempt).expect("it writes");
    }
    let written = writer.await.expect("no panic");
    assert!(successes > 0);
    assert_eq!(rows(&store::open(&file.url()).await.expect("opens")).await, written);
}
