//! Logs: the contents of an entry, and the limits of the intake.

use std::time::Duration;

use ragtrace::sink::{Delivered, Verdict};
use ragtrace::testing::RecordBuilder;
use ragtrace::{Level, RecordItem, SpanId, StageKind, TraceId, Value};
use serde_json::json;

use crate::support::{ago, built, deliver, delivered, origin, server, sink};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

fn failed() -> RecordBuilder {
    let record =
        RecordBuilder::failed("completion", "TimeoutError", "no answer").kind(StageKind::Generate).origin(origin());
    let record = record.trace_id(TraceId::from_u128(0x0199_aabb_ccdd).expect("an id"));
    let record = record.span_id(SpanId::from_u64(u64::MAX).expect("an id"));
    record.user_id("alice").tenant_id("acme").thread("worker-1").logger("rag::ask").source("src/ask.rs", 7)
}

#[test]
fn an_entry_says_what_the_record_does_by_the_names_of_datadog() {
    let server = server();
    let record = failed().parent_span_id(SpanId::from_u64(5).expect("an id")).caused_by("connection reset");
    let record = record.stack_trace("0: main").duration(Duration::from_micros(1_500)).count(3).busy(MINUTE / 60);
    let record = record.field("doc.name", "a.pdf").field("http.method", "GET").metric("avg_chars", 12.5);
    let record = record.field("tree", Value::Json(r#"{"a":[1,{"b":null}]}"#.into()));
    let record = record.used(RecordItem::new("chunk", "c-1").with_score(0.5).with_content("secret text")).build();
    let entries = delivered(&server, &sink(&server).tag("Team: Search"), vec![record.clone()]);
    let expected = json!([{
        "message": "completion_failed", "ddsource": "ragtrace", "status": "error", "event": "failed",
        "ddtags": "env:test,service:rag-ask,version:1.4.2,team:_search",
        "service": "rag-ask", "hostname": "host-1", "timestamp": record.timestamp().as_micros() / 1_000,
        "dd.trace_id": "000000000000000000000199aabbccdd", "dd.span_id": "18446744073709551615",
        "dd.parent_id": "5", "dd.service": "rag-ask", "dd.env": "test", "dd.version": "1.4.2",
        "stage": "completion", "kind": "generate", "logger.name": "rag::ask", "logger.thread_name": "worker-1",
        "code.file.path": "src/ask.rs", "code.line.number": 7,
        "usr.id": "alice", "tenant_id": "acme", "record_id": record.id().to_string(), "instance": record.instance().to_string(),
        "duration": 1_500_000,
        "error": {"kind": "TimeoutError", "message": "no answer", "stack": "caused by: connection reset\n0: main"},
        "metrics": {"busy_ms": 1000.0, "count": 3, "avg_chars": 12.5},
        "context": {"doc.name": "a.pdf", "tree": {"a": [1, {"b": null}]}},
        "http.method": "GET",
        "used": [{"type": "chunk", "id": "c-1", "score": 0.5}], "used_count": 1,
    }]);
    assert_eq!(entries, expected);
}

#[test]
fn a_line_and_a_score_are_entries_too_and_levels_become_statuses() {
    let server = server();
    let lines = Level::ALL.map(|level| RecordBuilder::log(format!("at {level}")).level(level));
    let score = ragtrace::RecordScore::new("faithfulness", 0.8).with_by("llm").with_comment("as it says");
    let records = built(lines.into_iter().chain([RecordBuilder::score(score)]));
    let entries = delivered(&server, &sink(&server), records);
    let statuses: Vec<_> = (0..5).map(|index| entries[index]["status"].as_str().expect("a status")).collect();
    assert_eq!(statuses, ["debug", "debug", "info", "warn", "error"]);
    assert_eq!(entries[1]["message"], "at DEBUG");
    assert_eq!(
        entries[5]["score"],
        json!({"name": "faithfulness", "value": 0.8, "by": "llm", "comment": "as it says"})
    );
}

#[test]
fn a_line_in_a_stage_has_its_own_place_and_the_kind_of_the_stage() {
    let server = server();
    let line = |text: &str, number: u32| RecordBuilder::log(text).logger("rag::search").source("src/search.rs", number);
    let inside = |text: &str, kind| line(text, 7).stage("search").kind(kind);
    let records = built([
        line("outside", 7),
        inside("slow", StageKind::Retrieve),
        inside("slower", StageKind::Rerank),
        line("later", 9),
        RecordBuilder::log("of nowhere").logger("rag::search"),
    ]);
    let entries = delivered(&server, &sink(&server), records);
    let of = |index: usize| {
        let entry = &entries[index];
        [&entry["code.file.path"], &entry["code.line.number"], &entry["stage"], &entry["kind"]]
            .map(serde_json::Value::clone)
    };
    let [file, none] = [json!("src/search.rs"), json!(null)];
    assert_eq!(of(0), [file.clone(), json!(7), none.clone(), none.clone()]);
    assert_eq!(of(1), [file.clone(), json!(7), json!("search"), json!("retrieve")]);
    assert_eq!(of(2), [file.clone(), json!(7), json!("search"), json!("rerank")]);
    assert_eq!(of(3), [file, json!(9), none.clone(), none.clone()]);
    assert_eq!(of(4), [none.clone(), none.clone(), none.clone(), none]);
}

#[test]
fn what_the_sink_is_told_is_for_records_without_and_the_host_for_all() {
    let server = server();
    let sink = sink(&server).service("fallback").environment("dev").version("2").hostname("node-7");
    let unknown = RecordBuilder::log("a").origin(ragtrace::Origin::new(ragtrace::uuid::Uuid::from_u128(1)));
    let entries = delivered(&server, &sink, built([unknown, RecordBuilder::log("b").origin(origin())]));
    let of = |index: usize| [&entries[index]["service"], &entries[index]["dd.env"], &entries[index]["hostname"]];
    assert_eq!(of(0), [&json!("fallback"), &json!("dev"), &json!("node-7")]);
    assert_eq!(of(1), [&json!("rag-ask"), &json!("test"), &json!("node-7")]);
    assert_eq!(entries[0]["ddtags"], "env:dev,service:fallback,version:2");
}

#[test]
fn what_is_too_old_or_to_come_is_not_sent_and_refused_with_that_reason() {
    let server = server();
    let times = [ago(18 * HOUR + MINUTE), ago(17 * HOUR + 50 * MINUTE), ago(Duration::ZERO), ago(HOUR).plus(4 * HOUR)];
    let records = built(times.map(|time| RecordBuilder::log("a line").timestamp(time)));
    let delivered = deliver(&sink(&server), records).expect("the others are taken");
    let [(0, old), (3, ahead)] = delivered.rejected() else { panic!("{delivered:?}") };
    assert!(old.ends_with("logs is 18 h") && ahead.ends_with("logs is 2 h"), "{old}; {ahead}");
    assert_eq!(server.take_requests()[0].json().as_array().expect("a list").len(), 2);

    let all_old = built((0..20).map(|_| RecordBuilder::log("a line").timestamp(ago(30 * HOUR))));
    let delivered = deliver(&sink(&server), all_old).expect("nothing is sent");
    assert_eq!((delivered.rejected().len(), server.take_requests().len()), (20, 0));
}

#[test]
fn a_batch_beyond_the_limits_is_split_before_it_is_sent() {
    let server = server();
    let too_many = built((0..1_001).map(|_| RecordBuilder::log("a line")));
    assert_eq!(deliver(&sink(&server), too_many).expect_err("too many").verdict(), Verdict::Split);
    let text = "x".repeat(500_000);
    let too_large = built((0..11).map(|_| RecordBuilder::log("a line").field("text", text.clone())));
    assert_eq!(deliver(&sink(&server), too_large).expect_err("too large").verdict(), Verdict::Split);
    assert!(server.take_requests().is_empty());
    let enough = built((0..1_000).map(|_| RecordBuilder::log("a line")));
    assert_eq!(delivered(&server, &sink(&server), enough).as_array().map(Vec::len), Some(1_000));
}

#[test]
fn an_entry_over_a_megabyte_is_cut_with_a_mark_and_counted() {
    let server = server();
    let sink = sink(&server);
    let long = |sign: &str| RecordBuilder::log("a line").field("text", sign.repeat(400_000)).field("short", "stays");
    let entries = delivered(&server, &sink, built([long("\u{1}"), long("ä"), long("x")]));
    for (index, is_cut) in [(0, true), (1, false), (2, false)] {
        let text = entries[index]["context"]["text"].as_str().expect("a text");
        assert_eq!(text.contains("…[truncated "), is_cut, "{index}");
        assert_eq!(entries[index]["context"]["short"], "stays");
    }
    assert_eq!(sink.counts().cut_entries(), 1);
    let long_message = RecordBuilder::log("y".repeat(1_200_000));
    let entries = delivered(&server, &sink, built([long_message]));
    let message = entries[0]["message"].as_str().expect("a text");
    assert!(message.ends_with(" bytes]") && message.len() < 70_000, "{}", message.len());
}

#[test]
fn fields_that_are_too_many_are_left_out_and_counted() {
    let server = server();
    let sink = sink(&server);
    let many = (0..300).fold(failed(), |record, number| record.field(format!("field.{number}"), number));
    let full = (0..300).fold(failed(), |record, number| record.metric(format!("n{number}"), number));
    let full = (0..20).fold(full, |record, id| {
        let item = RecordItem::new("chunk", id.to_string()).with_score(0.5);
        record.used(item.clone()).generated(item)
    });
    delivered(&server, &crate::support::sink(&server), built([full]));
    let wide = format!("[{}]", vec!["1"; 400].join(","));
    let wide = failed().field("wide", Value::Json(wide.clone().into())).field("next", 1);
    let entries = delivered(&server, &sink, built([many, wide]));
    assert_eq!(entries[0]["context"].as_object().map(serde_json::Map::len), Some(217));
    assert_eq!(entries[0]["ragtrace.fields_left_out"], 83);
    assert!(entries[1]["context"]["wide"].is_string(), "JSON with too many values is a text");
    assert_eq!(entries[1]["context"]["next"], 1);
    assert_eq!(sink.counts().fields_left_out(), 83);
}

#[test]
fn the_sink_answers_for_its_name_level_and_limits() {
    use ragtrace::Sink;
    let sink = ragtrace_sinks::DatadogSink::new("k").named("logs-eu").level(Level::Warn);
    assert_eq!((Sink::name(&sink), Sink::level(&sink)), ("logs-eu", Some(Level::Warn)));
    assert_eq!(sink.limits().records, 1_000);
    assert_eq!(Sink::name(&sink.metrics()), "logs-eu-metrics");
    let spans = sink.llm_observability("app");
    assert_eq!((Sink::name(&spans), Sink::name(&spans.evaluations())), ("logs-eu-llmobs", "logs-eu-evaluations"));
    let nothing = deliver(&sink, Vec::new()).expect("nothing to send is no request");
    assert_eq!(nothing, Delivered::all());
}

#[test]
fn a_field_whose_name_when_cut_is_another_s_is_left_out_and_counted() {
    let server = server();
    let logs = sink(&server);
    let long = |ending: &str| format!("{}{ending}", "n".repeat(49));
    let record = RecordBuilder::log("a line").field(long("-1"), 1).field(long("-2"), 2).field("", 3).field("_", 4);
    let entries = delivered(&server, &logs, built([record.metric(long("-3"), 5)]));
    assert_eq!(entries[0]["context"], json!({(long("")): 1, "_": 4}));
    assert_eq!(entries[0]["metrics"], json!({(long("")): 5}));
    assert_eq!((&entries[0]["ragtrace.fields_left_out"], logs.counts().fields_left_out()), (&json!(2), 2));
}
