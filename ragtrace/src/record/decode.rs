//! Parsing a record from its canonical JSON.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ragtrace_core::context::Request;
use ragtrace_core::{ErrorInfo, Event, SpanLink};
use uuid::Uuid;

use super::accessors::Record;
use super::chunk_builder::ChunkBuilder;
use super::item::RecordItem;
use super::messages::other_than_usual;
use super::origin::Origin;
use super::parts::{ChunkIndex, Extras, OptionalU64, OwnedSubject, RecordFlags, RecordParts};
use super::path::PathStep;
use super::score::RecordScore;
use crate::json_members::{Json, JsonError, Members, compact};
use crate::{Timestamp, Value};

impl Record {
    /// Parses a record from canonical JSON as written by [`Record::to_json`], in this version or an
    /// earlier one.
    ///
    /// Unknown members are ignored.
    ///
    /// # Errors
    ///
    /// Returns an error if `line` is not JSON, or not the canonical JSON of a record.
    pub fn from_json(line: &str) -> Result<Self, DecodeRecordError> {
        let mut chunks = Vec::new();
        add_json(&mut chunks, line)?;
        let record = chunks.pop().and_then(|chunk| chunk.finish().pop());
        record.ok_or_else(|| DecodeRecordError::record("it is empty"))
    }
}

/// Parses a record and adds it to the last of `chunks`, or to a new chunk if it comes from another
/// process.
pub(crate) fn add_json(chunks: &mut Vec<ChunkBuilder>, line: &str) -> Result<(), DecodeRecordError> {
    let members = Members::of(line)?;
    let origin = origin(&members)?;
    if chunks.last().is_none_or(|chunk| *chunk.origin() != origin) {
        chunks.push(ChunkBuilder::new(Arc::new(origin)));
    }
    match chunks.last_mut() {
        Some(chunk) => add_record(chunk, &members),
        None => Ok(()),
    }
}

/// An error returned when a text is not the canonical JSON of a record.
///
/// If the text is not JSON at all, [`source`](Error::source) returns the parser's error.
#[derive(Debug, Clone)]
pub struct DecodeRecordError(Fault);

#[derive(Debug, Clone)]
enum Fault {
    Json(JsonError),
    /// The text is JSON, but not that of a record.
    Record(String),
}

impl DecodeRecordError {
    fn record(why: impl Into<String>) -> Self {
        Self(Fault::Record(why.into()))
    }

    /// Returns the message, followed by that of the source.
    pub(crate) fn reason(&self) -> String {
        match self.source() {
            Some(source) => format!("{self}: {source}"),
            None => self.to_string(),
        }
    }
}

impl fmt::Display for DecodeRecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this line is not a record in canonical JSON")?;
        match &self.0 {
            // The source describes a malformed text.
            Fault::Json(JsonError::Malformed(_)) => Ok(()),
            Fault::Json(error) => write!(f, ": {error}"),
            Fault::Record(why) => write!(f, ": {why}"),
        }
    }
}

impl Error for DecodeRecordError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Fault::Json(JsonError::Malformed(error)) => Some(&**error),
            Fault::Json(JsonError::OutOfRange(_)) | Fault::Record(_) => None,
        }
    }
}

impl From<JsonError> for DecodeRecordError {
    fn from(error: JsonError) -> Self {
        Self(Fault::Json(error))
    }
}

fn required<T: std::str::FromStr>(members: &Members<'_>, name: &str) -> Result<T, DecodeRecordError> {
    members.parsed(name).ok_or_else(|| DecodeRecordError::record(format!("`{name}` is missing or malformed")))
}

