//! One batch in one transaction.
//!
//! The records travel as one JSON array, their canonical form, which SQLite takes apart: one static statement writes
//! a batch of any size. Against a prepared statement a record it saves a channel and a thread's wake-up each, and
//! was measured to be the faster one (see `ARCHITECTURE.md`).

use std::collections::{BTreeMap, BTreeSet};

use ragtrace::sink::Batch;
use ragtrace::{Record, Timestamp};
use sqlx::{Connection, SqliteConnection};
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

async fn rows(connection: &mut SqliteConnection, records: &[Record]) -> Result<(), sqlx::Error> {
    let records = json_array(records);
    // A `count` beyond 64 signed bits would become a REAL, which a reader of integers refuses, hence the cast. `WHERE
    // true` tells SQLite's parser that `ON CONFLICT` does not belong to the join.
    let insert = sqlx::query!(
        "INSERT INTO logs (
            id, timestamp, trace_id, span_id, parent_span_id, request_id, user_id, tenant_id, request_type, logger,
            level, message, event, stage, kind, duration_ms, item_count, context, metrics, error, stack_trace, source,
            service, environment, version, host, instance, thread
        )
        SELECT
            value ->> 'id', value ->> 'timestamp', value ->> 'trace_id', value ->> 'span_id',
            value ->> 'parent_span_id', value ->> 'request_id', value ->> 'user_id', value ->> 'tenant_id',
            value ->> 'request_type', value ->> 'logger', value ->> 'level', value ->> 'message', value ->> 'event',
            value ->> 'stage', value ->> 'kind', value ->> '$.metrics.duration_ms',
            CAST(value ->> '$.metrics.count' AS INTEGER), value -> 'context', value -> 'metrics', value -> 'error',
            value ->> 'stack_trace', value -> 'source', value ->> 'service', value ->> 'environment',
            value ->> 'version', value ->> 'host', value ->> 'instance', value ->> 'thread'
        FROM json_each(?1)
        WHERE true
        ON CONFLICT (id) DO NOTHING",
        records
    );
    insert.execute(connection).await.map(drop)
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
