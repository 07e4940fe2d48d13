//! Writes one batch in one transaction.
//!
//! Rows are written fifty per statement, since each statement crosses to SQLite's thread and back.
//! That is faster than a statement per row, and faster than one JSON array that SQLite takes apart.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use ragtrace::sink::Batch;
use ragtrace::{Record, StageKind, Timestamp};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::write_scores::write_scores;
use crate::tables::{self, Refused, log_records};

/// Writes the batch, unless the ledger shows that it is already written. Returns the records that
/// are refused.
pub(super) async fn batch(connection: &mut SqliteConnection, batch: &Batch) -> Result<Vec<Refused>, sqlx::Error> {
    // `IMMEDIATE` takes the write lock at once. A transaction that asks for it later may be
    // refused.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let is_new = enter_ledger(&mut transaction, batch).await?;
    if is_new {
        rows(&mut transaction, &log_records(batch)).await?;
        request_metrics(&mut transaction, batch).await?;
        stage_minutes(&mut transaction, batch).await?;
        instances(&mut transaction, batch).await?;
    }
    // The rows of their traces come first, since they say which tenant a trace belongs to.
    let refused = write_scores(&mut transaction, batch).await?;
    transaction.commit().await.map(|()| refused)
}

/// Returns `true` if the batch is new.
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

/// Writes the rows, many per statement. A row that is already stored under another batch stays as
/// it is.
async fn rows(connection: &mut SqliteConnection, records: &[Record]) -> Result<(), sqlx::Error> {
    let mut left = records;
    while !left.is_empty() {
        // Statements have only two shapes, so that both stay prepared.
        let (now, later) = left.split_at(if left.len() >= ROWS { ROWS } else { 1 });
        let insert = if now.len() == ROWS { &*INSERT_MANY } else { &*INSERT_ONE };
        let query = now.iter().fold(sqlx::query(AssertSqlSafe(insert.as_str())), bind);
        query.execute(&mut *connection).await?;
        left = later;
    }
    Ok(())
}

/// The number of rows per statement. More are not faster.
const ROWS: usize = 50;

static INSERT_MANY: LazyLock<String> = LazyLock::new(|| insert(ROWS));
static INSERT_ONE: LazyLock<String> = LazyLock::new(|| insert(1));

/// The columns in the order of [`bind`].
const COLUMNS: [&str; 33] = [
    "id",
    "timestamp",
    "trace_id",
    "span_id",
    "parent_span_id",
    "local_root",
    "request_id",
    "user_id",
    "tenant_id",
    "session_id",
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
    "links",
    "used",
    "generated",
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
        .bind(record.is_local_root())
        .bind(record.request_id())
        .bind(record.user_id())
        .bind(record.tenant_id())
        .bind(record.session_id())
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
        .bind(record.links_json())
        .bind(record.used_json())
        .bind(record.generated_json())
}

/// Writes finished requests as one JSON array that SQLite takes apart, since they are few.
async fn request_metrics(connection: &mut SqliteConnection, batch: &Batch) -> Result<(), sqlx::Error> {
    if batch.requests().is_empty() {
        return Ok(());
    }
    let rows = tables::requests(batch).to_string();
    let insert = sqlx::query!(
        "INSERT INTO request_metrics (timestamp, operation, duration_ms, status, trace_id, user_id, tenant_id, session_id)
        SELECT
            value ->> 'timestamp', value ->> 'operation', value ->> 'duration_ms', value ->> 'status',
            value ->> 'trace_id', value ->> 'user_id', value ->> 'tenant_id', value ->> 'session_id'
        FROM json_each(?1)",
        rows
    );
    insert.execute(connection).await.map(drop)
}

