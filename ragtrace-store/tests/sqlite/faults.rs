//! The messages of a sink and a store that cannot do their work.

use std::error::Error;
use std::path::Path;

use ragtrace::Sink;
use ragtrace::sink::{SinkError, Verdict};
use ragtrace_store::retention::{Purge, Retention};
use ragtrace_store::{self as store, SqliteSink};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use crate::support::{File, batch, ingestion, reason};

async fn refused(path: &Path) -> SinkError {
    SqliteSink::new(path).deliver(&batch(ingestion())).await.expect_err("refused")
}

async fn execute(file: &File, sql: &str) {
    let options = SqliteConnectOptions::new().filename(file.path()).create_if_missing(true);
    let mut connection = options.connect().await.expect("a database");
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.expect("the statement is good");
    connection.close().await.expect("closes");
}

fn says(error: &(impl Error + 'static), expected: &str) {
    let reason = reason(error);
    assert!(reason.contains(expected), "{reason}\ndoes not say: {expected}");
}

#[tokio::test]
async fn a_missing_folder_parks_the_sink_until_it_is_there() {
    let file = File::new();
    let path = file.folder.path().join("not/there.db");
    let sink = SqliteSink::new(&path);
    let error = sink.deliver(&batch(ingestion())).await.expect_err("refused");
    assert_eq!(error.verdict(), Verdict::Park);
    says(&error, "does not exist: create it");
    std::fs::create_dir(file.folder.path().join("not")).expect("created");
    sink.deliver(&batch(ingestion())).await.expect("delivered once the folder is there");
}

#[tokio::test]
async fn a_path_that_cannot_be_a_file_is_named() {
    let file = File::new();
    says(&refused(file.folder.path()).await, "is a folder: give the path of a file");
    std::fs::write(file.path(), "").expect("written");
    says(&refused(&file.path().join("inside.db")).await, "is not a folder");
    // procfs accepts no files from anybody.
    #[cfg(target_os = "linux")]
    says(&refused(Path::new("/proc/ragtrace.db")).await, "cannot be written");
}

#[tokio::test]
async fn a_file_of_something_else_is_left_alone() {
    let file = File::new();
    let text = "a poem, not a database\n".repeat(100);
    std::fs::write(file.path(), &text).expect("written");
    let error = refused(&file.path()).await;
    assert_eq!(error.verdict(), Verdict::Park);
    says(&error, "is not a SQLite database, or is encrypted");
    assert_eq!(std::fs::read_to_string(file.path()).expect("still there"), text);
    let error = store::open(&file.url()).await.expect_err("not a store");
    assert!(error.is_not_a_store());
    says(&error, "is not a SQLite database");
}

#[tokio::test]
async fn an_applications_own_table_called_logs_is_left_alone() {
    let file = File::new();
    execute(&file, "CREATE TABLE logs (mine TEXT); INSERT INTO logs VALUES ('keep')").await;
    let error = store::open(&file.url()).await.expect_err("not a store");
    assert!(error.is_not_a_store());
    says(&error, "without ragtrace's tables");
    let error = refused(&file.path()).await;
    assert_eq!(error.verdict(), Verdict::Park);
    says(&error, "give ragtrace a file of its own");
    execute(&file, "UPDATE logs SET mine = 'kept'").await;
}

#[tokio::test]
async fn a_file_of_a_newer_version_asks_for_an_upgrade() {
    let file = File::holding(ingestion()).await;
    execute(&file, "INSERT INTO ragtrace_migrations VALUES (9999, 'future', '2030-01-01', true, x'00', 1)").await;
    let error = refused(&file.path()).await;
    assert_eq!(error.verdict(), Verdict::Park);
    says(&error, "newer version of ragtrace: upgrade");
    let error = store::open(&file.url()).await.expect_err("too new");
    assert!(error.is_schema_mismatch());
    says(&error, "upgrade this program");
}

#[tokio::test]
async fn a_file_of_an_older_version_asks_for_a_migration() {
    let file = File::holding(ingestion()).await;
    execute(&file, "DELETE FROM ragtrace_migrations WHERE version > 1").await;
    let error = store::open(&file.url()).await.expect_err("too old");
    assert!(error.is_schema_mismatch());
    says(&error, "run `ragtrace migrate`");
}

#[tokio::test]
async fn a_missing_file_is_not_created_by_reading() {
    let file = File::new();
    let error = store::open(&file.url()).await.expect_err("missing");
    assert!(error.is_missing());
    says(&error, "there is no file");
    assert!(!file.path().exists());
    store::migrate(&file.url()).await.expect("creates it");
    let store = store::open(&file.url()).await.expect("opens");
    assert_eq!(store.latest_trace().await.expect("reads"), None);
}

#[tokio::test]
async fn a_folder_is_told_as_one_where_it_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = store::open(&format!("sqlite:{}", folder.path().display())).await.expect_err("a folder");
    assert!(!error.is_retryable());
    says(&error, "is a folder: give the path of a file");
}

