//! OTLP in JSON is what the sinks send in the wire format, as another implementation reads both.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use ragtrace::testing::RecordBuilder;
use ragtrace::{Record, RecordScore, Value};
use ragtrace_sinks::{OtlpJson, OtlpSink};

use crate::fixture::{placed, trace};
use crate::receiver::{resource_logs, resource_spans, sent};

fn records() -> Vec<Record> {
    let hostile = "\u{0}\u{1b}[2J\"\\\n\u{2028}\u{1f600}";
    let fields = [
        ("text", Value::Text(hostile.into())),
        ("large", Value::U64(u64::MAX)),
        ("least", Value::I64(i64::MIN)),
        ("float", Value::F64(-0.1)),
        ("infinite", Value::F64(f64::INFINITY)),
        ("flag", Value::Bool(true)),
    ];
    let end =
        fields.iter().fold(RecordBuilder::completed("fields"), |end, (name, value)| end.field(*name, value.clone()));
    let log = placed(RecordBuilder::log(hostile), 90, 5, 6);
    let score = RecordScore::new("faithfulness", 0.83).with_by("llm").with_comment(hostile);
    let score = placed(RecordBuilder::score(score), 91, 6, 7);
    trace().into_iter().chain([placed(end, 92, 7, 8).build(), log.build(), score.build()]).collect()
}

#[test]
fn spans_in_json_are_those_of_the_wire_format() {
    let line = OtlpJson::new().spans(&records()).expect("there are spans");
    assert!(!line.contains('\n') && line.starts_with("{\"resourceSpans\":["), "{line}");
    let read: ExportTraceServiceRequest = serde_json::from_str(&line).expect("a request");
    assert_eq!(read.resource_spans, resource_spans(&sent(OtlpSink::new, records())));
}

#[test]
fn log_records_in_json_are_those_of_the_wire_format() {
    let sink = |url: &str| OtlpSink::new(url).logs().expect("a collector takes logs").stage_events(true);
    let line = OtlpJson::new().stage_events(true).logs(&records()).expect("there are log records");
    let read: ExportLogsServiceRequest = serde_json::from_str(&line).expect("a request");
    assert_eq!(read.resource_logs, resource_logs(&sent(sink, records())));
}

#[test]
fn records_without_a_span_or_a_log_line_make_no_request() {
    let json = OtlpJson::new();
    let log = [placed(RecordBuilder::log("hello"), 1, 0, 1).build()];
    let started = [placed(RecordBuilder::started("ask"), 1, 0, 1).build()];
    assert_eq!((json.spans(&log), json.logs(&started), json.spans(&[])), (None, None, None));
    assert!(json.logs(&log).is_some());
}
