//! Log records: log lines, scores, and stages if enabled.

use std::time::Duration;

use opentelemetry_proto::tonic::logs::v1::LogRecord;
use ragtrace::testing::RecordBuilder;
use ragtrace::{Level, Record, RecordScore, Value};
use ragtrace_sinks::{OtlpLogSink, OtlpSink};

use crate::fixture::{BEGIN, placed, span_id, trace, trace_id};
use crate::receiver::{attribute, log_records, resource_logs, sent, shown};

fn logs(url: &str) -> OtlpLogSink {
    OtlpSink::new(url).logs().expect("a Collector takes logs")
}

fn log_of(record: Record) -> LogRecord {
    log_records(&sent(logs, vec![record])).remove(0)
}

fn line(level: Level) -> RecordBuilder {
    placed(RecordBuilder::log("index is stale"), 3, 0, 5)
        .level(level)
        .logger("rag.index")
        .stage("search")
        .metric("age_s", 90_u64)
}

#[test]
fn a_line_has_the_ids_of_where_it_was_written() {
    let log = log_of(line(Level::Warn).build());
    assert_eq!(log.trace_id, trace_id().as_u128().to_be_bytes());
    assert_eq!(log.span_id, span_id(3).as_u64().to_be_bytes());
    let at = u64::try_from(BEGIN.plus(Duration::from_millis(5)).as_micros()).expect("after 1970") * 1_000;
    assert_eq!((log.time_unix_nano, log.observed_time_unix_nano, log.flags), (at, at, 1));
    assert_eq!((shown(log.body.as_ref()), &*log.event_name), ("`index is stale`".to_owned(), ""));
    let attribute = |key: &str| attribute(&log.attributes, key).unwrap_or_default();
    assert_eq!((attribute("ragtrace.stage"), attribute("age_s")), ("`search`".into(), "90".into()));
    assert_eq!(attribute("ragtrace.record_id"), "`0199aaaa-bbbb-7000-8000-000000000003`");
    assert_eq!((attribute("session.id"), attribute("user.id")), ("`session-1`".into(), "`alice`".into()));
    let alone = log_of(RecordBuilder::log("no trace").build());
    assert!(alone.trace_id.is_empty() && alone.span_id.is_empty() && alone.flags == 0);
}

#[test]
fn a_level_is_a_number_and_a_text() {
    let severity = |level: Level| {
        let log = log_of(line(level).build());
        (log.severity_number, log.severity_text)
    };
    let expected = [(Level::Trace, 1), (Level::Debug, 5), (Level::Info, 9), (Level::Warn, 13), (Level::Error, 17)];
    for (level, number) in expected {
        assert_eq!(severity(level), (number, level.as_str().to_owned()));
    }
}

#[test]
fn a_score_is_an_event_of_the_genai_conventions() {
    let score = |value: Value| {
        let score = RecordScore::new("faithfulness", value).with_by("llm").with_comment("mostly");
        let log = log_of(placed(RecordBuilder::score(score), 3, 0, 5).build());
        assert_eq!(log.event_name, "gen_ai.evaluation.result");
        assert_eq!(log.span_id, span_id(3).as_u64().to_be_bytes());
        let attribute = |key: &str| attribute(&log.attributes, key);
        assert_eq!(attribute("gen_ai.evaluation.name").as_deref(), Some("`faithfulness`"));
        assert_eq!(attribute("gen_ai.evaluation.explanation").as_deref(), Some("`mostly`"));
        assert_eq!(attribute("ragtrace.score.by").as_deref(), Some("`llm`"));
        (attribute("gen_ai.evaluation.score.value"), attribute("gen_ai.evaluation.score.label"))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(score(Value::F64(0.83)), (some("0.83"), None));
    assert_eq!(score(Value::U64(4)), (some("4.0"), None));
    assert_eq!(score(Value::Bool(true)), (some("1.0"), some("`true`")));
    assert_eq!(score(Value::Text("wrong".into())), (None, some("`wrong`")));
}

#[test]
fn stages_are_log_records_where_they_are_asked_for() {
    let with_events = |url: &str| logs(url).stage_events(true);
    let mut records = trace();
    records.push(placed(RecordBuilder::started("ask"), 1, 0, 0).build());
    records.push(line(Level::Info).build());
    let names = |records: &[LogRecord]| records.iter().map(|log| log.event_name.clone()).collect::<Vec<_>>();
    let all = log_records(&sent(with_events, records.clone()));
    let expected: Vec<_> = ["completed"; 5].iter().chain(&["failed", "cancelled", "completed", "started"]).collect();
    let expected: Vec<_> =
        expected.iter().map(|event| format!("ragtrace.stage.{event}")).chain([String::new()]).collect();
    assert_eq!(names(&all), expected);
    assert_eq!(names(&log_records(&sent(logs, records))), [""], "spans tell what stages did");
}

#[test]
fn a_logger_is_a_scope_and_a_process_a_resource() {
    let other = ragtrace::Origin::new(ragtrace::uuid::Uuid::from_u128(7)).with_service("worker");
    let of = |logger: &str| line(Level::Info).logger(logger);
    let records = vec![of("a").build(), of("a").build(), of("b").build(), of("b").origin(other).build()];
    let shape: Vec<Vec<(String, usize)>> = resource_logs(&sent(logs, records))
        .into_iter()
        .map(|of_resource| {
            let scopes = of_resource.scope_logs.into_iter();
            scopes.map(|scope| (scope.scope.expect("a scope").name, scope.log_records.len())).collect()
        })
        .collect();
    let of = |name: &str, number| (name.to_owned(), number);
    assert_eq!(shape, [vec![of("a", 2), of("b", 1)], vec![of("b", 1)]]);
}
