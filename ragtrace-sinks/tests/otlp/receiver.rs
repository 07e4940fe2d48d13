//! A receiver of OTLP, and a readable form of what it received.

use std::fmt::Write;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use prost::Message;
use ragtrace::sink::{Batch, Delivered, SinkError};
use ragtrace::uuid::Uuid;
use ragtrace::{Record, Sink};
use ragtrace_sinks_support::{Answer, Received, Server};

/// Starts a receiver that accepts everything.
pub(crate) fn receiver() -> Server {
    Server::start(|_| Answer::status(200))
}

/// Delivers records, and returns the verdict.
pub(crate) fn deliver(sink: &impl Sink, records: impl Into<Vec<Record>>) -> Result<Delivered, SinkError> {
    block_on(sink.deliver(&Batch::new(Uuid::now_v7(), records)))
}

/// Runs a future to its end.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(future)
}

/// Delivers records to a new receiver, and returns the request.
pub(crate) fn sent<S: Sink>(make: impl FnOnce(&str) -> S, records: impl Into<Vec<Record>>) -> Received {
    let server = receiver();
    let delivered = deliver(&make(&server.url()), records).expect("all is well");
    assert_eq!(delivered, Delivered::all());
    let mut requests = server.take_requests();
    assert_eq!(requests.len(), 1, "one request a batch");
    requests.remove(0)
}

pub(crate) fn resource_spans(request: &Received) -> Vec<ResourceSpans> {
    assert_eq!(request.header("content-type"), Some("application/x-protobuf"));
    ExportTraceServiceRequest::decode(&*request.body).expect("a request of traces").resource_spans
}

pub(crate) fn spans(request: &Received) -> Vec<Span> {
    let scopes = resource_spans(request).into_iter().flat_map(|of_resource| of_resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

pub(crate) fn resource_logs(request: &Received) -> Vec<ResourceLogs> {
    assert_eq!(request.header("content-type"), Some("application/x-protobuf"));
    ExportLogsServiceRequest::decode(&*request.body).expect("a request of logs").resource_logs
}

pub(crate) fn log_records(request: &Received) -> Vec<LogRecord> {
    let scopes = resource_logs(request).into_iter().flat_map(|of_resource| of_resource.scope_logs);
    scopes.flat_map(|scope| scope.log_records).collect()
}

/// Returns the shown value of an attribute.
pub(crate) fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let mut found = attributes.iter().filter(|attribute| attribute.key == key);
    let value = shown(found.next()?.value.as_ref());
    assert!(found.next().is_none(), "{key} comes twice");
    Some(value)
}

/// Returns attributes, one a line, after `indent`.
pub(crate) fn lines(attributes: &[KeyValue], indent: &str) -> String {
    let mut lines = String::new();
    for KeyValue { key, value, .. } in attributes {
        writeln!(lines, "{indent}{key} = {}", shown(value.as_ref())).expect("a text");
    }
    lines
}

/// Returns a value in a form that shows its type.
pub(crate) fn shown(value: Option<&AnyValue>) -> String {
    match value.and_then(|any| any.value.as_ref()) {
        Some(Value::StringValue(text)) if text.contains('\n') => format!("{text:?}"),
        Some(Value::StringValue(text)) => format!("`{text}`"),
        Some(Value::BoolValue(value)) => value.to_string(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => format!("{number:?}"),
        Some(Value::ArrayValue(array)) => {
            let values: Vec<_> = array.values.iter().map(|value| shown(Some(value))).collect();
            format!("[{}]", values.join(", "))
        }
        other => panic!("no value of ours: {other:?}"),
    }
}

/// Returns spans as text: their names, times, events and attributes.
pub(crate) fn shown_spans(spans: &[Span]) -> String {
    let start = spans.iter().map(|span| span.start_time_unix_nano).min().unwrap_or(0);
    let mut text = String::new();
    for span in spans {
        let at = |nanos: u64| nanos.saturating_sub(start) / 1_000_000;
        let (kind, status) = (span.kind().as_str_name().trim_start_matches("SPAN_KIND_"), span.status.as_ref());
        let status = status.map_or_else(String::new, |status| {
            let code = status.code().as_str_name().trim_start_matches("STATUS_CODE_");
            format!(" {code} {}", status.message).trim_end().to_owned()
        });
        let (from, to) = (at(span.start_time_unix_nano), at(span.end_time_unix_nano));
        writeln!(
            text,
            "{} {kind} {from}..{to} ms{}",
            span.name,
            if status.is_empty() { "" } else { " " }.to_owned() + status.trim()
        )
        .expect("a text");
        text.push_str(&lines(&span.attributes, "  "));
        for event in &span.events {
            writeln!(text, "  event {} at {} ms", event.name, at(event.time_unix_nano)).expect("a text");
            text.push_str(&lines(&event.attributes, "    "));
        }
    }
    text
}