fn add_record(chunk: &mut ChunkBuilder, members: &Members<'_>) -> Result<(), DecodeRecordError> {
    let event = members.text("event").and_then(Event::from_name);
    let event = event.ok_or_else(|| DecodeRecordError::record("`event` is missing or unknown"))?;
    let (context, metrics) = (members.object("context")?, members.object("metrics")?);
    let millis = |name| Duration::try_from_secs_f64(metrics.as_ref()?.float(name)? / 1_000.0).ok();
    let owned = |name| members.text(name).map(|text| Cow::Owned(text.to_owned()));
    let subject = OwnedSubject {
        logger: owned("logger").unwrap_or_default(),
        message: owned("message").and_then(|message| other_than_usual(message, members.text("stage"), event)),
        stage: owned("stage"),
        kind: members.parsed("kind"),
        source: members.object("source")?.and_then(|m| source(&m)),
    };
    let error = members.object("error")?.map(|m| error(&m)).transpose()?.unwrap_or_default();
    let stack_trace = members.text("stack_trace").map(str::to_owned);
    let has_failed = members.get("error").is_some() || stack_trace.is_some();
    let failure = has_failed.then_some((error, stack_trace));
    let (id, timestamp, level) =
        (required(members, "id")?, required(members, "timestamp")?, required(members, "level")?);
    let is_root = members.get("local_root") == Some(&Json::Bool(true));
    let extras = Extras {
        id: Some(id),
        subject,
        failure,
        used: items(members, "used")?,
        generated: items(members, "generated")?,
        path: path(members)?,
        score: members.object("score")?.and_then(|score| record_score(&score)).map(Box::new),
    };
    let parts = RecordParts {
        request: request(members)?.map_or(ChunkIndex::NONE, |request| chunk.request_index(&request)),
        span_id: members.parsed("span_id"),
        parent_span_id: members.parsed("parent_span_id"),
        flags: RecordFlags::default().with(RecordFlags::LOCAL_ROOT, is_root),
        thread: members.text("thread").map_or(ChunkIndex::NONE, |thread| chunk.thread_index(&Arc::from(thread))),
        duration: OptionalU64::from(millis("duration_ms")),
        busy: OptionalU64::from(millis("busy_ms")),
        count: OptionalU64::from(metrics.as_ref().and_then(|m| m.unsigned("count"))),
        extras: Some(Box::new(extras)),
        ..RecordParts::new(timestamp, event, level, None)
    };
    for (name, json) in context.iter().flat_map(Members::iter) {
        chunk.add_context(Cow::Owned(name.to_owned()), value(json));
    }
    let members_of_their_own = ["duration_ms", "busy_ms", "count"];
    for (name, json) in metrics.iter().flat_map(Members::iter).filter(|(name, _)| !members_of_their_own.contains(name))
    {
        chunk.add_metric(Cow::Owned(name.to_owned()), value(json));
    }
    chunk.add(parts);
    Ok(())
}

fn request(members: &Members<'_>) -> Result<Option<Arc<Request>>, JsonError> {
    let Some(trace_id) = members.parsed("trace_id") else { return Ok(None) };
    let mut request = Request::new(trace_id);
    let boxed = |name| members.text(name).map(Into::into);
    request.request_id = boxed("request_id").map(Into::into);
    request.user_id = boxed("user_id");
    request.tenant_id = boxed("tenant_id");
    request.session_id = boxed("session_id");
    request.request_type = boxed("request_type");
    request.langsmith_parent = boxed("langsmith_parent");
    request.links = links(members)?;
    Ok(Some(Arc::new(request)))
}

fn links(members: &Members<'_>) -> Result<Box<[SpanLink]>, JsonError> {
    let link = |json: Json<'_>| -> Result<Option<SpanLink>, JsonError> {
        let Json::Nested(json) = json else { return Ok(None) };
        let members = Members::of(json)?;
        Ok(members.parsed("trace_id").zip(members.parsed("span_id")).map(|(trace, span)| SpanLink::new(trace, span)))
    };
    members.list("links")?.into_iter().map(link).filter_map(Result::transpose).collect()
}

fn origin(members: &Members<'_>) -> Result<Origin, DecodeRecordError> {
    let text = |name| members.text(name).map(str::to_owned);
    Ok(Origin {
        service: text("service"),
        environment: text("environment"),
        version: text("version"),
        host: text("host"),
        instance: required::<Uuid>(members, "instance")?,
    })
}

