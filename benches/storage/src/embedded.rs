//! Measures the rows a second written to an SQLite file, which needs no server.

use std::time::{Duration, Instant};

use ragtrace::RequestContext;
use ragtrace_store::SqliteSink;

use crate::Line;
use crate::throughput::ingest;

pub fn run(records: u64) -> Vec<Line> {
    let folder = std::env::temp_dir().join(format!("ragtrace-bench-{}", std::process::id()));
    std::fs::create_dir(&folder).expect("a folder of its own");
    let telemetry = ragtrace::builder()
        .service("bench")
        .console(ragtrace::Console::Off)
        .sink(SqliteSink::new(folder.join("logs.db")))
        .queue(ragtrace::QueueLimits::default().with_sink_bytes(256 << 20))
        .install()
        .expect("nothing else is installed");
    let started = Instant::now();
    for request in 0..records / 20 {
        let context = RequestContext::new().with_user_id(format!("user-{}", request % 500)).with_tenant_id("acme");
        context.with_request_type("ingest").sync_scope(|| ingest("report.pdf"));
        // A full queue drops entries, so this waits until there is room.
        while request % 64 == 0 && request * 20 > telemetry.stats().sinks[0].delivered + 90_000 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let report = telemetry.shutdown_blocking(Duration::from_secs(120));
    let took = started.elapsed();
    assert!(report.complete, "{report}");
    let _ = std::fs::remove_dir_all(folder);
    let speed = format!("{:.0}", records as f64 / took.as_secs_f64());
    vec![Line::new(format!("{records} records by the pipeline into SQLite, rows/s"), speed)]
}
