//! Stores with very many records, of one trace or of many: retention and purge over SQLite take
//! small steps, and keep its log short.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ragtrace::Sink;
use ragtrace_store::retention::{Purge, Retention};
use ragtrace_store::{self as store, LogFilter};

use crate::support::{BEGIN, Make, batch};
use crate::test_store::TestStore;

const RECORDS: u32 = 100_000;

/// The largest length of SQLite's log that is accepted, in bytes.
const LONGEST_LOG: u64 = 48 << 20;

/// Fills a SQLite store with records of 700 bytes, and their requests, in this number of traces.
pub(super) async fn fill(place: &TestStore, records: u32, traces: u32) {
    place.holding([]).await;
    let fill = format!(
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {records})
        INSERT INTO logs (id, timestamp, trace_id, span_id, local_root, user_id, tenant_id, request_id, logger, level,
            message, event, stage, kind, duration_ms, context, metrics, source, service, instance)
        SELECT printf('10000000-0000-7000-8000-%012x', n),
            printf('2026-11-22T%02d:%02d:%02d.%06dZ', n / 36000, n / 600 % 60, n / 10 % 60, n % 10 * 100000),
            printf('00000000-0000-7000-8000-%012x', n % {traces} + 1), printf('%016x', n), 0, 'alice', 'acme', 'req-1',
            'rag.ingestion', CASE WHEN n % 1000 < 2 THEN 'ERROR' ELSE 'INFO' END, 'document_chunking_completed',
            'completed', 'document_chunking', 'chunk', 12.5,
            json_object('doc.name', 'report-' || n || '.pdf', 'text', printf('%0300d', n)),
            json_object('duration_ms', 12.5, 'count', n), '{{\"file\":\"src/ingest.rs\",\"line\":41}}', 'rag-api',
            '00000000-0000-7000-8000-000000000001'
        FROM numbers;
        INSERT INTO request_metrics (timestamp, operation, duration_ms, status, trace_id, user_id, tenant_id)
        SELECT max(timestamp), 'ingestion', 12.5, 'completed', trace_id, user_id, tenant_id FROM logs GROUP BY trace_id;
        PRAGMA wal_checkpoint(TRUNCATE)"
    );
    place.execute(&fill).await;
}

/// Watches the length of a SQLite store's log, and writes to the store meanwhile.
struct Watch {
    wal: PathBuf,
    longest: u64,
    began: Instant,
    what: &'static str,
}

impl Watch {
    fn new(place: &TestStore, what: &'static str) -> Self {
        let path = place.url.strip_prefix("sqlite:").expect("a file");
        Self { wal: format!("{path}-wal").into(), longest: 0, began: Instant::now(), what }
    }

    fn look(&mut self) {
        self.longest = self.longest.max(std::fs::metadata(&self.wal).map_or(0, |metadata| metadata.len()));
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            println!("{}: {:.1?}, a log of {} MiB at most", self.what, self.began.elapsed(), self.longest >> 20);
            assert!(self.longest <= LONGEST_LOG, "{}: {} bytes", self.what, self.longest);
        }
    }
}

