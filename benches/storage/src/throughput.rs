//! Rows a second, three ways into the same table on the same server.

use std::time::{Duration, Instant};

use ragtrace::{RequestContext, traced_stage};
use ragtrace_sinks::PostgresSink;

use crate::{psql, url};

#[traced_stage(kind = embed, fields(batch, model), ok(|vectors| dimensions = vectors.len() as u64 * 384, cost_usd = 0.000_02))]
pub fn embed_batch(batch: u64, model: &str) -> Vec<u8> {
    vec![0; 16]
}

pub fn run(records: u64) {
    let (ours, cpu) = pipeline(records);
    println!("pipeline          {ours:>9.0} rows/s, {cpu:.2} µs of the application's CPU a record");
    let file = std::env::temp_dir().join(format!("ragtrace-bench-{}.copy", std::process::id()));
    let file_shown = file.display();
    psql(&format!("\\copy (SELECT * FROM logs) TO '{file_shown}' (FORMAT binary)"));
    let mut copies = Vec::new();
    for _ in 0..3 {
        psql("TRUNCATE logs; CHECKPOINT");
        let started = Instant::now();
        psql(&format!("\\copy logs FROM '{file_shown}' (FORMAT binary)"));
        copies.push(records as f64 / started.elapsed().as_secs_f64());
    }
    copies.sort_by(f64::total_cmp);
    println!("psql \\copy        {:>9.0} rows/s (median of {copies:.0?})", copies[1]);
    let mut again = Vec::new();
    for _ in 0..2 {
        psql("TRUNCATE logs; CHECKPOINT");
        again.push(pipeline(records).0);
    }
    again.push(ours);
    again.sort_by(f64::total_cmp);
    println!("pipeline, median  {:>9.0} rows/s (of {again:.0?})", again[1]);
    let each = row_by_row();
    println!("a row at a time   {each:>9.0} rows/s");
    println!("ours / \\copy = {:.2}, ours / a row at a time = {:.1}", again[1] / copies[1], again[1] / each);
    let _ = std::fs::remove_file(file);
}

/// Stages that run, a pipeline that ships them, until all has arrived.
fn pipeline(records: u64) -> (f64, f64) {
    let telemetry = ragtrace::builder()
        .service("bench")
        .console(ragtrace::Console::Off)
        .sink(PostgresSink::new(url()))
        // Room for what four deliveries of 10,000 hold, and for the next ones.
        .queue(ragtrace::QueueLimits::default().with_sink_bytes(256 << 20))
        .install()
        .expect("nothing else is installed");
    // The tables are made ahead, as they would be.
    drop(RequestContext::new().sync_scope(|| embed_batch(0, "warm")));
    telemetry.flush_blocking(Duration::from_secs(30));
    psql("TRUNCATE logs; CHECKPOINT");
    let (started, cpu) = (Instant::now(), cpu_seconds());
    for request in 0..records / 20 {
        let context = RequestContext::new().user_id(format!("user-{}", request % 500)).tenant_id("acme");
        context.request_type("ingest").sync_scope(|| {
            for batch in 0..10 {
                std::hint::black_box(embed_batch(batch, "hashing-384"));
            }
        });
        // A queue that is full drops; this one waits for room instead.
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

/// As the Python stack did it: an INSERT a row, a hundred a transaction.
fn row_by_row() -> f64 {
    const ROWS: u64 = 20_000;
    psql("TRUNCATE logs");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        use sqlx::Connection;
        let url = format!("{}?options=-csearch_path%3Dragtrace", url());
        let mut connection = sqlx::PgConnection::connect(&url).await.expect("connects");
        let started = Instant::now();
        for _ in 0..ROWS / 100 {
            let mut transaction = connection.begin().await.expect("begins");
            for row in 0..100_i64 {
                sqlx::query(
                    "INSERT INTO logs (id, timestamp, trace_id, span_id, local_root, user_id, tenant_id, logger, level,
                        message, event, stage, kind, duration_ms, item_count, context, metrics, source, service, instance)
                    VALUES ($1, now(), $2, '00000000000000ab', true, 'user-1', 'acme', 'bench', 'INFO',
                        'embed_batch_completed', 'completed', 'embed_batch', 'embed', 0.12, $3, $4::text::jsonb,
                        $5::text::jsonb, $6::text::jsonb, 'bench', $2)",
                )
                .bind(uuid::Uuid::new_v4())
                .bind(uuid::Uuid::new_v4())
                .bind(row)
                .bind(r#"{"batch":7,"model":"hashing-384"}"#)
                .bind(r#"{"duration_ms":0.12,"count":16,"dimensions":6144,"cost_usd":0.00002}"#)
                .bind(r#"{"file":"src/throughput.rs","line":12}"#)
                .execute(&mut *transaction)
                .await
                .expect("inserted");
            }
            transaction.commit().await.expect("committed");
        }
        ROWS as f64 / started.elapsed().as_secs_f64()
    })
}

/// User and system time of this process.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or(0.0);
    // Fields 14 and 15 of proc(5), a hundred a second.
    (ticks(11) + ticks(12)) / 100.0
}