#[tokio::test]
async fn a_file_that_a_program_left_in_the_middle_of_a_change_says_how_to_mend_it() {
    let (file, left) = (File::holding(ingestion()).await, File::new());
    let mut other = SqliteConnectOptions::new().filename(file.path()).connect().await.expect("a database");
    let change = "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; BEGIN IMMEDIATE;
        UPDATE logs SET stack_trace = hex(randomblob(9000)); UPDATE logs SET stack_trace = hex(randomblob(9000))";
    sqlx::raw_sql(change).execute(&mut other).await.expect("changed");
    for name in ["ragtrace.db", "ragtrace.db-journal"] {
        std::fs::copy(file.folder.path().join(name), left.folder.path().join(name)).expect("as it was left");
    }
    let error = store::open(&left.url()).await.expect_err("half changed");
    says(&error, "run `ragtrace migrate`");
    store::migrate(&left.url()).await.expect("taken back");
    let store = store::open(&left.url()).await.expect("opens");
    assert_eq!(store.logs(store::LogFilter::new()).await.expect("reads").len(), 8);
}

#[tokio::test]
async fn a_url_of_no_store_names_what_to_write() {
    for url in ["", "ragtrace.db", "mysql://host/db", "sqlite:", "sqlite://"] {
        let error = store::open(url).await.expect_err("no store");
        assert!(error.is_bad_url(), "{url}");
        says(&error, "write `sqlite:` and a path");
    }
}

#[tokio::test]
async fn another_programs_lock_passes() {
    let file = File::holding(ingestion()).await;
    let options = SqliteConnectOptions::new().filename(file.path());
    let mut other = options.connect().await.expect("a database");
    let lock = other.begin_with("BEGIN IMMEDIATE").await.expect("locked");
    let sink = file.sink();
    let batch = batch(ingestion());
    let mut delivery = Box::pin(sink.deliver(&batch));
    tokio::select! {
        biased;
        early = &mut delivery => panic!("{early:?} although another holds the lock"),
        () = tokio::task::yield_now() => {}
    }
    lock.rollback().await.expect("unlocked");
    delivery.await.expect("delivered once the lock is gone");
}

#[tokio::test]
async fn a_lock_that_another_program_does_not_give_back_passes_whatever_is_asked() {
    let file = File::holding(ingestion()).await;
    let url = file.url();
    let options = SqliteConnectOptions::new().filename(file.path()).pragma("locking_mode", "EXCLUSIVE");
    let mut other = options.connect().await.expect("a database");
    // The lock is held from the first write on.
    sqlx::raw_sql("DELETE FROM stages").execute(&mut other).await.expect("locked");
    let batch = batch(ingestion());
    let sink = file.sink();
    let (open, migrate, retain, purge, delivery) = tokio::join!(
        store::open(&url),
        async { store::migrate(&url).await },
        async { store::retain(&url, &Retention::new(), |_| {}).await.map(drop) },
        async { store::purge(&url, &Purge::of("alice"), |_| {}).await.map(drop) },
        sink.deliver(&batch),
    );
    // A reader needs nobody's lock, since the log shows what is committed.
    let rows = open.expect("opens").logs(store::LogFilter::new()).await.expect("reads");
    assert_eq!(rows.len(), 8);
    for answer in [migrate, retain, purge] {
        let error = answer.expect_err("locked");
        assert!(error.is_retryable(), "{error:?}");
        says(&error, "database is locked");
    }
    assert_eq!(delivery.expect_err("locked").verdict(), Verdict::Retry);
    other.close().await.expect("unlocked");
    store::migrate(&url).await.expect("nobody holds it any more");
}

#[tokio::test]
async fn a_lock_taken_while_a_job_runs_passes() {
    let file = File::holding(ingestion()).await;
    let (url, path) = (file.url(), file.path());
    let lock = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let options = SqliteConnectOptions::new().filename(path);
            let mut other = options.connect().await.expect("a database");
            sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.expect("locked");
            other
        })
    };
    // The file is open when the first report comes, and the lock is taken before the next step.
    let mut other = None;
    let purge = Purge::of("alice");
    let purged = store::purge(&url, &purge, |_| {
        let lock = lock.clone();
        other.get_or_insert_with(|| std::thread::spawn(lock).join().expect("locked"));
    });
    let error = purged.await.expect_err("locked");
    assert!(error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn data_that_the_file_refuses_is_rejected_and_nothing_of_it_stays() {
    let file = File::holding(ingestion()).await;
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON logs WHEN NEW.stage = 'chunk_embedding'
        BEGIN SELECT RAISE(ABORT, 'no such stage here'); END";
    execute(&file, refuse).await;
    let (sink, batch) = (file.sink(), batch(ingestion()));
    let error = sink.deliver(&batch).await.expect_err("refused");
    assert_eq!(error.verdict(), Verdict::Rejected);
    says(&error, "no such stage here");
    execute(&file, "DROP TRIGGER refuse").await;
    sink.deliver(&batch).await.expect("delivered: the ledger had not kept the failed attempt");
    let store = store::open(&file.url()).await.expect("opens");
    assert_eq!(store.logs(store::LogFilter::new()).await.expect("reads").len(), 16);
}

#[tokio::test]
async fn a_file_that_nobody_writes_can_be_read_where_nothing_can_be_made() {
    let file = File::holding(ingestion()).await;
    let mut permissions = std::fs::metadata(file.folder.path()).expect("a folder").permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(file.folder.path(), permissions.clone()).expect("set");
    let rows = store::open(&file.url()).await.expect("opens").logs(store::LogFilter::new()).await.expect("reads");
    assert_eq!(rows.len(), 8);
    #[expect(clippy::permissions_set_readonly_false, reason = "the folder is the test's own, and goes with it")]
    permissions.set_readonly(false);
    std::fs::set_permissions(file.folder.path(), permissions).expect("set");
}
