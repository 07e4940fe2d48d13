//! A record read back from its canonical JSON.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ragtrace_core::context::Request;
use ragtrace_core::{ErrorInfo, Event};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::accessors::Record;
use super::chunk_builder::ChunkBuilder;
use super::origin::Origin;
use super::parts::{ChunkIndex, Extras, OptionalU64, OwnedSubject, RecordFlags, RecordParts};
use crate::Value;

impl Record {
    /// Reads one record from its canonical JSON, which [`Record::to_json`] wrote in this version or
    /// an earlier one. Members that are not known are passed over.
    pub fn from_json(line: &str) -> Result<Self, DecodeRecordError> {
        let mut chunks = Vec::new();
        add_json(&mut chunks, line)?;
        let record = chunks.pop().and_then(|chunk| chunk.finish().pop());
        record.ok_or_else(|| DecodeRecordError("it is empty".to_owned()))
    }
}

/// Reads a record from its canonical JSON into the last of `chunks`, or into a new one if it comes
/// from another process.
pub(crate) fn add_json(chunks: &mut Vec<ChunkBuilder>, line: &str) -> Result<(), DecodeRecordError> {
    let json: Json = serde_json::from_str(line).map_err(|error| DecodeRecordError(error.to_string()))?;
    let object = json.as_object().ok_or_else(|| DecodeRecordError("it is not an object".to_owned()))?;
    let members = Members(object);
    let origin = origin(&members)?;
    if chunks.last().is_none_or(|chunk| *chunk.origin() != origin) {
        chunks.push(ChunkBuilder::new(Arc::new(origin)));
    }
    match chunks.last_mut() {
        Some(chunk) => add_record(chunk, &members),
        None => Ok(()),
    }
}

/// A text that is not the canonical JSON of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeRecordError(String);

impl fmt::Display for DecodeRecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this line is not a record in canonical JSON: {}", self.0)
    }
}

impl std::error::Error for DecodeRecordError {}

struct Members<'a>(&'a Map<String, Json>);

impl Members<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Json::as_str)
    }

    fn boxed(&self, name: &str) -> Option<Box<str>> {
        self.text(name).map(Into::into)
    }

    fn parsed<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.text(name).and_then(|text| text.parse().ok())
    }

    fn required<T: std::str::FromStr>(&self, name: &str) -> Result<T, DecodeRecordError> {
        self.parsed(name).ok_or_else(|| DecodeRecordError(format!("`{name}` is missing or malformed")))
    }

    fn object(&self, name: &str) -> Option<Members<'_>> {
        self.0.get(name).and_then(Json::as_object).map(Members)
    }
}

fn add_record(chunk: &mut ChunkBuilder, members: &Members<'_>) -> Result<(), DecodeRecordError> {
    let event = members.text("event").and_then(Event::from_name);
    let event = event.ok_or_else(|| DecodeRecordError("`event` is missing or unknown".to_owned()))?;
    let metrics = members.object("metrics");
    let millis = |name| {
        let number = metrics.as_ref()?.0.get(name)?.as_f64()?;
        Duration::try_from_secs_f64(number / 1_000.0).ok()
    };
    let owned = |name| members.text(name).map(|text| Cow::Owned(text.to_owned()));
    let subject = OwnedSubject {
        logger: owned("logger").unwrap_or_default(),
        message: owned("message").filter(|_| event == Event::Log),
        stage: owned("stage"),
        kind: members.parsed("kind"),
        source: members.object("source").and_then(|m| source(&m)),
    };
    let error = members.object("error").map(|m| error(&m)).unwrap_or_default();
    let stack_trace = members.text("stack_trace").map(str::to_owned);
    let has_failed = members.0.contains_key("error") || stack_trace.is_some();
    let failure = has_failed.then_some((error, stack_trace));
    let (id, timestamp, level) = (members.required("id")?, members.required("timestamp")?, members.required("level")?);
    let parts = RecordParts {
        request: request(members).map_or(ChunkIndex::NONE, |request| chunk.request_index(&request)),
        span_id: members.parsed("span_id"),
        parent_span_id: members.parsed("parent_span_id"),
        flags: RecordFlags::default()
            .with(RecordFlags::LOCAL_ROOT, members.0.get("local_root") == Some(&Json::Bool(true))),
        thread: members.text("thread").map_or(ChunkIndex::NONE, |thread| chunk.thread_index(&Arc::from(thread))),
        duration: OptionalU64::from(millis("duration_ms")),
        busy: OptionalU64::from(millis("busy_ms")),
        count: OptionalU64::from(metrics.as_ref().and_then(|m| m.0.get("count")).and_then(Json::as_u64)),
        extras: Some(Box::new(Extras { id: Some(id), subject, failure })),
        ..RecordParts::new(timestamp, event, level, None)
    };
    let context = members.object("context");
    for (name, json) in context.iter().flat_map(|context| context.0) {
        chunk.add_context(Cow::Owned(name.clone()), value(json));
    }
    let members_of_their_own = ["duration_ms", "busy_ms", "count"];
    for (name, json) in
        metrics.iter().flat_map(|m| m.0).filter(|(name, _)| !members_of_their_own.contains(&name.as_str()))
    {
        chunk.add_metric(Cow::Owned(name.clone()), value(json));
    }
    chunk.add(parts);
    Ok(())
}

fn request(members: &Members<'_>) -> Option<Arc<Request>> {
    let mut request = Request::new(members.parsed("trace_id")?);
    request.request_id = members.boxed("request_id");
    request.user_id = members.boxed("user_id");
    request.tenant_id = members.boxed("tenant_id");
    request.session_id = members.boxed("session_id");
    request.request_type = members.boxed("request_type");
    Some(Arc::new(request))
}

fn origin(members: &Members<'_>) -> Result<Origin, DecodeRecordError> {
    let text = |name| members.text(name).map(str::to_owned);
    Ok(Origin {
        service: text("service"),
        environment: text("environment"),
        version: text("version"),
        host: text("host"),
        instance: members.required::<Uuid>("instance")?,
    })
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => number
            .as_u64()
            .map(Value::U64)
            .or_else(|| number.as_i64().map(Value::I64))
            .or_else(|| number.as_f64().map(Value::F64))
            .unwrap_or(Value::Null),
        Json::String(text) => Value::Text(Cow::Owned(text.clone())),
        Json::Array(_) | Json::Object(_) => Value::Text(Cow::Owned(json.to_string())),
    }
}

fn error(members: &Members<'_>) -> ErrorInfo {
    let chain = members.0.get("chain").and_then(Json::as_array);
    let chain = chain.into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect();
    let text = |name| members.text(name).unwrap_or_default().to_owned();
    ErrorInfo::new(text("type"), text("message"), chain)
}

fn source(members: &Members<'_>) -> Option<(Cow<'static, str>, u32)> {
    let line = members.0.get("line")?.as_u64().and_then(|line| u32::try_from(line).ok())?;
    Some((Cow::Owned(members.text("file")?.to_owned()), line))
}