fn value(json: &Json<'_>) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => number
            .as_u64()
            .map(Value::U64)
            .or_else(|| number.as_negative().map(Value::I64))
            .unwrap_or_else(|| Value::F64(number.as_f64())),
        Json::Text(text) => Value::Text(Cow::Owned(text.clone())),
        Json::Nested(json) => Value::Json(Cow::Owned(compact(json))),
    }
}

fn items(members: &Members<'_>, name: &str) -> Result<Vec<RecordItem>, JsonError> {
    let item = |json: Json<'_>| -> Result<Option<RecordItem>, JsonError> {
        let Json::Nested(json) = json else { return Ok(None) };
        let members = Members::of(json)?;
        let (Some(item_type), Some(id)) = (members.text("type"), members.text("id")) else { return Ok(None) };
        let owned = |name| members.text(name).map(str::to_owned);
        Ok(Some(RecordItem {
            item_type: Cow::Owned(item_type.to_owned()),
            id: id.into(),
            score: members.float("score"),
            content: owned("content"),
            source: owned("source"),
            derived_from: members.text("derived_from").map(Into::into),
        }))
    };
    members.list(name)?.into_iter().map(item).filter_map(Result::transpose).collect()
}

fn path(members: &Members<'_>) -> Result<Option<Arc<[PathStep]>>, JsonError> {
    let step = |json: Json<'_>| {
        let Json::Nested(json) = json else { return None };
        let (span_id, start, is_detached) = serde_json::from_str::<(&str, i64, bool)>(json).ok().or_else(|| {
            // Only a detached step has the third member.
            serde_json::from_str::<(&str, i64)>(json).ok().map(|(span_id, start)| (span_id, start, false))
        })?;
        Some(PathStep::new(span_id.parse().ok()?, Timestamp::from_micros(start)).with_detached(is_detached))
    };
    let steps: Arc<[PathStep]> = members.list("path")?.into_iter().filter_map(step).collect();
    Ok(Some(steps).filter(|steps| !steps.is_empty()))
}

fn record_score(members: &Members<'_>) -> Option<RecordScore> {
    Some(RecordScore {
        name: members.text("name")?.into(),
        value: value(members.get("value")?),
        by: members.text("by").map(Into::into),
        comment: members.text("comment").map(str::to_owned),
    })
}

fn error(members: &Members<'_>) -> Result<ErrorInfo, JsonError> {
    let text_of = |json| match json {
        Json::Text(text) => Some(text),
        _ => None,
    };
    let chain = members.list("chain")?.into_iter().filter_map(text_of).collect();
    let text = |name| members.text(name).unwrap_or_default().to_owned();
    Ok(ErrorInfo::new(text("type"), text("message"), chain))
}

