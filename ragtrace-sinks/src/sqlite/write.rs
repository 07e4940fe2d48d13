//! One batch in one transaction.
//!
//! Rows go out fifty a statement: each statement crosses to SQLite's thread and back. Measured on two busy cores with
//! 200,000 records of 600 bytes and an index by user that is no longer there: 9,000 rows a second with a row a
//! statement, 17,000 as one JSON array that SQLite takes apart, 28,000 this way. With the indexes, the cache and the
//! checkpoints as they are now: 52,000 to 59,000.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use ragtrace::sink::Batch;
use ragtrace::{Record, StageKind, Timestamp};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::Fault;

/// Writes the batch, unless the ledger says that it is written.
pub(super) async fn batch(connection: &mut SqliteConnection, batch: &Batch) -> Result<(), Fault> {
    // `IMMEDIATE` takes the write lock at once: a transaction that asks for it later may be told that it cannot have it.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    if enter_ledger(&mut transaction, batch).await? {
        rows(&mut transaction, batch.records()).await?;
        request_metrics(&mut transaction, batch.records()).await?;
        instances(&mut transaction, batch.records()).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Whether the batch is new.
async fn enter_ledger(connection: &mut SqliteConnection, batch: &Batch) -> Result<bool, sqlx::Error> {
    let id = batch.id().to_string();
    let records = i64::try_from(batch.records().len()).unwrap_or(i64::MAX);
    let entered = sqlx::query!(
        "INSERT INTO delivered_batches (batch_id, records) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        id,
        records
    );
    Ok(entered.execute(connection).await?.rows_affected() > 0)
}

/// Writes the rows, many a statement. One that is there already, under another batch, stays as it is.
async fn rows(connection: &mut SqliteConnection, records: &[Record]) -> Result<(), sqlx::Error> {
    let mut left = records;
    while !left.is_empty() {
        // Two shapes of statement, so that both stay prepared.
        let (now, later) = left.split_at(if left.len() >= ROWS { ROWS } else { 1 });
        let insert = if now.len() == ROWS { &*INSERT_MANY } else { &*INSERT_ONE };
        let query = now.iter().fold(sqlx::query(AssertSqlSafe(insert.as_str())), bind);
        query.execute(&mut *connection).await?;
        left = later;
    }
    Ok(())
}

/// Rows of one statement: more were not measured to be faster.
const ROWS: usize = 50;

static INSERT_MANY: LazyLock<String> = LazyLock::new(|| insert(ROWS));
static INSERT_ONE: LazyLock<String> = LazyLock::new(|| insert(1));

/// The columns in the order of [`bind`].
const COLUMNS: [&str; 28] = [
    "id",
    "timestamp",
    "trace_id",
    "span_id",
    "parent_span_id",
    "request_id",
    "user_id",
    "tenant_id",
    "request_type",
    "logger",
    "level",
    "message",
    "event",
    "stage",
    "kind",
    "duration_ms",
    "item_count",
    "context",
    "metrics",
    "error",
    "stack_trace",
    "source",
    "service",
    "environment",
    "version",
    "host",
    "instance",
    "thread",
];

fn insert(rows: usize) -> String {
    let row = format!("({})", vec!["?"; COLUMNS.len()].join(", "));
    let rows = vec![row.as_str(); rows].join(", ");
    format!("INSERT INTO logs ({}) VALUES {rows} ON CONFLICT (id) DO NOTHING", COLUMNS.join(", "))
}

type Query<'a> = sqlx::query::Query<'a, Sqlite, <Sqlite as sqlx::Database>::Arguments>;

/// Binds one record to the next row of an [`insert`].
fn bind<'a>(query: Query<'a>, record: &'a Record) -> Query<'a> {
    query
        .bind(record.id().to_string())
        .bind(record.timestamp().to_string())
        .bind(record.trace_id().map(|id| id.to_string()))
        .bind(record.span_id().map(|id| id.to_string()))
        .bind(record.parent_span_id().map(|id| id.to_string()))
        .bind(record.request_id())
        .bind(record.user_id())
        .bind(record.tenant_id())
        .bind(record.request_type())
        .bind(record.logger())
        .bind(record.level().as_str())
        .bind(record.message().into_owned())
        .bind(record.event().as_str())
        .bind(record.stage())
        .bind(record.kind().map(StageKind::as_str))
        .bind(record.metric("duration_ms"))
        .bind(record.count().map(|count| i64::try_from(count).unwrap_or(i64::MAX)))
        .bind(record.context_json())
        .bind(record.metrics_json())
        .bind(record.error_json())
        .bind(record.stack_trace())
        .bind(record.source().map(|(file, line)| json!({"file": file, "line": line}).to_string()))
        .bind(record.service())
        .bind(record.environment())
        .bind(record.version())
        .bind(record.host())
        .bind(record.instance().to_string())
        .bind(record.thread())
}

async fn request_metrics(connection: &mut SqliteConnection, records: &[Record]) -> Result<(), sqlx::Error> {
    let ended = json_array(records.iter().filter(|record| record.is_local_root() && record.event().is_end()));
    if ended == "[]" {
        return Ok(());
    }
    let insert = sqlx::query!(
        "INSERT INTO request_metrics (timestamp, operation, duration_ms, status, trace_id, user_id, tenant_id)
        SELECT
            value ->> 'timestamp', coalesce(value ->> 'stage', ''), value ->> '$.metrics.duration_ms',
            value ->> 'event', value ->> 'trace_id', value ->> 'user_id', value ->> 'tenant_id'
        FROM json_each(?1)",
        ended
    );
    insert.execute(connection).await.map(drop)
}

/// Notes when each process of the batch was first and last heard of. One that is heard of after its end did not end.
async fn instances(connection: &mut SqliteConnection, records: &[Record]) -> Result<(), sqlx::Error> {
    let mut heard: BTreeMap<Uuid, (&Record, Timestamp, Timestamp)> = BTreeMap::new();
    for record in records {
        let at = record.timestamp();
        let (_, first, last) = heard.entry(record.instance()).or_insert((record, at, at));
        (*first, *last) = ((*first).min(at), (*last).max(at));
    }
    for (instance, (record, first, last)) in heard {
        let (instance, first, last) = (instance.to_string(), first.to_string(), last.to_string());
        let (service, environment) = (record.service(), record.environment());
        let (version, host) = (record.version(), record.host());
        let upsert = sqlx::query!(
            "INSERT INTO instances (instance, service, environment, version, host, started_at, last_seen_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            ON CONFLICT (instance) DO UPDATE SET
                started_at = min(started_at, excluded.started_at),
                last_seen_at = max(last_seen_at, excluded.last_seen_at),
                ended_at = CASE WHEN excluded.last_seen_at <= ended_at THEN ended_at END",
            instance,
            service,
            environment,
            version,
            host,
            first,
            last
        );
        upsert.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Notes that these processes write no more.
pub(super) async fn ended(connection: &mut SqliteConnection, instances: &BTreeSet<Uuid>) -> Result<(), sqlx::Error> {
    for instance in instances {
        let (instance, now) = (instance.to_string(), Timestamp::now().to_string());
        sqlx::query!("UPDATE instances SET ended_at = ?1 WHERE instance = ?2", now, instance)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

fn json_array<'a>(records: impl IntoIterator<Item = &'a Record>) -> String {
    let mut json = vec![b'['];
    for record in records {
        if json.len() > 1 {
            json.push(b',');
        }
        record.write_json(&mut json);
    }
    json.push(b']');
    // The canonical JSON is made of `str`s, so this never takes its second way.
    String::from_utf8(json).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
