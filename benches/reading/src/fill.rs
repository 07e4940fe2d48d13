//! Fills a store by SQL, with traces over thirty days. The newest twentieth of them has records,
//! ten each, as where retention has removed those of the others.
//!
//! | of the traces | have |
//! | --- | --- |
//! | one in 1,000 | the same user, the same document (`doc.name`), a stage `reranking` |
//! | one in 10 | the same tenant |
//! | 20 | the same session |
//! | one in 50 | failed, with an error |
//! | one in 5,000 | an error about a quota |
//! | one in 10,000 | taken a minute, instead of some seconds |

use std::time::Instant;

use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

/// The share of traces that have records.
const WITH_RECORDS: u64 = 20;
/// The number of traces that one statement inserts.
const STEP: u64 = 500_000;

pub async fn fill(url: &str, traces: u64) {
    let began = Instant::now();
    if url.starts_with("sqlite:") {
        let mut connection = SqliteConnection::connect(url).await.expect("connects");
        let mut run = async |sql: String| {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("the statement is good");
        };
        run("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000".to_owned()).await;
        for (first, past) in parts(traces, STEP) {
            run(requests_in_sqlite(first, past, traces)).await;
        }
        run(records_in_sqlite(traces)).await;
        run("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)".to_owned()).await;
    } else {
        let url = format!("{url}?options=-csearch_path%3Dragtrace");
        let mut connection = PgConnection::connect(&url).await.expect("connects");
        let mut run = async |sql: String| {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("the statement is good");
        };
        run("SELECT make_day((now() AT TIME ZONE 'UTC')::date - d) FROM generate_series(0, 31) d".to_owned()).await;
        for (first, past) in parts(traces, STEP) {
            run(requests_in_postgres(first, past, traces)).await;
        }
        let with_records = traces / WITH_RECORDS;
        for (first, past) in parts(with_records, STEP / 10) {
            run(records_in_postgres(first, past, traces)).await;
        }
        run(counts_in_postgres()).await;
        run("VACUUM ANALYZE".to_owned()).await;
    }
    eprintln!("filled in {:.0?}", began.elapsed());
}

/// Divides numbers into parts, of which the last comes first: it has the oldest traces.
fn parts(number: u64, size: u64) -> impl Iterator<Item = (u64, u64)> {
    (0..number.div_ceil(size)).rev().map(move |part| (part * size, ((part + 1) * size).min(number)))
}

/// Returns a statement that inserts finished traces, of which number 0 is the newest.
fn requests_in_sqlite(first: u64, past: u64, traces: u64) -> String {
    format!(
        "WITH RECURSIVE numbers(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {past}),
        ended(n, at) AS (
            SELECT n, CAST(unixepoch() AS INTEGER) * 1000 - 1000 - n * (30 * 86400000.0 / {traces}) FROM numbers)
        INSERT INTO request_metrics (timestamp, operation, duration_ms, status, trace_id, user_id, tenant_id, session_id)
        SELECT strftime('%Y-%m-%dT%H:%M:%f000Z', at / 1000, 'unixepoch'),
            CASE n % 3 WHEN 0 THEN 'ingestion' ELSE 'ask' END,
            CASE n % 10000 WHEN 7 THEN 60000.0 ELSE 100.0 + n * 7919 % 5000 END,
            CASE WHEN n % 50 = 3 THEN 'failed' WHEN n % 200 = 4 THEN 'cancelled' ELSE 'completed' END,
            printf('%08x-%04x-7000-8000-%012x', CAST(at AS INTEGER) >> 16, CAST(at AS INTEGER) & 65535, n),
            'user-' || (n * 7919 % 1000), 'tenant-' || (n % 10), 'chat-' || (n / 20)
        FROM ended ORDER BY n DESC"
    )
}