fn source(members: &Members<'_>) -> Option<(Cow<'static, str>, u32)> {
    let line = members.unsigned("line").and_then(|line| u32::try_from(line).ok())?;
    Some((Cow::Owned(members.text("file")?.to_owned()), line))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;
    use ragtrace_core::{Level, Timestamp};

    use super::*;

    /// Returns a record with these fields as its context, and in reverse order as its metrics.
    fn record(fields: &[(&'static str, Value)]) -> Record {
        let origin = Origin { service: None, environment: None, version: None, host: None, instance: Uuid::nil() };
        let mut chunk = ChunkBuilder::new(Arc::new(origin));
        for (name, value) in fields {
            chunk.add_context(Cow::Borrowed(name), value.clone());
        }
        for (name, value) in fields.iter().rev() {
            chunk.add_metric(Cow::Borrowed(name), value.clone());
        }
        let (logger, message) = (Cow::Borrowed("a logger"), Some(Cow::Borrowed("a message")));
        let subject = OwnedSubject { logger, message, ..OwnedSubject::default() };
        let extras = Some(Box::new(Extras { subject, ..Extras::default() }));
        chunk.add(RecordParts { extras, ..RecordParts::new(Timestamp::from_micros(7), Event::Log, Level::Info, None) });
        chunk.finish().pop().expect("a record")
    }

    #[test]
    fn fields_are_read_back_in_their_order() {
        let given =
            record(&[("z", Value::U64(1)), ("a", Value::Null), ("m", Value::I64(-3)), ("b", Value::Bool(true))]);
        assert_eq!(Record::from_json(&given.to_json()).expect("a record").to_json(), given.to_json());
    }

    #[cfg(feature = "testing")]
    #[test]
    fn items_path_score_and_langsmith_parent_are_read_back() {
        use crate::record::RecordBuilder;
        use crate::{SpanId, TraceId};

        let span_id = SpanId::new();
        let chunk = RecordItem::new("chunk", "c \"1\"").with_score(0.91).with_content("a\ntext");
        let ended = RecordBuilder::completed("retrieval")
            .trace_id(TraceId::new())
            .span_id(span_id)
            .langsmith_parent("20261126T101500000000Z0199a5b2-6f1e-7c3a-8a4b-0123456789ab")
            .used(RecordItem::new("document", "d").with_source("a.pdf"))
            .generated(chunk.with_derived_from("d"))
            .path([
                PathStep::new(SpanId::new(), Timestamp::from_micros(5)).with_detached(true),
                PathStep::new(span_id, Timestamp::from_micros(7)),
            ])
            .field("filters", Value::Json(Cow::Borrowed(r#"{"a":[1.5,null]}"#)))
            .build();
        let score = RecordScore::new("faithfulness", 0.83).with_by("llm").with_comment("as the sources say");
        for record in [ended, RecordBuilder::score(score).build()] {
            let read = Record::from_json(&record.to_json()).expect("a record");
            assert_eq!(read.to_json(), record.to_json());
            assert_eq!((read.used(), read.generated()), (record.used(), record.generated()));
            assert_eq!((read.path(), read.score()), (record.path(), record.score()));
            assert_eq!(read.field("filters"), record.field("filters"));
            assert_eq!(read.langsmith_parent(), record.langsmith_parent());
            assert_eq!(read.detached().to_json(), record.to_json());
        }
    }

    #[test]
    fn a_line_that_is_no_record_is_refused_with_what_is_wrong_and_its_source() {
        let refused = |line: &str| Record::from_json(line).expect_err("it is no record");
        let begin = "this line is not a record in canonical JSON";
        let error = refused("{");
        let source = error.source().expect("the parser's").to_string();
        assert_eq!((error.to_string(), error.reason()), (begin.to_owned(), format!("{begin}: {source}")));
        for (line, why) in
            [("{}", "`instance` is missing or malformed"), (r#"{"n":1e999}"#, "the number 1e999 is out of range")]
        {
            let error = refused(line);
            assert_eq!((error.to_string(), error.source().is_none()), (format!("{begin}: {why}"), true));
            assert_eq!(error.reason(), error.to_string());
        }
    }

    #[test]
    fn a_field_that_is_no_single_value_is_read_as_its_json() {
        let json = given_context(r#"{"list": [ 1.50, {"b": " ", "a": null} ]}"#);
        let read = Record::from_json(&json).expect("a record");
        assert_eq!(read.field("list").and_then(Value::as_json), Some(r#"[1.50,{"b":" ","a":null}]"#));
    }

    fn given_context(context: &str) -> String {
        record(&[]).to_json().replacen('{', &format!("{{\"context\":{context},"), 1)
    }

    proptest! {
        #[test]
        fn every_float_is_read_back_to_the_last_bit(bits in any::<u64>()) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());
            let read = Record::from_json(&record(&[("number", Value::F64(number))]).to_json()).expect("a record");
            let of = |value: Option<&Value>| match value {
                Some(Value::F64(number)) => Some(number.to_bits()),
                _ => None,
            };
            prop_assert_eq!(of(read.field("number")), Some(bits));
            prop_assert_eq!(read.metric("number").map(f64::to_bits), Some(bits));
        }
    }
}
