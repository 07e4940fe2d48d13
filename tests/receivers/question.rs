//! The question of `golden/question.json` as the records that a worker would give to a sink.
//!
//! The requests that official clients send for the same question are beside that file. Tests of
//! other packages include this file by its path.

use std::sync::Arc;
use std::time::Duration;

use ragtrace::testing::RecordBuilder;
use ragtrace::{Origin, PathStep, Record, RecordItem, RecordScore, SpanId, Timestamp, TraceId, Value};
use serde_json::Value as Json;

/// The description, as JSON.
pub(crate) const QUESTION: &str = include_str!("golden/question.json");

/// The fields of a span that are fields of its record.
const FIELDS: [&str; 7] = ["input", "output", "query", "model", "provider", "prompt_name", "prompt_version"];
/// The fields of a span that are numbers of its record.
const METRICS: [&str; 8] = [
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "cost_usd",
    "dimensions",
    "top_k",
];

/// Returns the parsed description.
pub(crate) fn question() -> Json {
    serde_json::from_str(QUESTION).expect("the description is JSON")
}

/// Returns the end record of each span, in the order of the description, each with its path.
pub(crate) fn end_records() -> Vec<Record> {
    let question = question();
    let origin = Arc::new(origin(&question));
    list(&question, "spans").iter().map(|span| end_record(&question, span, &origin)).collect()
}

/// Returns the records of the scores.
pub(crate) fn score_records() -> Vec<Record> {
    let question = question();
    let origin = Arc::new(origin(&question));
    list(&question, "scores").iter().map(|score| score_record(&question, score, &origin)).collect()
}

fn score_record(question: &Json, score: &Json, origin: &Arc<Origin>) -> Record {
    let value = ["number", "flag", "label"].iter().find_map(|kind| value(&score[kind])).expect("a value");
    let mut made = RecordScore::new(text(score, "name"), value).with_by(text(score, "by"));
    if let Some(comment) = score["comment"].as_str() {
        made = made.with_comment(comment);
    }
    let judged = span_named(question, text(score, "span"));
    requested(RecordBuilder::score(made), question)
        .origin(Arc::clone(origin))
        .timestamp(started_at(question).plus(Duration::from_mins(1)))
        .span_id(span_id(judged))
        .build()
}

fn end_record(question: &Json, span: &Json, origin: &Arc<Origin>) -> Record {
    let error = &span["error"];
    let mut record = if error.is_null() {
        RecordBuilder::completed(text(span, "name"))
    } else {
        let failed = RecordBuilder::failed(text(span, "name"), text(error, "type"), text(error, "message"));
        list(error, "chain").iter().filter_map(Json::as_str).fold(failed, RecordBuilder::caused_by)
    };
    record = requested(record, question)
        .origin(Arc::clone(origin))
        .kind(text(span, "kind").parse().expect("a known kind"))
        .span_id(span_id(span))
        .timestamp(start_of(question, span).plus(micros(span, "duration_us")))
        .duration(micros(span, "duration_us"))
        .local_root(span["parent"].is_null())
        .path(path(question, span));
    if let Some(parent) = span["parent"].as_str() {
        record = record.parent_span_id(span_id(span_named(question, parent)));
    }
    for name in FIELDS {
        record = value(&span[name]).into_iter().fold(record, |record, value| record.field(name, value));
    }
    for name in METRICS {
        record = value(&span[name]).into_iter().fold(record, |record, value| record.metric(name, value));
    }
    if span["first_item_us"].is_u64() {
        record = record.metric("first_item_ms", micros(span, "first_item_us").as_secs_f64() * 1_000.0);
    }
    record = items(span, "used").into_iter().fold(record, RecordBuilder::used);
    items(span, "generated").into_iter().fold(record, RecordBuilder::generated).build()
}

/// Sets the ids that all records of the request have.
fn requested(record: RecordBuilder, question: &Json) -> RecordBuilder {
    record
        .trace_id(text(question, "trace_id").parse::<TraceId>().expect("a trace id"))
        .user_id(text(question, "user_id"))
        .tenant_id(text(question, "tenant_id"))
        .session_id(text(question, "session_id"))
        .request_type(text(question, "request_type"))
}

fn origin(question: &Json) -> Origin {
    Origin::new("0199a000-0000-7000-8000-000000000001".parse().expect("a UUID"))
        .with_service(text(question, "service"))
        .with_environment(text(question, "environment"))
        .with_version(text(question, "version"))
}

/// Returns the steps from the root down to a span.
fn path(question: &Json, span: &Json) -> Vec<PathStep> {
    let mut steps = vec![PathStep::new(span_id(span), start_of(question, span))];
    let mut at = span;
    while let Some(parent) = at["parent"].as_str() {
        at = span_named(question, parent);
        steps.push(PathStep::new(span_id(at), start_of(question, at)));
    }
    steps.reverse();
    steps
}

fn items(span: &Json, direction: &str) -> Vec<RecordItem> {
    let listed = span[direction].as_array().map_or(&[][..], Vec::as_slice);
    let item = |item: &Json| {
        let mut made = RecordItem::new(text(item, "type").to_owned(), text(item, "id"));
        made = item["score"].as_f64().into_iter().fold(made, RecordItem::with_score);
        made = item["content"].as_str().into_iter().fold(made, RecordItem::with_content);
        item["source"].as_str().into_iter().fold(made, RecordItem::with_source)
    };
    listed.iter().map(item).collect()
}

/// Returns a value of the description as a stage would have recorded it.
fn value(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::String(text) => Value::Text(text.clone().into()),
        Json::Number(number) => match number.as_u64() {
            Some(whole) => Value::U64(whole),
            None => Value::F64(number.as_f64().expect("a number")),
        },
        structured => Value::Json(structured.to_string().into()),
    })
}

fn span_named<'a>(question: &'a Json, name: &str) -> &'a Json {
    list(question, "spans").iter().find(|span| span["name"] == name).expect("a span of this name")
}

fn span_id(span: &Json) -> SpanId {
    text(span, "span_id").parse().expect("a span id")
}

fn start_of(question: &Json, span: &Json) -> Timestamp {
    started_at(question).plus(micros(span, "start_us"))
}

fn started_at(question: &Json) -> Timestamp {
    text(question, "started_at").parse().expect("a time")
}

fn micros(json: &Json, member: &str) -> Duration {
    Duration::from_micros(json[member].as_u64().expect("microseconds"))
}

fn text<'a>(json: &'a Json, member: &str) -> &'a str {
    json[member].as_str().unwrap_or_else(|| panic!("{member} is a text"))
}

fn list<'a>(json: &'a Json, member: &str) -> &'a [Json] {
    json[member].as_array().unwrap_or_else(|| panic!("{member} is a list"))
}
