//! Writes one batch in one transaction.
//!
//! Large batches are written by `COPY`, small ones by one statement with an array per column. Over
//! TCP a small `COPY` stalls: sqlx leaves Nagle's algorithm on, so the end of the data waits for a
//! delayed acknowledgement. A large one does not, because the server acknowledges while it reads. A
//! statement is sent in one piece and does not wait. `benches/storage/RESULTS.md` has the figures.

mod column;
mod copy;
mod row;
mod scores;

use ragtrace::sink::Batch;
use ragtrace::{Record, Timestamp};
use serde_json::{Value as Json, json};
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use column::column;
use row::{COLUMNS, Digits, Row};
use scores::write_scores;

use super::clean;
use super::days::sensible;
use super::session::{PgTransaction, Session};
use crate::tables::{self, InstanceRow, Refused, Step, log_records};

pub(super) use row::days_of;

/// The number of records from which on `COPY` is used.
const MANY: usize = 1_000;

/// Writes the batch, unless the ledger shows that it is already written. Returns the records that
/// are refused.
///
/// Every batch writes the tables in the same order, and rows that several batches change in the
/// order of their keys, so that two batches never deadlock.
pub(super) async fn batch(
    connection: &mut PgConnection,
    session: &Session,
    batch: &Batch,
) -> Result<Vec<Refused>, sqlx::Error> {
    let mut transaction = session.begin(connection).await?;
    let number = enter_ledger(&mut transaction, batch).await?;
    if let Some(number) = number {
        match &*log_records(batch) {
            [] => {}
            [record] if is_there(&mut transaction, record).await? => {}
            records if records.len() >= MANY => by_copy(&mut transaction, records, number).await?,
            records => by_statement(&mut transaction, records).await?,
        }
        request_metrics(&mut transaction, batch).await?;
    }
    // The rows of their traces come first, since they say which tenant a trace belongs to.
    let refused = write_scores(&mut transaction, batch).await?;
    if number.is_some() {
        stage_minutes(&mut transaction, batch).await?;
        instances(&mut transaction, batch).await?;
    }
    transaction.commit().await.map(|()| refused)
}

/// Returns the number of this transaction if the batch is new. If the batch is just being written
/// over another connection, this waits for the outcome.
async fn enter_ledger(transaction: &mut PgTransaction<'_>, batch: &Batch) -> Result<Option<i64>, sqlx::Error> {
    let records = i32::try_from(batch.records().len()).unwrap_or(i32::MAX);
    let entered = sqlx::query_scalar!(
        r#"INSERT INTO delivered_batches (batch_id, records) VALUES ($1, $2) ON CONFLICT DO NOTHING
        RETURNING pg_current_xact_id()::text::bigint AS "transaction!""#,
        batch.id(),
        records
    );
    entered.fetch_optional(transaction).await
}

/// Writes rows by `COPY`. The transaction's number is passed along, since computing it for every
/// row would take time.
async fn by_copy(transaction: &mut PgTransaction<'_>, records: &[Record], written: i64) -> Result<(), sqlx::Error> {
    let statement = format!("COPY logs ({COLUMNS}, written) FROM STDIN (FORMAT binary)");
    let mut copy = transaction.copy_in(&statement).await?;
    let mut data = copy::Data::begin(written);
    // On an error the caller drops the connection, so the `COPY` need not be ended.
    for record in records {
        data.row(&Row::of(record));
        if data.is_enough() {
            copy.send(data.chunk()).await?;
            data.next_chunk();
        }
    }
    data.end();
    copy.send(data.chunk()).await?;
    copy.finish().await.map(drop)
}

/// Returns `true` if a record that comes alone is already stored under another batch: a dead letter
/// that is replayed while the spool delivers it too, or after it was stored in another way. It is
/// looked up in its day, by its trace. Two deliveries of the same record wait for each other.
async fn is_there(transaction: &mut PgTransaction<'_>, record: &Record) -> Result<bool, sqlx::Error> {
    let row = Row::of(record);
    let (high, _) = record.id().as_u64_pair();
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", high.cast_signed()).fetch_one(&mut *transaction).await?;
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (
                SELECT FROM logs WHERE id = $1 AND (trace_id = $2 OR $2::uuid IS NULL)
                    AND timestamp = 'epoch'::timestamptz + $3::bigint * interval '1 microsecond')
            OR EXISTS (SELECT FROM logs_archive WHERE id = $1) AS "found!""#,
        row.id,
        row.trace_id,
        row.timestamp
    );
    found.fetch_one(transaction).await
}

