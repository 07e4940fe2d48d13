//! Writes the scores of a batch.

use std::collections::{BTreeSet, HashMap};

use ragtrace::sink::Batch;
use uuid::Uuid;

use super::column::column;
use crate::postgres::clean;
use crate::postgres::days::sensible;
use crate::postgres::session::PgTransaction;
use crate::tables::{NewScore, Refused, scores};

/// Writes the scores of a batch, and returns those that are refused. Unlike its log records, the
/// scores of a batch that is already written are written again: some may have been refused then,
/// and the tenants of their traces corrected since. Scores that are already stored stay as they
/// are, by their ids.
pub(super) async fn write_scores(
    transaction: &mut PgTransaction<'_>,
    batch: &Batch,
) -> Result<Vec<Refused>, sqlx::Error> {
    let (scores, mut refused) = scores(batch);
    if scores.is_empty() {
        return Ok(refused);
    }
    let known = tenants_of_traces(transaction, &scores).await?;
    let known_of = |score: &NewScore<'_>| known.get(&score.trace_id.as_uuid()).cloned();
    let (mut good, mut tenants, mut foreign) = (Vec::new(), Vec::new(), Vec::new());
    for score in scores {
        let known = known_of(&score);
        // The tenants are compared in the form in which they are stored.
        let own = clean::as_stored(score.record.tenant_id());
        if let Some(refusal) = score.refusal(known.as_deref()).filter(|_| own != known) {
            foreign.push((score.record.id(), refusal));
        } else {
            tenants.push(own.or(known));
            good.push(score);
        }
    }
    if !good.is_empty() {
        insert(transaction, &good, &tenants).await?;
    }
    if !foreign.is_empty() {
        // Some were accepted before their trace was known. Refusing them now would store them a
        // second time as dead letters.
        let there = there(transaction, &column(&foreign, |(id, _)| *id)).await?;
        refused.extend(foreign.into_iter().filter(|(id, _)| !there.contains(id)).map(|(_, refusal)| refusal));
    }
    Ok(refused)
}

/// Returns the tenants of the judged traces that have a known tenant.
async fn tenants_of_traces(
    transaction: &mut PgTransaction<'_>,
    scores: &[NewScore<'_>],
) -> Result<HashMap<Uuid, String>, sqlx::Error> {
    let traces: BTreeSet<Uuid> = scores.iter().map(|score| score.trace_id.as_uuid()).collect();
    let traces: Vec<Uuid> = traces.into_iter().collect();
    let known = sqlx::query!(
        r#"SELECT trace_id AS "trace_id!", tenant_of_trace(trace_id) AS tenant_id FROM unnest($1::uuid[]) AS r(trace_id)"#,
        &traces
    );
    let known = known.fetch_all(transaction).await?;
    Ok(known.into_iter().filter_map(|row| Some((row.trace_id, row.tenant_id?))).collect())
}

/// Returns those of the ids whose scores are already stored.
async fn there(transaction: &mut PgTransaction<'_>, ids: &[Uuid]) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!("SELECT id FROM scores WHERE id = ANY ($1)", ids).fetch_all(transaction).await
}

async fn insert(
    transaction: &mut PgTransaction<'_>,
    scores: &[NewScore<'_>],
    tenants: &[Option<String>],
) -> Result<(), sqlx::Error> {
    let text = |text: &str| clean::text(text).into_owned();
    let texts = |part: fn(&ragtrace::Record) -> Option<&str>| -> Vec<Option<String>> {
        column(scores, |score| part(score.record).map(text))
    };
    let insert = sqlx::query!(
        "INSERT INTO scores (id, timestamp, trace_id, span_id, name, number, flag, label, judged_by, comment, user_id,
            tenant_id, service, environment, version, host, instance, thread, late)
        SELECT id, 'epoch'::timestamptz + at * interval '1 microsecond', trace_id, span_id, name, number, flag, label,
            judged_by, comment, user_id, tenant_id, service, environment, version, host, instance, thread,
            EXISTS (SELECT FROM retention_decisions d WHERE d.trace_id = r.trace_id AND (NOT d.kept OR NOT (
                EXISTS (SELECT FROM logs l WHERE l.trace_id = r.trace_id)
                OR EXISTS (SELECT FROM logs_archive a WHERE a.trace_id = r.trace_id))))
        FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::double precision[], $7::boolean[],
            $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
            $16::text[], $17::uuid[], $18::text[]) AS r(id, at, trace_id, span_id, name, number, flag, label, judged_by,
            comment, user_id, tenant_id, service, environment, version, host, instance, thread)
        ON CONFLICT (id) DO NOTHING",
        &column(scores, |score| score.record.id()),
        &column(scores, |score| sensible(score.record.timestamp().as_micros())),
        &column(scores, |score| score.trace_id.as_uuid()),
        &column(scores, |score| score.record.span_id().map(|id| id.to_string())) as &[Option<String>],
        &column(scores, |score| text(score.score.name())),
        &column(scores, |score| score.judgement().0) as &[Option<f64>],
        &column(scores, |score| score.judgement().1) as &[Option<bool>],
        &column(scores, |score| score.judgement().2.map(text)) as &[Option<String>],
        &column(scores, |score| score.score.by().map(text)) as &[Option<String>],
        &column(scores, |score| score.score.comment().map(text)) as &[Option<String>],
        &texts(ragtrace::Record::user_id) as &[Option<String>],
        tenants as &[Option<String>],
        &texts(ragtrace::Record::service) as &[Option<String>],
        &texts(ragtrace::Record::environment) as &[Option<String>],
        &texts(ragtrace::Record::version) as &[Option<String>],
        &texts(ragtrace::Record::host) as &[Option<String>],
        &column(scores, |score| score.record.instance()),
        &texts(ragtrace::Record::thread) as &[Option<String>]
    );
    insert.execute(transaction).await.map(drop)
}
