//! Lines that are logged on ragtrace's own threads do not come back as records, under a subscriber
//! of the whole process.

use std::time::Duration;

use ragtrace::sink::{Batch, Delivered, SinkError};
use ragtrace::{Durability, Sink, SpoolLimits, traced_stage};
use ragtrace_sinks::SqliteSink;
use ragtrace_sinks::store::{self, LogFilter};
use ragtrace_tests_tracing::{Kept, finish, quiet, turn};
use sqlx::ConnectOptions;
use tracing_subscriber::prelude::*;

fn subscribe() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| tracing_subscriber::registry().with(ragtrace::layer()).init());
}

#[traced_stage("feedback.work")]
async fn work(connection: &mut sqlx::SqliteConnection) {
    tracing::trace!("before the query");
    sqlx::query("SELECT 1").execute(connection).await.expect("a database");
    tracing::trace!("after the query");
}

#[test]
fn a_sqlite_sink_at_trace_records_the_applications_queries_and_none_of_its_own() {
    let _turn = turn();
    subscribe();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(queries_beside_a_sink());
}

async fn queries_beside_a_sink() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("records.db");
    let builder = quiet().level("trace").spool(folder.path().join("spool"), SpoolLimits::default());
    let builder = builder.durability(Durability::Durable).sink(SqliteSink::new(&path));
    let telemetry = builder.install().expect("the only one");
    // sqlx logs each statement of such a connection on the connection's own thread.
    let options = sqlx::sqlite::SqliteConnectOptions::new().log_statements(log::LevelFilter::Trace);
    let mut connection = options.connect().await.expect("in memory");
    for _ in 0..20 {
        work(&mut connection).await;
        assert!(telemetry.flush(Duration::from_secs(30)).await.complete);
    }
    finish_async(telemetry).await;
    let store = store::open(&format!("sqlite:{}", path.display())).await.expect("it was written");
    let page = store.logs(LogFilter::new().limit(1_000)).await.expect("readable");
    let lines: Vec<_> = page
        .iter()
        .map(|row| (row.logger().to_owned(), row.thread().unwrap_or_default().to_owned(), row.message().into_owned()))
        .collect();
    let of = |logger: &str| lines.iter().filter(|(of, ..)| of == logger).count();
    assert_eq!(of("feedback"), 80, "two starts and ends and two lines each: {lines:?}");
    assert!(of("sqlx::query") >= 20, "{lines:?}");
    for (logger, thread, message) in &lines {
        let is_ours = thread.starts_with("ragtrace") && logger != "ragtrace";
        assert!(!is_ours, "{logger} on {thread}: {message}");
    }
    // Otherwise the lines written by a flush would lead to more in the next one.
    assert!(lines.len() < 400, "{lines:?}");
}

async fn finish_async(telemetry: ragtrace::Telemetry) {
    let report = telemetry.shutdown(Duration::from_secs(30)).await;
    assert!(report.complete, "{report}");
}

/// A sink that logs on each of its threads.
struct Chatty(Kept);

impl Sink for Chatty {
    fn name(&self) -> &'static str {
        "chatty"
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        tracing::error!("on the worker");
        log::error!("to log, on the worker");
        let span = tracing::error_span!("on the worker", of = "a sink");
        let blocking = tokio::task::spawn_blocking(move || {
            span.in_scope(|| tracing::error!("on the worker's blocking pool"));
        });
        blocking.await.expect("it does not panic");
        self.0.deliver(batch).await
    }
}

#[test]
fn a_sink_that_logs_wherever_it_runs_is_not_heard() {
    let _turn = turn();
    subscribe();
    let kept = Kept::default();
    let telemetry = quiet().level("trace").sink(Chatty(kept.clone())).install().expect("the only one");
    for number in 0..5 {
        tracing::info!(number, "of the application's");
        assert!(telemetry.flush_blocking(Duration::from_secs(30)).complete);
    }
    finish(telemetry);
    assert_eq!(kept.messages(), vec!["of the application's"; 5]);
}

#[test]
fn events_in_destructors_of_a_threads_own_values_are_heard_or_not_and_end_nothing() {
    struct Logs;
    impl Drop for Logs {
        fn drop(&mut self) {
            tracing::info!("in a destructor");
            tracing::info_span!("span", of = "a destructor").in_scope(|| tracing::info!("in a span"));
        }
    }
    thread_local!(static LOGS: Logs = const { Logs });
    let _turn = turn();
    subscribe();
    let kept = Kept::default();
    let telemetry = quiet().sink(kept.clone()).install().expect("the only one");
    for logs_first in [true, false] {
        let thread = std::thread::spawn(move || {
            if logs_first {
                tracing::info!("before");
            }
            LOGS.with(|_| ());
            tracing::info!("while it runs");
        });
        thread.join().expect("it does not panic");
    }
    finish(telemetry);
    assert_eq!(kept.messages().iter().filter(|message| *message == "while it runs").count(), 2);
}