/// Writes rows as arrays of columns, which the server reads faster than JSON.
async fn by_statement(transaction: &mut PgTransaction<'_>, records: &[Record]) -> Result<(), sqlx::Error> {
    fn texts<'a>(rows: &'a [Row<'a>], part: impl Fn(&'a Row<'a>) -> Option<&'a str>) -> Vec<Option<&'a str>> {
        rows.iter().map(part).collect()
    }
    let rows: Vec<Row<'_>> = records.iter().map(Row::of).collect();
    let insert = sqlx::query!(
        "INSERT INTO logs (id, timestamp, trace_id, span_id, parent_span_id, local_root, request_id, user_id, tenant_id,
            session_id, request_type, logger, level, message, event, stage, kind, duration_ms, item_count, context, metrics,
            error, stack_trace, source, service, environment, version, host, instance, thread, links, used, generated)
        SELECT id, 'epoch'::timestamptz + at * interval '1 microsecond', trace_id, span_id, parent_span_id, local_root,
            request_id, user_id, tenant_id, session_id, request_type, logger, level, message, event, stage, kind,
            duration_ms, item_count, context::jsonb, metrics::jsonb, error::jsonb, stack_trace, source::jsonb, service,
            environment, version, host, instance, thread, links::jsonb, used::jsonb, generated::jsonb
        FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::boolean[], $7::text[], $8::text[],
            $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[],
            $17::text[], $18::double precision[], $19::bigint[], $20::text[], $21::text[], $22::text[], $23::text[],
            $24::text[], $25::text[], $26::text[], $27::text[], $28::text[], $29::uuid[], $30::text[], $31::text[],
            $32::text[], $33::text[])
            AS r(id, at, trace_id, span_id, parent_span_id, local_root, request_id, user_id, tenant_id, session_id,
                request_type, logger, level, message, event, stage, kind, duration_ms, item_count, context, metrics, error,
                stack_trace, source, service, environment, version, host, instance, thread, links, used, generated)",
        column(&rows, |row| row.id) as Vec<Uuid>,
        column(&rows, |row| row.timestamp) as Vec<i64>,
        column(&rows, |row| row.trace_id) as Vec<Option<Uuid>>,
        texts(&rows, |row| row.span_id.as_ref().map(Digits::as_str)) as Vec<Option<&str>>,
        texts(&rows, |row| row.parent_span_id.as_ref().map(Digits::as_str)) as Vec<Option<&str>>,
        column(&rows, |row| row.local_root) as Vec<bool>,
        texts(&rows, |row| row.request_id.as_deref()) as Vec<Option<&str>>,
        texts(&rows, |row| row.user_id.as_deref()) as Vec<Option<&str>>,
        texts(&rows, |row| row.tenant_id.as_deref()) as Vec<Option<&str>>,
        texts(&rows, |row| row.session_id.as_deref()) as Vec<Option<&str>>,
        texts(&rows, |row| row.request_type.as_deref()) as Vec<Option<&str>>,
        texts(&rows, |row| Some(&row.logger)) as Vec<Option<&str>>,
        texts(&rows, |row| Some(row.level)) as Vec<Option<&str>>,
        texts(&rows, |row| Some(&row.message)) as Vec<Option<&str>>,
        texts(&rows, |row| Some(row.event)) as Vec<Option<&str>>,
        texts(&rows, |row| row.stage.as_deref()) as Vec<Option<&str>>,
        texts(&rows, |row| row.kind) as Vec<Option<&str>>,
        column(&rows, |row| row.duration_ms) as Vec<Option<f64>>,
        column(&rows, |row| row.item_count) as Vec<Option<i64>>,
        texts(&rows, |row| row.context.as_deref()) as Vec<Option<&str>>,
        texts(&rows, |row| row.metrics.as_deref()) as Vec<Option<&str>>,
        texts(&rows, |row| row.error.as_deref()) as Vec<Option<&str>>,
        texts(&rows, |row| row.stack_trace.as_deref()) as Vec<Option<&str>>,
        texts(&rows, |row| row.source.as_deref()) as Vec<Option<&str>>,
        texts(&rows, |row| row.service.as_deref()) as Vec<Option<&str>>,
        texts(&rows, |row| row.environment.as_deref()) as Vec<Option<&str>>,
        texts(&rows, |row| row.version.as_deref()) as Vec<Option<&str>>,
        texts(&rows, |row| row.host.as_deref()) as Vec<Option<&str>>,
        column(&rows, |row| row.instance) as Vec<Uuid>,
        texts(&rows, |row| row.thread.as_deref()) as Vec<Option<&str>>,
        texts(&rows, |row| row.links.as_deref()) as Vec<Option<&str>>,
        texts(&rows, |row| row.used.as_deref()) as Vec<Option<&str>>,
        texts(&rows, |row| row.generated.as_deref()) as Vec<Option<&str>>
    );
    insert.execute(transaction).await.map(drop)
}

