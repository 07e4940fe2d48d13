//! Measures queries over ten days of traces of 20 records.

use std::time::{Duration, Instant};

use ragtrace::Timestamp;
use ragtrace_store::retention::Retention;
use ragtrace_store::{self as store, LogFilter, LogStore, TraceFilter, Window};

use crate::{Line, psql, quantile, url};

const TENANTS: u64 = 10;
const DAYS: u64 = 10;

pub fn run(rows: u64) -> Vec<Line> {
    let started = Instant::now();
    (0..DAYS).for_each(|day| fill(day, rows));
    finish(if rows < 1_000_000 { 1 } else { DAYS });
    eprintln!("filled in {:.0?}", started.elapsed());
    measure_all()
}

/// Measures the queries on existing data: the last part of the benchmark, which can be run
/// separately.
pub fn measure_all() -> Vec<Line> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut lines = vec![Line::new("rows, over ten days", psql("SELECT count(*) FROM logs"))];
        let sizes = psql(SIZES);
        lines.extend(sizes.lines().filter_map(|line| line.split_once(": ")).map(|(what, size)| Line::new(what, size)));
        for role in ["postgres", "tenant_reader"] {
            let store = store::open(&url().replace("postgres@", &format!("{role}@"))).await.expect("opens");
            lines.extend(queries(if role == "postgres" { "owner" } else { "a tenant's reader" }, &store).await);
        }
        let started = Instant::now();
        let report = store::retain(&url(), &Retention::new().days(9).sample(0.1), |_| {}).await.expect("decided");
        let done = format!("{:.1?}: {} traces archived, {} gone", started.elapsed(), report.archived, report.removed);
        lines.push(Line::new("retention of the oldest day, a tenth archived", done));
        let day = psql("SELECT min(tableoid::regclass::text) FROM logs WHERE timestamp < now() - interval '5 days'");
        let started = Instant::now();
        psql(&format!("DROP TABLE {day}"));
        let dropped = format!("{:.0?}, with the start of psql", started.elapsed());
        lines.push(Line::new("dropping a day", dropped).wanted("< 1 s"));
        lines
    })
}

const SIZES: &str = "SELECT 'size of logs, and of its indexes: ' || pg_size_pretty(sum(pg_table_size(inhrelid))) || ', '
        || pg_size_pretty(sum(pg_indexes_size(inhrelid))) FROM pg_inherits WHERE inhparent = 'logs'::regclass;
    SELECT 'of these, ' || regexp_replace(c.relname, '^logs_[0-9]{8}_', '') || ': ' || pg_size_pretty(sum(pg_relation_size(c.oid)))
        FROM pg_inherits h JOIN pg_index i ON i.indrelid = h.inhrelid JOIN pg_class c ON c.oid = i.indexrelid
        WHERE h.inhparent = 'logs'::regclass GROUP BY regexp_replace(c.relname, '^logs_[0-9]{8}_', '');
    SELECT 'size of ' || relname || ', and of its indexes: ' || pg_size_pretty(pg_table_size(oid)) || ', ' || pg_size_pretty(pg_indexes_size(oid))
        FROM pg_class WHERE relnamespace = 'ragtrace'::regnamespace AND relname IN ('request_metrics', 'stage_minutes',
        'stage_hours')";

/// Inserts one of the last ten days of traces with ten stages each. One trace in fifty fails.
pub fn fill(day: u64, rows: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(store::migrate(&url())).expect("made");
    psql("SELECT make_day((now() at time zone 'UTC')::date - d) FROM generate_series(0, 11) d");
    psql(&format!(
            "INSERT INTO logs (id, timestamp, trace_id, span_id, parent_span_id, local_root, request_id, user_id, tenant_id,
                request_type, logger, level, message, event, stage, kind, duration_ms, item_count, context, metrics, error,
                source, service, instance, thread)
            SELECT gen_random_uuid(), began + step * interval '13 milliseconds', trace, lpad(to_hex(step / 2), 16, '0'),
                CASE WHEN step / 2 > 0 THEN lpad('0', 16, '0') END, step / 2 = 0, 'req-' || n, 'user-' || n % 1000,
                'tenant-' || n % {TENANTS}, 'ingest', 'rag.ingestion',
                CASE WHEN fails THEN 'ERROR' ELSE 'INFO' END, 'stage_' || step / 2 || '_x',
                CASE WHEN step % 2 = 0 THEN 'started' WHEN fails THEN 'failed' ELSE 'completed' END, 'stage_' || step / 2,
                'chunk', CASE WHEN step % 2 = 1 THEN random() * 100 END, step,
                jsonb_build_object('doc.name', 'report-' || n || '.pdf'), jsonb_build_object('duration_ms', random(), 'count', step),
                CASE WHEN fails THEN '{{\"type\": \"E\", \"message\": \"overloaded\", \"chain\": []}}'::jsonb END,
                '{{\"file\": \"src/ingest.rs\", \"line\": 7}}', 'rag-api', '00000000-0000-7000-8000-000000000001', 'worker'
            FROM (
                SELECT n, md5(({day} * 10000000 + n)::text)::uuid AS trace,
                    now() - interval '1 day' * ({day} + 1) + n * interval '1 day' / {per_day} AS began
                FROM generate_series(1, {per_day}) n
            ) t, generate_series(0, 19) step, LATERAL (SELECT n % 50 = 0 AND step = 19 AS fails) f",
        per_day = rows / 20 / DAYS
    ));
}