fn records_in_sqlite(traces: u64) -> String {
    format!(
        "INSERT INTO logs (id, timestamp, trace_id, span_id, parent_span_id, local_root, user_id, tenant_id, session_id,
            logger, level, message, event, stage, kind, duration_ms, item_count, context, metrics, error, source, service,
            instance)
        SELECT printf('%s-%04x-7000-8000-%012x', substr(trace_id, 1, 8), step, n), timestamp, trace_id, printf('%016x', step / 2 + 1),
            CASE WHEN step < 8 THEN '0000000000000005' END, step > 7, user_id, tenant_id, session_id, 'rag.ask',
            CASE WHEN fails THEN 'ERROR' ELSE 'INFO' END, 'a_stage_ran',
            CASE WHEN step % 2 = 0 THEN 'started' WHEN fails THEN 'failed' ELSE 'completed' END,
            CASE WHEN step < 2 AND n % 1000 = 5 THEN 'reranking' WHEN step > 7 THEN operation ELSE 'stage_' || (step / 2) END,
            CASE WHEN step < 2 THEN 'retrieve' ELSE 'generate' END,
            CASE WHEN step % 2 = 1 THEN duration_ms / 10 END, CASE WHEN step % 2 = 1 THEN n % 9 END,
            json_object('doc.name', 'report-' || (n % 1000) || '.pdf', 'model', 'small-' || (n % 3), 'language', substr('endefr', n % 3 * 2 + 1, 2)),
            CASE WHEN step % 2 = 1 THEN json_object('duration_ms', duration_ms / 10, 'input_tokens', 900, 'cost_usd', 0.002) END,
            CASE WHEN fails THEN json_object('type', 'HttpError', 'message', CASE WHEN n % 5000 = 3
                THEN 'the quota of project ' || n || ' is exceeded' ELSE 'no answer after ' || (n % 90) || ' s' END, 'chain', json_array()) END,
            '{{\"file\":\"src/ask.rs\",\"line\":7}}', 'rag-api', '00000000-0000-7000-8000-000000000001'
        FROM (
            SELECT *, r.number AS row, {traces} - r.number AS n, status = 'failed' AND value IN (7, 9) AS fails, value AS step
            FROM (SELECT * FROM request_metrics ORDER BY timestamp DESC LIMIT {traces} / {WITH_RECORDS}) AS r,
                json_each('[0,1,2,3,4,5,6,7,8,9]')
            ORDER BY r.timestamp, value);
        WITH RECURSIVE minutes(m) AS (SELECT 0 UNION ALL SELECT m + 1 FROM minutes WHERE m < 43200)
        INSERT INTO stage_minutes
        SELECT strftime('%Y-%m-%dT%H:%M:00.000000Z', 'now', '-' || m || ' minutes'), '00000000-0000-7000-8000-000000000001',
            'rag-api', NULL, 'tenant-' || t.value, 'stage_' || s.value, 'generate', 4, 4, 0, 0, 40, 0.001, 200.0,
            '{{\"' || (200 + t.value) || '\":2,\"' || (230 + s.value) || '\":2}}'
        FROM minutes, json_each('[0,1,2]') t, json_each('[0,1,2,3,4]') s"
    )
}

