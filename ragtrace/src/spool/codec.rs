//! A batch as bytes, and back.
//!
//! The form is text, so that a spool can be read by a person: a line of JSON with the batch's id
//! and counts, then the canonical JSON of each record, a line each. [`VERSION`] is the number of
//! this form; a later one that cannot be read as this one has another number.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use ragtrace_core::Timestamp;
use ragtrace_core::context::Request;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::metrics::{DurationSketch, RequestMetric, RunStatus, StageMinute};
use crate::record::{ChunkBuilder, Origin, add_json};
use crate::sink::Batch;

/// The number of the form that is written.
pub(super) const VERSION: u64 = 1;

/// Returns the bytes of a batch.
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

/// Returns the batch of some bytes, or what is wrong with them.
pub(super) fn decode(bytes: &[u8]) -> Result<Batch, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let mut lines = text.split('\n');
    let header: Json = serde_json::from_str(lines.next().unwrap_or_default()).map_err(|error| error.to_string())?;
    if header["version"] != json!(VERSION) {
        return Err(format!("its format is {}, and this version reads {VERSION}", header["version"]));
    }
    let mut chunks = Vec::new();
    lines.try_for_each(|line| add_json(&mut chunks, line).map_err(|error| error.to_string()))?;
    let records: Vec<_> = chunks.into_iter().flat_map(ChunkBuilder::finish).collect();
    if header["records"] != json!(records.len()) {
        return Err(format!("it has {} records instead of {}", records.len(), header["records"]));
    }
    let list = |name: &str| header[name].as_array().map_or(&[][..], Vec::as_slice);
    let requests =
        list("requests").iter().map(request).collect::<Option<Vec<_>>>().ok_or("its requests are malformed")?;
    let minutes = list("minutes").iter().map(minute).collect::<Option<Vec<_>>>().ok_or("its minutes are malformed")?;
    let id: Uuid = parsed(&header, "id").ok_or("its id is malformed")?;
    let batch = Batch::new(id, records).with_metrics(requests, minutes);
    Ok(match (origin(&header["origin"]), parsed(&header, "closed_at")) {
        (Some(origin), Some(closed_at)) => batch.with_origin(origin, closed_at),
        _ => batch,
    })
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

fn origin(json: &Json) -> Option<Origin> {
    let text = |name: &str| json[name].as_str().map(str::to_owned);
    Some(Origin {
        service: text("service"),
        environment: text("environment"),
        version: text("version"),
        host: text("host"),
        instance: parsed(json, "instance")?,
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
    })
}

fn request(json: &Json) -> Option<RequestMetric> {
    let mut request = Request::new(parsed(json, "trace_id")?);
    request.user_id = json["user_id"].as_str().map(Into::into);
    request.tenant_id = json["tenant_id"].as_str().map(Into::into);
    Some(RequestMetric {
        timestamp: parsed(json, "timestamp")?,
        operation: Cow::Owned(json["operation"].as_str()?.to_owned()),
        duration: Duration::from_nanos(json["duration_ns"].as_u64()?),
        status: RunStatus::from_name(json["status"].as_str()?)?,
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

fn minute(json: &Json) -> Option<StageMinute> {
    Some(StageMinute {
        minute: parsed::<Timestamp>(json, "minute")?,
        stage: Cow::Owned(json["stage"].as_str()?.to_owned()),
        kind: parsed(json, "kind")?,
        tenant_id: json["tenant_id"].as_str().map(Into::into),
        completed: json["completed"].as_u64()?,
        failed: json["failed"].as_u64()?,
        cancelled: json["cancelled"].as_u64()?,
        items: json["items"].as_u64()?,
        // A sum that is not finite has no form in JSON.
        cost_usd: json["cost_usd"].as_f64().unwrap_or(0.0),
        total: json["total_ns"].as_u64()?,
        durations: parsed::<DurationSketch>(json, "durations")?,
    })
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn parsed<T: std::str::FromStr>(json: &Json, name: &str) -> Option<T> {
    json[name].as_str()?.parse().ok()
}
