//! Measures the rows a second of several ways of writing to the same table on the same server.

use std::time::{Duration, Instant};

use ragtrace::{RequestContext, traced_stage};
use ragtrace_store::PostgresSink;

use crate::{Line, psql, url, write_methods};

#[traced_stage(kind = embed, fields(batch, model), ok(|vectors| dimensions = vectors.len() as u64 * 384, cost_usd = 0.000_02))]
pub fn embed_batch(batch: u64, model: &str) -> Vec<u8> {
    vec![0; 16]
}

/// A request of twenty records: a root stage and nine stages inside it.
#[traced_stage(kind = pipeline, fields(document))]
pub fn ingest(document: &str) {
    for batch in 0..9 {
        std::hint::black_box(embed_batch(batch, "hashing-384"));
    }
}

pub fn run(records: u64) -> Vec<Line> {
    let (first, cpu) = pipeline(records);
    let file = std::env::temp_dir().join(format!("ragtrace-bench-{}.copy", std::process::id()));
    let shown = file.display();
    psql(&format!("\\copy (SELECT * FROM logs) TO '{shown}' (FORMAT binary)"));
    let mut copies = Vec::new();
    for _ in 0..3 {
        psql("TRUNCATE logs; CHECKPOINT");
        let started = Instant::now();
        psql(&format!("\\copy logs FROM '{shown}' (FORMAT binary)"));
        copies.push(records as f64 / started.elapsed().as_secs_f64());
    }
    let mut ours = vec![first];
    for _ in 0..2 {
        psql("TRUNCATE logs; CHECKPOINT");
        ours.push(pipeline(records).0);
    }
    let (methods, row_by_row) = write_methods::run(&file);
    let _ = std::fs::remove_file(file);
    let (all_ours, all_copies) = (format!("{ours:.0?}"), format!("{copies:.0?}"));
    let (ours, copy) = (median(&mut ours), median(&mut copies));
    let mut lines = vec![
        Line::new(format!("{records} records by the pipeline, rows/s"), format!("{ours:.0} of {all_ours}")),
        Line::new("the same by `psql \\copy`, rows/s", format!("{copy:.0} of {all_copies}")),
        Line::new("the same a row at a time, 100 a transaction, rows/s", format!("{row_by_row:.0}")),
        Line::new("pipeline / `\\copy`", format!("{:.2}", ours / copy)).wanted("≥ 0.9"),
        Line::new("pipeline / a row at a time", format!("{:.1}", ours / row_by_row)).wanted("≥ 15"),
        Line::new("the application's CPU a record", format!("{cpu:.2} µs")),
    ];
    lines.extend(methods);
    lines
}

/// Measures only the pipeline.
pub fn measure_pipeline(records: u64) -> Vec<Line> {
    let (speed, cpu) = pipeline(records);
    vec![Line::new(
        format!("{records} records by the pipeline, rows/s, CPU a record"),
        format!("{speed:.0}, {cpu:.2} µs"),
    )]
}

fn median(speeds: &mut [f64]) -> f64 {
    speeds.sort_by(f64::total_cmp);
    speeds[speeds.len() / 2]
}

/// Runs stages and a pipeline that delivers their records, until all have arrived. Returns the rows
/// a second and the CPU time per record in microseconds.
fn pipeline(records: u64) -> (f64, f64) {
    let telemetry = ragtrace::builder()
        .service("bench")
        .console(ragtrace::Console::Off)
        .sink(PostgresSink::new(url()).connections(std::env::var("CONNS").map_or(4, |c| c.parse().unwrap())))
        // Enough memory for the records in four deliveries of 10,000 and for the next ones.
        .queue(ragtrace::QueueLimits::default().with_sink_bytes(256 << 20))
        .install()
        .expect("nothing else is installed");
    // Creates the tables before the measurement.
    drop(RequestContext::new().sync_scope(|| embed_batch(0, "warm")));
    telemetry.flush_blocking(Duration::from_secs(30));
    psql("TRUNCATE logs; CHECKPOINT");
    let (started, cpu) = (Instant::now(), cpu_seconds());
    for request in 0..records / 20 {
        let context = RequestContext::new().with_user_id(format!("user-{}", request % 500)).with_tenant_id("acme");
        context.with_request_type("ingest").sync_scope(|| ingest("report.pdf"));
        // A full queue drops entries, so this waits until there is room.
        while request % 64 == 0 && request * 20 > telemetry.stats().sinks[0].delivered + 90_000 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let report = telemetry.shutdown_blocking(Duration::from_secs(120));
    let (took, cpu) = (started.elapsed(), cpu_seconds() - cpu);
    assert!(report.complete, "{report}");
    assert_eq!(psql("SELECT count(*) FROM logs"), records.to_string(), "{report}");
    (records as f64 / took.as_secs_f64(), cpu * 1e6 / records as f64)
}

/// Returns the user and system time of this process in seconds.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or(0.0);
    // Fields 14 and 15 of proc(5), in hundredths of a second.
    (ticks(11) + ticks(12)) / 100.0
}