/// Adds the reader's role and the aggregated counts for `days` days to the traces.
pub fn finish(days: u64) {
    psql("CREATE ROLE tenant_reader LOGIN; SELECT allow_reader('tenant_reader', 'tenant-3')");
    psql(&format!(
        "INSERT INTO stage_minutes
        SELECT minute, '00000000-0000-7000-8000-000000000001', 'rag-api', NULL, 'tenant-' || tenant, 'stage_' || stage,
            'chunk', 4, 4, 0, 0, 40, 0.001, 200, jsonb_build_object((200 + tenant)::text, 2, (230 + stage)::text, 2)
        FROM generate_series(date_trunc('minute', now()) - interval '{days} days', now(), '1 minute') minute,
            generate_series(0, {TENANTS} - 1) tenant, generate_series(0, 9) stage;
        INSERT INTO stage_hours
        SELECT date_trunc('hour', minute), tenant_id, stage, kind, sum(runs), sum(completed), sum(failed), sum(cancelled),
            sum(items), sum(cost_usd), sum(duration_ms_sum),
            (SELECT jsonb_object_agg(k, v * 60) FROM (SELECT key AS k, value::bigint AS v FROM jsonb_each_text(min(durations::text)::jsonb)) x)
        FROM stage_minutes GROUP BY 1, 2, 3, 4;
        INSERT INTO request_metrics SELECT timestamp, stage, duration_ms, event, trace_id, user_id, tenant_id FROM logs
        WHERE local_root AND event <> 'started'"
    ));
    psql("VACUUM ANALYZE");
}

/// Measures only `trace(id)`, which changes nothing, so that two versions can alternate.
pub fn measure_traces() -> Vec<Line> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut lines = Vec::new();
        for (role, name) in [("postgres", "owner"), ("tenant_reader", "a tenant's reader")] {
            let store = store::open(&url().replace("postgres@", &format!("{role}@"))).await.expect("opens");
            lines.push(line(name, "trace(id)", traces(&store).await).wanted("p99 ≤ 5 ms"));
        }
        lines
    })
}

async fn traces(store: &LogStore) -> Vec<Duration> {
    let ids = psql(
        "SELECT trace_id FROM request_metrics WHERE tenant_id = 'tenant-3' ORDER BY md5(trace_id::text) LIMIT 2050",
    );
    let mut times = Vec::new();
    for (at, id) in ids.lines().enumerate() {
        let started = Instant::now();
        let trace = store.trace(id.parse().expect("an id")).await.expect("reads").expect("there");
        // The first queries warm up the connection.
        if at >= 50 {
            times.push(started.elapsed());
        }
        assert_eq!(trace.logs().len(), 20);
    }
    times
}

async fn queries(role: &str, store: &LogStore) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut say = |what: &str, times: Vec<Duration>, wanted| lines.push(line(role, what, times).wanted(wanted));
    let day_ago = Timestamp::now().minus(Duration::from_hours(24));
    say("trace(id)", traces(store).await, "p99 ≤ 5 ms");
    let mut times = Vec::new();
    for user in (0..200).map(|n| format!("user-{}", (n * 50 + 3) % 1_000)) {
        let started = Instant::now();
        store.errors(LogFilter::new().user_id(user).since(day_ago)).await.expect("reads");
        times.push(started.elapsed());
    }
    say("errors(user, 24h)", times, "p99 ≤ 50 ms");
    let mut times = Vec::new();
    for _ in 0..30 {
        let started = Instant::now();
        assert_eq!(store.stage_stats(Window::last(Duration::from_hours(24))).await.expect("reads").len(), 10);
        times.push(started.elapsed());
    }
    say("stage_stats(24h)", times, "≤ 100 ms");
    for (what, filter) in [
        ("logs(), newest 1,000", LogFilter::new()),
        ("logs(user), newest 100", LogFilter::new().user_id("user-3").limit(100)),
        ("logs(stage), newest 100", LogFilter::new().stage("stage_3").limit(100)),
    ] {
        let mut times = Vec::new();
        for _ in 0..20 {
            let started = Instant::now();
            store.logs(filter.clone()).await.expect("reads");
            times.push(started.elapsed());
        }
        say(what, times, "");
    }
    let mut times = Vec::new();
    for _ in 0..20 {
        let started = Instant::now();
        assert_eq!(store.traces(TraceFilter::new()).await.expect("reads").len(), 100);
        times.push(started.elapsed());
    }
    say("traces(), newest 100", times, "");
    let mut times = Vec::new();
    for _ in 0..5 {
        let started = Instant::now();
        store.inflight().await.expect("reads");
        times.push(started.elapsed());
    }
    say("inflight()", times, "");
    lines
}

fn line(role: &str, what: &str, mut times: Vec<Duration>) -> Line {
    times.sort_unstable();
    let said = format!("{:.2?}, {:.2?}", quantile(&times, 0.5), quantile(&times, 0.99));
    Line::new(format!("`{what}` as {role}, median and p99"), said)
}
