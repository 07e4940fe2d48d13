//! Evaluations: scores of spans.

use ragtrace::sink::Delivered;
use ragtrace::testing::RecordBuilder;
use ragtrace::{RecordScore, SpanId, TraceId, Value};
use serde_json::json;

use crate::support::{built, deliver, delivered, origin, server, sink};

fn score(score: RecordScore) -> RecordBuilder {
    let record = RecordBuilder::score(score).origin(origin()).trace_id(TraceId::from_u128(0xabc).expect("an id"));
    record.span_id(SpanId::from_u64(0xa1).expect("an id"))
}

#[test]
fn a_score_joins_its_span_with_a_value_of_its_type() {
    for through_the_agent in [false, true] {
        let server = server();
        let sink = if through_the_agent { sink(&server).agent(server.url()) } else { sink(&server) };
        let number = score(RecordScore::new("answer.faithfulness", 0.83).with_by("llm").with_comment("as it says"));
        let time = number.clone().build();
        let records = built([
            number.timestamp(time.timestamp()),
            score(RecordScore::new("helpful", true)),
            score(RecordScore::new("tone", "terse")),
            score(RecordScore::new("detail", Value::Json(r#"{"a":1}"#.into()))),
            RecordBuilder::completed("no_score"),
        ]);
        let body = delivered(&server, &sink.llm_observability("rag-ask").evaluations(), records);
        let metrics = body["data"]["attributes"]["metrics"].as_array().expect("metrics");
        assert_eq!(metrics.len(), 4);
        assert_eq!(
            metrics[0],
            json!({
                "ml_app": "rag-ask", "timestamp_ms": time.timestamp().as_micros() / 1_000,
                "label": "answer_faithfulness", "metric_type": "score", "score_value": 0.83,
                "join_on": {"span": {"span_id": "161", "trace_id": "00000000000000000000000000000abc"}},
                "reasoning": "as it says", "tags": ["by:llm", "env:test", "service:rag-ask", "version:1.4.2"],
            })
        );
        assert_eq!((&metrics[1]["metric_type"], &metrics[1]["boolean_value"]), (&json!("boolean"), &json!(true)));
        assert_eq!(
            (&metrics[2]["metric_type"], &metrics[2]["categorical_value"]),
            (&json!("categorical"), &json!("terse"))
        );
        assert_eq!((&metrics[3]["metric_type"], &metrics[3]["json_value"]), (&json!("json"), &json!({"a": 1})));
    }
}

#[test]
fn a_score_of_a_trace_joins_the_root_by_the_tag_that_the_root_has() {
    let server = server();
    let spans = sink(&server).llm_observability("rag-ask");
    let trace = TraceId::new();
    let root = RecordBuilder::completed("question").trace_id(trace);
    let inner = RecordBuilder::completed("inner").trace_id(trace).parent_span_id(SpanId::new());
    let body = delivered(&server, &spans, built([root, inner]));
    let tag = json!(format!("root_of_trace:{}", trace.to_hex()));
    let has_tag =
        |index: usize| body["data"]["attributes"]["spans"][index]["tags"].as_array().expect("tags").contains(&tag);
    assert_eq!((has_tag(0), has_tag(1)), (true, false));
    let of_trace = RecordBuilder::score(RecordScore::new("good", true)).trace_id(trace);
    let body = delivered(&server, &spans.evaluations(), built([of_trace]));
    let join = &body["data"]["attributes"]["metrics"][0]["join_on"];
    assert_eq!(*join, json!({"tag": {"key": "root_of_trace", "value": trace.to_hex()}}));
}

#[test]
fn a_score_that_has_no_place_there_is_refused_and_the_others_are_sent() {
    let server = server();
    let of_nothing = RecordBuilder::score(RecordScore::new("good", true));
    let records = built([of_nothing, score(RecordScore::new("nan", f64::NAN)), score(RecordScore::new("good", true))]);
    let sink = sink(&server).llm_observability("rag-ask").evaluations();
    let delivered = deliver(&sink, records).expect("one is taken");
    let [(0, of_nothing), (1, no_number)] = delivered.rejected() else { panic!("{delivered:?}") };
    assert!(of_nothing.contains("no trace") && no_number.contains("not a finite number"), "{of_nothing}; {no_number}");
    let none = deliver(&sink, built([RecordBuilder::log("a line")])).expect("nothing is sent");
    assert_eq!((none, server.take_requests().len()), (Delivered::all(), 1));
}