/// Writes finished requests as arrays of columns. Parsing JSON took the server a noticeable part of
/// the time of a batch whose records were all roots.
async fn request_metrics(transaction: &mut PgTransaction<'_>, batch: &Batch) -> Result<(), sqlx::Error> {
    let requests = batch.requests();
    if requests.is_empty() {
        return Ok(());
    }
    let text = |text: &str| clean::text(text).into_owned();
    let insert = sqlx::query!(
        "INSERT INTO request_metrics (timestamp, operation, duration_ms, status, trace_id, user_id, tenant_id, session_id)
        SELECT 'epoch'::timestamptz + at * interval '1 microsecond', operation, duration_ms, status, trace_id, user_id,
            tenant_id, session_id
        FROM unnest($1::bigint[], $2::text[], $3::double precision[], $4::text[], $5::uuid[], $6::text[], $7::text[],
            $8::text[]) AS r(at, operation, duration_ms, status, trace_id, user_id, tenant_id, session_id)",
        &column(requests, |request| sensible(request.timestamp().as_micros())),
        &column(requests, |request| text(request.operation())),
        &column(requests, |request| tables::millis(request.duration())),
        &column(requests, |request| request.status().as_str().to_owned()),
        &column(requests, |request| request.trace_id().as_uuid()),
        &column(requests, |request| request.user_id().map(text)) as &[Option<String>],
        &column(requests, |request| request.tenant_id().map(text)) as &[Option<String>],
        &column(requests, |request| request.session_id().map(text)) as &[Option<String>]
    );
    insert.execute(transaction).await.map(drop)
}

/// Adds the batch's counts to those of the same minutes and hours.
async fn stage_minutes(transaction: &mut PgTransaction<'_>, batch: &Batch) -> Result<(), sqlx::Error> {
    let Some(process) = InstanceRow::of(batch).filter(|_| !batch.minutes().is_empty()) else { return Ok(()) };
    let add = sqlx::query!(
        "INSERT INTO stage_minutes (minute, instance, service, environment, tenant_id, stage, kind, runs, completed, failed,
            cancelled, items, cost_usd, duration_ms_sum, durations)
        SELECT at, $2, $3, $4, tenant_id, stage, kind, runs, completed, failed, cancelled, items, cost_usd,
            duration_ms_sum, durations::jsonb
        FROM json_to_recordset($1::text::json) AS r(at timestamptz, tenant_id text, stage text, kind text, runs bigint,
            completed bigint, failed bigint, cancelled bigint, items bigint, cost_usd double precision,
            duration_ms_sum double precision, durations text)
        ON CONFLICT (minute, instance, left(stage, 64), left(tenant_id, 64), hashtextextended(stage, 0),
            hashtextextended(tenant_id, 0), kind) DO UPDATE SET
            runs = add_counts(stage_minutes.runs, excluded.runs),
            completed = add_counts(stage_minutes.completed, excluded.completed),
            failed = add_counts(stage_minutes.failed, excluded.failed),
            cancelled = add_counts(stage_minutes.cancelled, excluded.cancelled),
            items = add_counts(stage_minutes.items, excluded.items),
            cost_usd = add_sums(stage_minutes.cost_usd, excluded.cost_usd),
            duration_ms_sum = add_sums(stage_minutes.duration_ms_sum, excluded.duration_ms_sum),
            durations = add_sketches(stage_minutes.durations, excluded.durations)",
        counts(batch, Step::Minute),
        process.instance,
        clean::as_stored(process.service),
        clean::as_stored(process.environment)
    );
    add.execute(&mut *transaction).await?;
    let add = sqlx::query!(
        "INSERT INTO stage_hours (hour, tenant_id, stage, kind, runs, completed, failed, cancelled, items, cost_usd,
            duration_ms_sum, durations)
        SELECT at, tenant_id, stage, kind, runs, completed, failed, cancelled, items, cost_usd, duration_ms_sum,
            durations::jsonb
        FROM json_to_recordset($1::text::json) AS r(at timestamptz, tenant_id text, stage text, kind text, runs bigint,
            completed bigint, failed bigint, cancelled bigint, items bigint, cost_usd double precision,
            duration_ms_sum double precision, durations text)
        ON CONFLICT (hour, left(stage, 64), left(tenant_id, 64), hashtextextended(stage, 0),
            hashtextextended(tenant_id, 0), kind) DO UPDATE SET
            runs = add_counts(stage_hours.runs, excluded.runs),
            completed = add_counts(stage_hours.completed, excluded.completed),
            failed = add_counts(stage_hours.failed, excluded.failed),
            cancelled = add_counts(stage_hours.cancelled, excluded.cancelled),
            items = add_counts(stage_hours.items, excluded.items),
            cost_usd = add_sums(stage_hours.cost_usd, excluded.cost_usd),
            duration_ms_sum = add_sums(stage_hours.duration_ms_sum, excluded.duration_ms_sum),
            durations = add_sketches(stage_hours.durations, excluded.durations)",
        counts(batch, Step::Hour)
    );
    add.execute(transaction).await.map(drop)
}

