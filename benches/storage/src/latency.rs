//! Measures the time from a stage's end until its record is visible, at 1,000 records a second.

use std::time::{Duration, Instant};

use ragtrace::RequestContext;
use ragtrace_store::{self as store, PostgresSink};

use crate::throughput::embed_batch;
use crate::{Line, quantile, url};

pub fn run(seconds: u64) -> Vec<Line> {
    let telemetry = ragtrace::builder()
        .service("bench")
        .console(ragtrace::Console::Off)
        .sink(PostgresSink::new(url()))
        .install()
        .expect("nothing else is installed");
    drop(RequestContext::new().sync_scope(|| embed_batch(0, "warm")));
    telemetry.flush_blocking(Duration::from_secs(30));
    let producer = std::thread::spawn(move || {
        let started = Instant::now();
        for run in 0..seconds * 500 {
            RequestContext::new().with_user_id("alice").sync_scope(|| drop(embed_batch(run, "hashing-384")));
            let due = started + Duration::from_millis(2 * run);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut times = runtime.block_on(async {
        let store = store::open(&url()).await.expect("opens");
        let mut cursor = store.tail(None).await.expect("reads").cursor;
        let mut times = Vec::new();
        while !producer.is_finished() {
            let tail = store.tail(Some(cursor)).await.expect("reads");
            let now = ragtrace::Timestamp::now();
            times.extend(tail.rows.iter().filter(|row| row.event().is_end()).map(|row| now.since(row.timestamp())));
            cursor = tail.cursor;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        times
    });
    producer.join().expect("it ends");
    telemetry.shutdown_blocking(Duration::from_secs(10));
    times.sort_unstable();
    let said = format!("{:.0?}, {:.0?}", quantile(&times, 0.5), quantile(&times, 0.99));
    vec![Line::new("from a stage's end to its visibility at 1,000 records/s, median and p99", said)]
}
