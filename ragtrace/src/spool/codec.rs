//! The encoding of a batch as bytes.
//!
//! The encoding is text, so that people can read a spool: a line of JSON with the batch's id and
//! metrics, then a line with the canonical JSON of each record. [`VERSION`] is the number of this
//! encoding; an incompatible one gets another number.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use ragtrace_core::Timestamp;
use ragtrace_core::context::Request;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::json_members::{Json as Read, JsonError, Members};
use crate::metrics::{DurationSketch, RequestMetric, StageMinute};
use crate::record::{ChunkBuilder, Origin, add_json};
use crate::sink::Batch;

/// The version of the encoding that is written.
pub(super) const VERSION: u64 = 1;

/// Encodes a batch.
pub(super) fn encode(batch: &Batch) -> Vec<u8> {
    let header = json!({
        "version": VERSION,
        "id": batch.id().to_string(),
        "origin": batch.origin().map(origin_json),
        "closed_at": batch.closed_at().map(|at| at.to_string()),
        "records": batch.records().len(),
        "requests": batch.requests().iter().map(request_json).collect::<Vec<_>>(),
        "minutes": batch.minutes().iter().map(minute_json).collect::<Vec<_>>(),
    });
    let mut bytes = header.to_string().into_bytes();
    for record in batch.records() {
        bytes.push(b'\n');
        record.write_json(&mut bytes);
    }
    bytes
}

/// Decodes a batch, or returns a description of what is wrong with the bytes.
pub(super) fn decode(bytes: &[u8]) -> Result<Batch, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let mut lines = text.split('\n');
    let header = Members::of(lines.next().unwrap_or_default())?;
    let version = header.unsigned("version");
    if version != Some(VERSION) {
        let version = version.map_or_else(|| "unknown".to_owned(), |version| version.to_string());
        return Err(format!("its format is {version}, and this version reads {VERSION}"));
    }
    let mut chunks = Vec::new();
    lines.try_for_each(|line| add_json(&mut chunks, line).map_err(|error| error.reason()))?;
    let records: Vec<_> = chunks.into_iter().flat_map(ChunkBuilder::finish).collect();
    let expected = header.unsigned("records").ok_or("its number of records is malformed")?;
    if expected != records.len() as u64 {
        return Err(format!("it has {} records instead of {expected}", records.len()));
    }
    let requests = list(&header, "requests", request)?.ok_or("its requests are malformed")?;
    let minutes = list(&header, "minutes", minute)?.ok_or("its minutes are malformed")?;
    let id: Uuid = header.parsed("id").ok_or("its id is malformed")?;
    let batch = Batch::new(id, records).with_metrics(requests, minutes);
    Ok(match (header.object("origin")?.and_then(|m| origin(&m)), header.parsed("closed_at")) {
        (Some(origin), Some(closed_at)) => batch.with_origin(origin, closed_at),
        _ => batch,
    })
}

/// Decodes a batch and returns it encoded again, or a description of what is wrong with the bytes.
#[cfg(fuzzing)]
pub(crate) fn rewrite_batch(bytes: &[u8]) -> Result<Vec<u8>, String> {
    decode(bytes).map(|batch| encode(&batch))
}

/// Reads each object of a list with `read`, or returns `None` if one of them is malformed.
fn list<T>(
    header: &Members<'_>,
    name: &str,
    read: impl Fn(&Members<'_>) -> Option<T>,
) -> Result<Option<Vec<T>>, JsonError> {
    let one = |json| match json {
        Read::Nested(text) => Members::of(text).map(|members| read(&members)),
        _ => Ok(None),
    };
    header.list(name)?.into_iter().map(one).collect()
}

fn origin_json(origin: &Origin) -> Json {
    json!({
        "service": origin.service(),
        "environment": origin.environment(),
        "version": origin.version(),
        "host": origin.host(),
        "instance": origin.instance().to_string(),
    })
}

fn origin(members: &Members<'_>) -> Option<Origin> {
    let text = |name| members.text(name).map(str::to_owned);
    Some(Origin {
        service: text("service"),
        environment: text("environment"),
        version: text("version"),
        host: text("host"),
        instance: members.parsed("instance")?,
    })
}

fn request_json(request: &RequestMetric) -> Json {
    json!({
        "timestamp": request.timestamp().to_string(),
        "operation": request.operation(),
        "duration_ns": nanos(request.duration()),
        "status": request.status().as_str(),
        "trace_id": request.trace_id().to_string(),
        "user_id": request.user_id(),
        "tenant_id": request.tenant_id(),
        "session_id": request.session_id(),
    })
}

fn request(members: &Members<'_>) -> Option<RequestMetric> {
    let mut request = Request::new(members.parsed("trace_id")?);
    request.user_id = members.text("user_id").map(Into::into);
    request.tenant_id = members.text("tenant_id").map(Into::into);
    request.session_id = members.text("session_id").map(Into::into);
    Some(RequestMetric {
        timestamp: members.parsed("timestamp")?,
        operation: Cow::Owned(members.text("operation")?.to_owned()),
        duration: Duration::from_nanos(members.unsigned("duration_ns")?),
        status: members.parsed("status")?,
        request: Arc::new(request),
    })
}

fn minute_json(minute: &StageMinute) -> Json {
    json!({
        "minute": minute.minute().to_string(),
        "stage": minute.stage(),
        "kind": minute.kind().as_str(),
        "tenant_id": minute.tenant_id(),
        "completed": minute.completed(),
        "failed": minute.failed(),
        "cancelled": minute.cancelled(),
        "items": minute.items(),
        "cost_usd": minute.cost_usd(),
        "total_ns": minute.total,
        "durations": minute.durations().to_string(),
    })
}

fn minute(members: &Members<'_>) -> Option<StageMinute> {
    Some(StageMinute {
        minute: members.parsed::<Timestamp>("minute")?,
        stage: Cow::Owned(members.text("stage")?.to_owned()),
        kind: members.parsed("kind")?,
        tenant_id: members.text("tenant_id").map(Into::into),
        completed: members.unsigned("completed")?,
        failed: members.unsigned("failed")?,
        cancelled: members.unsigned("cancelled")?,
        items: members.unsigned("items")?,
        // A sum that is not finite cannot be written in JSON.
        cost_usd: members.float("cost_usd").unwrap_or(0.0),
        total: members.unsigned("total_ns")?,
        durations: members.parsed::<DurationSketch>("durations")?,
    })
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cost_is_read_back_to_the_last_bit(bits in any::<u64>()) {
            let cost_usd = f64::from_bits(bits);
            prop_assume!(cost_usd.is_finite());
            let minute = StageMinute {
                minute: Timestamp::from_micros(60_000_000),
                stage: Cow::Borrowed("embedding"),
                kind: ragtrace_core::StageKind::Embed,
                tenant_id: None,
                completed: 2,
                failed: 1,
                cancelled: 0,
                items: 3,
                cost_usd,
                total: 4,
                durations: DurationSketch::new(),
            };
            let batch = Batch::new(Uuid::nil(), Vec::new()).with_metrics(Vec::new(), vec![minute]);
            let read = decode(&encode(&batch)).expect("a batch");
            let costs: Vec<_> = read.minutes().iter().map(|minute| minute.cost_usd().to_bits()).collect();
            prop_assert_eq!(costs, [bits]);
        }
    }
}