/// Adds the counts to those of the same minute, process, stage and tenant. Only the sketches of
/// durations have to be read for that.
async fn stage_minutes(connection: &mut SqliteConnection, batch: &Batch) -> Result<(), sqlx::Error> {
    let Some(process) = tables::InstanceRow::of(batch).filter(|_| !batch.minutes().is_empty()) else { return Ok(()) };
    let instance = process.instance.to_string();
    for counted in batch.minutes() {
        let (minute, stage) = (counted.minute().to_string(), counted.stage());
        let tenant = counted.tenant_id().unwrap_or_default();
        let stored = sqlx::query_scalar!(
            "SELECT durations FROM stage_minutes WHERE minute = ?1 AND instance = ?2 AND stage = ?3 AND tenant_id = ?4",
            minute,
            instance,
            stage,
            tenant
        );
        let stored = stored.fetch_optional(&mut *connection).await?;
        let mut durations = counted.durations().clone();
        // A corrupt sketch is replaced.
        if let Some(earlier) = stored.and_then(|text| text.parse().ok()) {
            durations.merge(&earlier);
        }
        let (durations, kind) = (durations.to_string(), counted.kind().as_str());
        let [runs, completed, failed, cancelled, items] = tables::counts(counted);
        let (cost, total) = (counted.cost_usd(), tables::millis(counted.total_duration()));
        let upsert = sqlx::query!(
            "INSERT INTO stage_minutes (minute, instance, service, environment, tenant_id, stage, kind, runs, completed,
                failed, cancelled, items, cost_usd, duration_ms_sum, durations)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
            ON CONFLICT (minute, instance, stage, tenant_id) DO UPDATE SET
                runs = runs + excluded.runs, completed = completed + excluded.completed,
                failed = failed + excluded.failed, cancelled = cancelled + excluded.cancelled,
                items = CASE WHEN items > 9223372036854775807 - excluded.items THEN 9223372036854775807
                    ELSE items + excluded.items END, cost_usd = cost_usd + excluded.cost_usd,
                duration_ms_sum = duration_ms_sum + excluded.duration_ms_sum, durations = excluded.durations",
            minute,
            instance,
            process.service,
            process.environment,
            tenant,
            stage,
            kind,
            runs,
            completed,
            failed,
            cancelled,
            items,
            cost,
            total,
            durations
        );
        upsert.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Stores when each process of the batch was first and last seen. A process that is seen after its
/// end has not ended.
async fn instances(connection: &mut SqliteConnection, batch: &Batch) -> Result<(), sqlx::Error> {
    for process in tables::InstanceRow::all_of(batch) {
        let (instance, first, last) =
            (process.instance.to_string(), process.first.to_string(), process.last.to_string());
        let upsert = sqlx::query!(
            "INSERT INTO instances (instance, service, environment, version, host, started_at, last_seen_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            ON CONFLICT (instance) DO UPDATE SET
                started_at = min(started_at, excluded.started_at),
                last_seen_at = max(last_seen_at, excluded.last_seen_at),
                ended_at = CASE WHEN excluded.last_seen_at <= ended_at THEN ended_at END",
            instance,
            process.service,
            process.environment,
            process.version,
            process.host,
            first,
            last
        );
        upsert.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Updates the catalog of this program's stages.
pub(super) async fn catalog(connection: &mut SqliteConnection, service: &str) -> Result<(), sqlx::Error> {
    let (stages, now) = (tables::catalog().to_string(), Timestamp::now().to_string());
    let upsert = sqlx::query!(
        "INSERT INTO stages (service, name, kind, level, target, file, line, fields, first_seen_at, last_seen_at)
        SELECT ?2, value ->> 'name', value ->> 'kind', value ->> 'level', value ->> 'target', value ->> 'file',
            value ->> 'line', value ->> 'fields', ?3, ?3
        FROM json_each(?1) WHERE true
        ON CONFLICT (service, name) DO UPDATE SET
            kind = excluded.kind, level = excluded.level, target = excluded.target, file = excluded.file,
            line = excluded.line, fields = excluded.fields, last_seen_at = excluded.last_seen_at",
        stages,
        service,
        now
    );
    upsert.execute(connection).await.map(drop)
}

/// Marks processes as ended.
pub(super) async fn ended(connection: &mut SqliteConnection, instances: &BTreeSet<Uuid>) -> Result<(), sqlx::Error> {
    for instance in instances {
        let (instance, now) = (instance.to_string(), Timestamp::now().to_string());
        sqlx::query!("UPDATE instances SET ended_at = ?1 WHERE instance = ?2", now, instance)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