/// Delivers small batches while a job runs, and returns their number.
async fn writing_beside<T>(place: &TestStore, job: impl Future<Output = T>) -> (T, usize) {
    let (sink, done) = (place.sink(), Arc::new(AtomicBool::new(false)));
    let until = Arc::clone(&done);
    let writer = tokio::spawn(async move {
        // Too recent for everything that is done meanwhile.
        let young = BEGIN.plus(Duration::from_hours(24 * 400)).to_string();
        let mut delivered = 0;
        while !until.load(Ordering::Relaxed) {
            let now = Make::new("log", "x", 1, 0).with("timestamp", &*young).with("user_id", "bob");
            sink.deliver(&batch([now.trace("ffffffff-0000-7000-8000-000000000001").record()]))
                .await
                .expect("delivered");
            delivered += 1;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        sink.close().await;
        delivered
    });
    let answer = job.await;
    done.store(true, Ordering::Relaxed);
    (answer, writer.await.expect("every delivery arrived"))
}

async fn kept_forgotten_and_erased(traces: u32) {
    let place = TestStore::sqlite();
    fill(&place, RECORDS, traces).await;
    let later = |days: u64| Retention::new().sample(1.0).at(BEGIN.plus(Duration::from_hours(24 * days)));
    let retain = async |what, rules: Retention| {
        let mut watch = Watch::new(&place, what);
        let job = store::retain(&place.url, &rules, |_| watch.look());
        let (report, delivered) = writing_beside(&place, job).await;
        assert!(delivered > 10, "{what}: a writer got its turn {delivered} times");
        report.expect("decided")
    };
    let purge = async |what, dry| {
        let mut watch = Watch::new(&place, what);
        let rules = Purge::of("alice").dry_run(dry);
        let job = store::purge(&place.url, &rules, |_| watch.look());
        let (report, _) = writing_beside(&place, job).await;
        report.expect("purged")
    };
    let rows = u64::from(RECORDS);
    let said = retain("a dry run of retention", later(10).dry_run(true)).await;
    assert_eq!((said.archived, said.removed), (u64::from(traces), 0));
    assert_eq!(retain("retention that archives", later(10)).await.archived, u64::from(traces));
    assert_eq!(place.number("SELECT count(*) FROM logs WHERE user_id = 'alice'").await, 0);
    assert_eq!(purge("a dry run of a purge, of the archive", true).await.archived, rows);
    assert_eq!(retain("retention that expires", later(60)).await.expired, u64::from(traces));
    assert_eq!(place.number("SELECT count(*) FROM logs_archive").await, 0);

    place
        .execute("DELETE FROM retention_decisions; DELETE FROM request_metrics; PRAGMA wal_checkpoint(TRUNCATE)")
        .await;
    fill(&place, RECORDS, traces).await;
    let removes = later(10).sample(0.0).keep_errors(false);
    assert_eq!(retain("retention that removes", removes).await.removed, u64::from(traces));

    place
        .execute("DELETE FROM retention_decisions; DELETE FROM request_metrics; PRAGMA wal_checkpoint(TRUNCATE)")
        .await;
    fill(&place, RECORDS, traces).await;
    let said = purge("a dry run of a purge", true).await;
    assert_eq!((said.logs, said.requests), (rows, u64::from(traces)));
    let done = purge("a purge", false).await;
    assert_eq!((done.logs, done.archived, done.requests), (said.logs, said.archived, said.requests));
    assert_eq!(place.number("SELECT count(*) FROM logs WHERE user_id = 'alice'").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_of_very_many_records_is_kept_and_forgotten_in_small_steps() {
    kept_forgotten_and_erased(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn very_many_traces_are_kept_and_forgotten_in_small_steps() {
    kept_forgotten_and_erased(RECORDS).await;
}

#[tokio::test]
async fn a_large_trace_is_there_whole_while_it_is_moved() {
    const FEW: usize = 6_000;
    let place = TestStore::sqlite();
    fill(&place, u32::try_from(FEW).expect("few"), 1).await;
    let store = place.store().await;
    let trace = "00000000-0000-7000-8000-000000000001".parse().expect("an id");
    let retention = Retention::new().at(BEGIN.plus(Duration::from_hours(24 * 10)));
    let mut job = Box::pin(store::retain(&place.url, &retention, |_| {}));
    let mut halfway = 0;
    loop {
        let done = tokio::select! {
            report = &mut job => Some(report.expect("decided")),
            () = tokio::time::sleep(Duration::from_millis(1)) => None,
        };
        let found = store.trace(trace).await.expect("reads").expect("it is there");
        assert_eq!(found.logs().len(), FEW);
        let errors = store.errors(LogFilter::new()).await.expect("reads");
        assert_eq!(errors.len(), FEW / 500);
        if let Some(report) = done {
            assert_eq!(report.archived, 1);
            break;
        }
        halfway += usize::from(place.number("SELECT count(*) FROM logs").await > 0);
    }
    assert!(halfway > 1, "it was looked at while it was moved");
    assert_eq!(place.number("SELECT count(*) FROM logs").await, 0);
}

#[tokio::test]
async fn a_job_that_is_stopped_in_the_middle_of_a_large_trace_goes_on_there() {
    let place = TestStore::sqlite();
    fill(&place, 20_000, 1).await;
    let retention = Retention::new().at(BEGIN.plus(Duration::from_hours(24 * 10)));
    for steps in [1, 3, 5] {
        let stopped = Arc::new(AtomicBool::new(false));
        let (mut left, stop) = (steps, Arc::clone(&stopped));
        let job = store::retain(&place.url, &retention, move |_| {
            left -= 1;
            stop.fetch_or(left == 0, Ordering::Relaxed);
        });
        let mut job = Box::pin(job);
        while !stopped.load(Ordering::Relaxed) {
            tokio::select! {
                biased;
                done = &mut job => panic!("it has more than {steps} steps: {done:?}"),
                () = tokio::time::sleep(Duration::from_micros(200)) => {}
            }
        }
        drop(job);
    }
    let report = store::retain(&place.url, &retention, |_| {}).await.expect("decided");
    assert_eq!(report.archived, 0, "it was decided on before");
    assert_eq!(place.number("SELECT count(*) FROM logs").await, 0);
    assert_eq!(place.number("SELECT count(*) FROM logs_archive").await, 20_000);
}