/// Returns the counts of a batch, added up by a step, as JSON. Names are cleaned first: two names
/// that are equal afterwards share a row, which one statement must not change twice.
fn counts(batch: &Batch, step: Step) -> String {
    tables::added_up(batch.minutes(), step, believed, clean::text).to_string()
}

/// Moves a time into the range of plausible times, since the server would refuse the year 0.
fn believed(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(sensible(at.as_micros()))
}

/// Stores when each process of the batch was first and last seen. A process that is seen after its
/// end has not ended.
async fn instances(transaction: &mut PgTransaction<'_>, batch: &Batch) -> Result<(), sqlx::Error> {
    let processes = InstanceRow::all_of(batch).into_iter().map(|process| {
        json!({
            "instance": process.instance, "service": process.service, "environment": process.environment,
            "version": process.version, "host": process.host, "first": believed(process.first).to_string(),
            "last": believed(process.last).to_string(),
        })
    });
    let upsert = sqlx::query!(
        "INSERT INTO instances (instance, service, environment, version, host, started_at, last_seen_at)
        SELECT instance, service, environment, version, host, first, last
        FROM json_to_recordset($1::text::json) AS r(instance uuid, service text, environment text, version text,
            host text, first timestamptz, last timestamptz)
        ON CONFLICT (instance) DO UPDATE SET
            started_at = least(instances.started_at, excluded.started_at),
            last_seen_at = greatest(instances.last_seen_at, excluded.last_seen_at),
            ended_at = CASE WHEN excluded.last_seen_at <= instances.ended_at THEN instances.ended_at END",
        cleaned(&processes.collect())
    );
    upsert.execute(transaction).await.map(drop)
}

/// Updates the catalog of this program's stages.
pub(super) async fn catalog(
    connection: &mut PgConnection,
    session: &Session,
    service: &str,
) -> Result<(), sqlx::Error> {
    let mut transaction = session.begin(connection).await?;
    let upsert = sqlx::query!(
        "INSERT INTO stages (service, name, kind, level, target, file, line, fields)
        SELECT DISTINCT ON (name) $2, name, kind, level, target, file, line, fields::jsonb
        FROM json_to_recordset($1::text::json) AS r(name text, kind text, level text, target text, file text, line bigint,
            fields text)
        ORDER BY name
        ON CONFLICT (left(service, 64), left(name, 64), hashtextextended(service, 0), hashtextextended(name, 0))
        DO UPDATE SET
            kind = excluded.kind, level = excluded.level, target = excluded.target, file = excluded.file,
            line = excluded.line, fields = excluded.fields, last_seen_at = now()",
        cleaned(&tables::catalog()),
        &*clean::text(service)
    );
    upsert.execute(&mut transaction).await?;
    transaction.commit().await
}

/// Marks processes as ended.
pub(super) async fn ended(
    connection: &mut PgConnection,
    session: &Session,
    instances: &[Uuid],
) -> Result<(), sqlx::Error> {
    let mut transaction = session.begin(connection).await?;
    let ended = sqlx::query!("UPDATE instances SET ended_at = now() WHERE instance = ANY ($1)", instances);
    ended.execute(&mut transaction).await?;
    transaction.commit().await
}

/// Returns JSON as cleaned text for a statement.
fn cleaned(json: &Json) -> String {
    clean::json(json.to_string())
}