/// Returns a statement that inserts finished traces, of which number 0 is the newest.
fn requests_in_postgres(first: u64, past: u64, traces: u64) -> String {
    format!(
        "INSERT INTO request_metrics (timestamp, operation, duration_ms, status, trace_id, user_id, tenant_id, session_id)
        SELECT to_timestamp(ms / 1000.0), CASE n % 3 WHEN 0 THEN 'ingestion' ELSE 'ask' END,
            CASE n % 10000 WHEN 7 THEN 60000.0 ELSE 100.0 + n * 7919 % 5000 END,
            CASE WHEN n % 50 = 3 THEN 'failed' WHEN n % 200 = 4 THEN 'cancelled' ELSE 'completed' END,
            (lpad(to_hex(ms), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
            'user-' || n * 7919 % 1000, 'tenant-' || n % 10, 'chat-' || n / 20
        FROM (
            SELECT n, (extract(epoch FROM date_trunc('minute', now())) * 1000 - n * (30 * 86400000.0 / {traces}))::bigint AS ms
            FROM generate_series({first}::bigint, {past} - 1) n) t
        ORDER BY n DESC"
    )
}

/// Returns a statement that inserts the records of traces.
fn records_in_postgres(first: u64, past: u64, traces: u64) -> String {
    format!(
        "INSERT INTO logs (id, timestamp, trace_id, span_id, parent_span_id, local_root, user_id, tenant_id, session_id,
            logger, level, message, event, stage, kind, duration_ms, item_count, context, metrics, error, source, service,
            instance)
        SELECT gen_random_uuid(), to_timestamp(ms / 1000.0),
            (lpad(to_hex(ms), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid, lpad(to_hex(step / 2 + 1), 16, '0'),
            CASE WHEN step < 8 THEN '0000000000000005' END, step > 7, 'user-' || n * 7919 % 1000, 'tenant-' || n % 10,
            'chat-' || n / 20, 'rag.ask', CASE WHEN fails THEN 'ERROR' ELSE 'INFO' END, 'a_stage_ran',
            CASE WHEN step % 2 = 0 THEN 'started' WHEN fails THEN 'failed' ELSE 'completed' END,
            CASE WHEN step < 2 AND n % 1000 = 5 THEN 'reranking' WHEN step > 7 THEN 'ask' ELSE 'stage_' || step / 2 END,
            CASE WHEN step < 2 THEN 'retrieve' ELSE 'generate' END,
            CASE WHEN step % 2 = 1 THEN n * 7919 % 5000 / 10.0 END, CASE WHEN step % 2 = 1 THEN n % 9 END,
            jsonb_build_object('doc.name', 'report-' || n % 1000 || '.pdf', 'model', 'small-' || n % 3, 'language', substr('endefr', (n % 3 * 2 + 1)::int, 2)),
            CASE WHEN step % 2 = 1 THEN jsonb_build_object('duration_ms', n % 500, 'input_tokens', 900, 'cost_usd', 0.002) END,
            CASE WHEN fails THEN jsonb_build_object('type', 'HttpError', 'message', CASE WHEN n % 5000 = 3
                THEN 'the quota of project ' || n || ' is exceeded' ELSE 'no answer after ' || n % 90 || ' s' END, 'chain', '[]'::jsonb) END,
            '{{\"file\": \"src/ask.rs\", \"line\": 7}}', 'rag-api', '00000000-0000-7000-8000-000000000001'
        FROM (
            SELECT n, (extract(epoch FROM date_trunc('minute', now())) * 1000 - n * (30 * 86400000.0 / {traces}))::bigint AS ms
            FROM generate_series({first}::bigint, {past} - 1) n) t,
            generate_series(0, 9) step, LATERAL (SELECT n % 50 = 3 AND step IN (7, 9) AS fails) f
        ORDER BY n DESC, step"
    )
}

fn counts_in_postgres() -> String {
    "INSERT INTO stage_minutes
    SELECT minute, '00000000-0000-7000-8000-000000000001', 'rag-api', NULL, 'tenant-' || t, 'stage_' || s, 'generate', 4, 4, 0, 0,
        40, 0.001, 200, jsonb_build_object((200 + t)::text, 2, (230 + s)::text, 2)
    FROM generate_series(date_trunc('minute', now()) - interval '30 days', now(), '1 minute') minute,
        generate_series(0, 2) t, generate_series(0, 4) s;
    INSERT INTO stage_hours
    SELECT date_trunc('hour', minute), tenant_id, stage, kind, sum(runs), sum(completed), sum(failed), sum(cancelled), sum(items),
        sum(cost_usd), sum(duration_ms_sum), (
            SELECT jsonb_object_agg(k, v * 60)
            FROM (SELECT key AS k, value::bigint AS v FROM jsonb_each_text(min(durations::text)::jsonb)) x)
    FROM stage_minutes GROUP BY 1, 2, 3, 4"
        .to_owned()
}
