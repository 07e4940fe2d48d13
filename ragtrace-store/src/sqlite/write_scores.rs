//! Writes the scores of a batch, each by a statement of its own, since they are few.

use std::collections::HashMap;

use ragtrace::TraceId;
use ragtrace::sink::Batch;
use sqlx::SqliteConnection;

use crate::tables::{NewScore, Refused, scores};

/// Writes the scores of a batch, and returns those that are refused. Unlike its log records, the
/// scores of a batch that is already written are written again: some may have been refused then,
/// and the tenants of their traces corrected since. Scores that are already stored stay as they
/// are, by their ids.
pub(super) async fn write_scores(
    connection: &mut SqliteConnection,
    batch: &Batch,
) -> Result<Vec<Refused>, sqlx::Error> {
    let (scores, mut refused) = scores(batch);
    let mut tenants: HashMap<TraceId, Option<String>> = HashMap::new();
    for score in scores {
        let known = if let Some(known) = tenants.get(&score.trace_id) {
            known.clone()
        } else {
            let known = tenant_of_trace(connection, score.trace_id).await?;
            tenants.insert(score.trace_id, known.clone());
            known
        };
        match score.refusal(known.as_deref()) {
            // The score was accepted before its trace was known. Refusing it now would store it a
            // second time as a dead letter.
            Some(_) if is_there(connection, &score).await? => {}
            Some(refusal) => refused.push(refusal),
            None => insert(connection, &score, known).await?,
        }
    }
    Ok(refused)
}

/// Returns the tenant of a trace, from the first record that names one.
async fn tenant_of_trace(connection: &mut SqliteConnection, trace: TraceId) -> Result<Option<String>, sqlx::Error> {
    let trace = trace.to_string();
    let tenant = sqlx::query_scalar!(
        "SELECT coalesce(
            (SELECT tenant_id FROM logs INDEXED BY logs_trace
                WHERE trace_id = ?1 AND tenant_id IS NOT NULL ORDER BY timestamp LIMIT 1),
            (SELECT tenant_id FROM logs_archive INDEXED BY logs_archive_trace
                WHERE trace_id = ?1 AND tenant_id IS NOT NULL ORDER BY timestamp LIMIT 1),
            (SELECT tenant_id FROM request_metrics INDEXED BY request_metrics_trace
                WHERE trace_id = ?1 AND tenant_id IS NOT NULL LIMIT 1)) AS \"tenant_id?: String\"",
        trace
    );
    tenant.fetch_one(connection).await
}

/// Returns `true` if the score is already stored.
async fn is_there(connection: &mut SqliteConnection, score: &NewScore<'_>) -> Result<bool, sqlx::Error> {
    let id = score.record.id().to_string();
    let found = sqlx::query_scalar!("SELECT EXISTS (SELECT 1 FROM scores WHERE id = ?1) AS \"found!: bool\"", id);
    found.fetch_one(connection).await
}

async fn insert(
    connection: &mut SqliteConnection,
    score: &NewScore<'_>,
    known: Option<String>,
) -> Result<(), sqlx::Error> {
    let record = score.record;
    let (id, timestamp, trace) = (record.id().to_string(), record.timestamp().to_string(), score.trace_id.to_string());
    let span = record.span_id().map(|id| id.to_string());
    let (name, judge, comment) = (score.score.name(), score.score.by(), score.score.comment());
    let (number, flag, label) = score.judgement();
    let (user, tenant) = (record.user_id(), record.tenant_id().map(str::to_owned).or(known));
    let (service, environment, version) = (record.service(), record.environment(), record.version());
    let (host, instance, thread) = (record.host(), record.instance().to_string(), record.thread());
    let insert = sqlx::query!(
        "INSERT INTO scores (id, timestamp, trace_id, span_id, name, number, flag, label, judged_by, comment, user_id,
            tenant_id, service, environment, version, host, instance, thread, late)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
            EXISTS (SELECT 1 FROM retention_decisions WHERE trace_id = ?3 AND (kept = 0 OR NOT (
                EXISTS (SELECT 1 FROM logs INDEXED BY logs_trace WHERE trace_id = ?3)
                OR EXISTS (SELECT 1 FROM logs_archive INDEXED BY logs_archive_trace WHERE trace_id = ?3)))))
        ON CONFLICT (id) DO NOTHING",
        id,
        timestamp,
        trace,
        span,
        name,
        number,
        flag,
        label,
        judge,
        comment,
        user,
        tenant,
        service,
        environment,
        version,
        host,
        instance,
        thread
    );
    insert.execute(connection).await.map(drop)
}
