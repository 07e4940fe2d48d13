//! LLM Observability: the contents of a span, and the limits of both intakes.

use std::time::Duration;

use ragtrace::sink::Verdict;
use ragtrace::testing::RecordBuilder;
use ragtrace::{RecordItem, SpanId, StageKind, TraceId, Value};
use ragtrace_sinks::DatadogLlmObsSink;
use ragtrace_sinks_support::Server;
use serde_json::json;

use crate::support::{ago, built, deliver, delivered, origin, server, sink};

fn documented(server: &Server) -> DatadogLlmObsSink {
    sink(server).llm_observability("rag-ask")
}

fn through_agent(server: &Server) -> DatadogLlmObsSink {
    sink(server).agent(server.url()).llm_observability("rag-ask")
}

fn json(text: &str) -> Value {
    Value::Json(text.to_owned().into())
}

fn of_kind(kind: StageKind) -> RecordBuilder {
    let record = RecordBuilder::completed("a_stage").kind(kind).origin(origin()).duration(Duration::from_millis(20));
    let record = record.trace_id(TraceId::from_u128(0xabc).expect("an id"));
    record.span_id(SpanId::from_u64(0xa1).expect("an id")).session_id("s-1").user_id("alice")
}

/// Delivers one record to the documented intake, and returns its span.
fn span(record: RecordBuilder) -> serde_json::Value {
    let server = server();
    let body = delivered(&server, &documented(&server), built([record]));
    assert_eq!(server.requests().len(), 0);
    assert_eq!(body["data"]["attributes"]["ml_app"], "rag-ask");
    body["data"]["attributes"]["spans"][0].clone()
}

#[test]
fn a_call_of_a_model_has_its_messages_tokens_and_cost() {
    let record = of_kind(StageKind::Generate).parent_span_id(SpanId::from_u64(0xa0).expect("an id"));
    let record = record
        .field(
            "input",
            json(
                r#"[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Hi"}]}]"#,
            ),
        )
        .field("output", json(r#"{"role":"assistant","content":"Hello."}"#))
        .field("model", "gpt-5-mini")
        .field("provider", "OpenAI")
        .field("prompt_name", "greeting")
        .field("prompt_version", 3)
        .field("temperature", 0.5)
        .field("tags", json(r#"["a",{"b":1}]"#));
    let numbers = [("input_tokens", 210), ("output_tokens", 18), ("cached_tokens", 128), ("cache_write_tokens", 16)];
    let record = numbers.into_iter().fold(record, |record, (name, number)| record.metric(name, number));
    let record = record.metric("reasoning_tokens", 6).metric("cost_usd", 0.00031).metric("first_item_ms", 350.0);
    let record = record.metric("p.q", 1.5).timestamp(ago(Duration::ZERO));
    let built = record.clone().build();
    let span = span(record);
    let start = (built.timestamp().as_micros() - 20_000) * 1_000;
    assert_eq!(
        span,
        json!({
            "name": "a_stage", "span_id": "161", "trace_id": "00000000000000000000000000000abc", "parent_id": "160",
            "apm_trace_id": "00000000000000000000000000000abc", "service": "rag-ask", "session_id": "s-1",
            "start_ns": start, "duration": 20_000_000, "status": "ok",
            "meta": {
                "kind": "llm", "model_name": "gpt-5-mini", "model_provider": "openai",
                "input": {
                    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
                    "prompt": {"id": "greeting", "version": "3"},
                },
                "output": {"messages": [{"role": "assistant", "content": "Hello."}]},
                "metadata": {"temperature": 0.5, "tags": ["a", {"b": 1}]},
            },
            "metrics": {
                "input_tokens": 210, "output_tokens": 18, "total_tokens": 228, "non_cached_input_tokens": 66,
                "cache_read_input_tokens": 128, "cache_write_input_tokens": 16, "reasoning_output_tokens": 6,
                "total_cost": 0.00031, "time_to_first_token": 0.35, "p_q": 1.5,
            },
            "tags": [
                "env:test", "error:0", "language:rust", "ml_app:rag-ask", "service:rag-ask", "session_id:s-1",
                "stage_kind:generate", "user_id:alice", "version:1.4.2",
            ],
        })
    );
}

#[test]
fn calls_of_tools_and_their_results_are_told_apart_from_texts() {
    let input = r#"[{"role":"assistant","content":null,"tool_calls":[
        {"id":"c-1","type":"function","function":{"name":"weather","arguments":"{\"at\": \"Bonn\"}"}},
        {"id":"c-2","name":"odd","arguments":"not JSON"},{"id":"c-3","name":"list","arguments":[1]},{"name":"deep","arguments":{"a":[[[[[1]]]]]}}]},
        {"role":"tool","tool_call_id":"c-1","name":"weather","content":"17 °C"}]"#;
    let span = span(of_kind(StageKind::Generate).field("input", json(input)));
    let messages = &span["meta"]["input"]["messages"];
    assert_eq!(
        messages[0]["tool_calls"],
        json!([
            {"name": "weather", "arguments": {"at": "Bonn"}, "tool_id": "c-1"},
            {"name": "odd", "arguments": {"value": "not JSON"}, "tool_id": "c-2"},
            {"name": "list", "arguments": {"value": [1]}, "tool_id": "c-3"},
            {"name": "deep", "arguments": {"value": r#"{"a":[[[[[1]]]]]}"#}},
        ])
    );
    assert_eq!(messages[1]["tool_results"], json!([{"tool_id": "c-1", "name": "weather", "result": "17 °C"}]));
}

#[test]
fn each_kind_has_its_input_and_output_where_datadog_shows_them() {
    let found = RecordItem::new("chunk", "c-1").with_score(0.91).with_content("Eleven days.").with_source("notes.txt");
    let document = json!({"text": "Eleven days.", "name": "notes.txt", "id": "c-1", "score": 0.91});
    let retrieval =
        span(of_kind(StageKind::Retrieve).field("query", "how long?").generated(found.clone()).metric("top_k", 2));
    assert_eq!(retrieval["meta"]["kind"], "retrieval");
    assert_eq!(retrieval["meta"]["input"], json!({"value": "how long?"}));
    assert_eq!(retrieval["meta"]["output"], json!({"documents": [document]}));
    assert_eq!(retrieval["meta"]["metadata"], json!({"top_k": 2}));

    let rerank = of_kind(StageKind::Rerank).field("query", "how long?").used(found.clone()).generated(found.clone());
    let rerank = span(rerank);
    assert_eq!(rerank["meta"]["kind"], "task");
    let text = rerank["meta"]["output"]["value"].as_str().expect("a text");
    assert_eq!(serde_json::from_str::<serde_json::Value>(text).expect("JSON"), json!([document]));
    assert_eq!(rerank["meta"]["metadata"]["input_documents"], json!([document]));

    let embedding = span(of_kind(StageKind::Embed).field("input", json(r#"["one","two"]"#)).metric("dimensions", 3));
    assert_eq!(embedding["meta"]["input"], json!({"documents": [{"text": "one"}, {"text": "two"}]}));
    assert_eq!(embedding["meta"]["metadata"], json!({"dimensions": 3}));

    let tool = span(of_kind(StageKind::Tool).field("input", json(r#"{"a":1}"#)).field("output", true));
    assert_eq!(tool["meta"]["input"], json!({"value": r#"{"a":1}"#}));
    assert_eq!(tool["meta"]["output"], json!({"value": "true"}));

    let answer = span(of_kind(StageKind::Generate).field("input", "Hi").field("output", "Hello."));
    assert_eq!(answer["meta"]["input"], json!({"messages": [{"role": "user", "content": "Hi"}]}));
    assert_eq!(answer["meta"]["output"], json!({"messages": [{"role": "assistant", "content": "Hello."}]}));

    let kinds = StageKind::ALL.iter().map(|kind| (kind.as_str(), span(of_kind(*kind))["meta"]["kind"].clone()));
    let tasks = kinds.filter(|(_, kind)| kind == "task").map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(tasks, ["parse", "chunk", "enrich", "store", "rerank", "task"]);
}

#[test]
fn no_number_of_the_application_s_is_taken_for_one_that_datadog_counts() {
    let record = of_kind(StageKind::Generate).metric("input_tokens", 10).metric("cost_usd", 0.5);
    let theirs = [
        "total_cost",
        "total.cost",
        "total_tokens",
        "input_cost",
        "output_cost",
        "time_to_first_token",
        "cache_read_input_tokens",
        "non_cached_input_tokens",
    ];
    let record = theirs.into_iter().fold(record, |record, name| record.metric(name, 7));
    let record = record.metric("a.b", 1.5).metric("a_b", 2.5);
    let of_input = RecordItem::new("chunk", "c-1");
    let span = span(record.field("input", "Hi").used(of_input).field("input_documents", "of the application"));
    assert_eq!(
        span["metrics"],
        json!({
            "input_tokens": 10, "total_tokens": 10, "total_cost": 0.5, "a_b": 1.5,
            "field_total_cost": 7.0, "field_total_tokens": 7.0, "field_input_cost": 7.0, "field_output_cost": 7.0,
            "field_time_to_first_token": 7.0, "field_cache_read_input_tokens": 7.0,
            "field_non_cached_input_tokens": 7.0,
        })
    );
    assert_eq!(
        span["meta"]["metadata"],
        json!({"input_documents": [{"id": "c-1"}], "field.input_documents": "of the application"})
    );
}

#[test]
fn a_root_tells_the_links_of_its_request() {
    let (trace, other) = (TraceId::new(), SpanId::from_u64(0xab).expect("an id"));
    let record = of_kind(StageKind::Pipeline).local_root(true).link(trace, other).field("links", "of the application");
    assert_eq!(
        span(record)["meta"]["metadata"],
        json!({"links": [{"trace_id": trace.to_string(), "span_id": "00000000000000ab"}], "field.links": "of the application"})
    );
}

#[test]
fn all_content_that_is_declared_is_in_the_span_once() {
    let found = RecordItem::new("chunk", "c-1");
    let both = of_kind(StageKind::Retrieve).field("input", json(r#"{"q":"how long?"}"#)).field("query", "how long?");
    let both = span(both.field("output", "one chunk").generated(found.clone()));
    assert_eq!(both["meta"]["input"], json!({"value": r#"{"q":"how long?"}"#}));
    assert_eq!(both["meta"]["output"], json!({"documents": [{"id": "c-1"}]}));
    assert_eq!(both["meta"]["metadata"], json!({"query": "how long?", "output": "one chunk"}));
    for kind in StageKind::ALL {
        let record =
            of_kind(*kind).field("input", "in-1").field("query", json(r#"["query-1"]"#)).field("output", "out-1");
        let text = span(record.used(RecordItem::new("chunk", "used-1")).generated(found.clone())).to_string();
        for content in ["in-1", "query-1", "out-1", "used-1", "c-1"] {
            assert_eq!(text.matches(content).count(), 1, "{kind}: {content} in {text}");
        }
    }
}

#[test]
fn spans_over_a_megabyte_together_are_no_request_where_they_would_be_lost() {
    let server = server();
    let of_size = |bytes| of_kind(StageKind::Generate).field("input", "x".repeat(bytes));
    let two = || built([of_size(500_000), of_size(500_000)]);
    let error = deliver(&documented(&server), two()).expect_err("too large together");
    assert_eq!(error.verdict(), Verdict::Split, "{error}");
    delivered(&server, &documented(&server), built([of_size(400_000), of_size(400_000)]));
    delivered(&server, &documented(&server), built([of_size(3_000_000)]));
    // Through the Agent, each span is an event of its own.
    delivered(&server, &through_agent(&server), two());
}

#[test]
fn a_failure_is_an_error_a_cancelled_run_is_none_and_a_caller_elsewhere_is_no_parent() {
    let failed =
        of_kind(StageKind::Tool).failure("ConnectError", "no connection").caused_by("refused").stack_trace("0: f");
    let failed = span(failed);
    assert_eq!(failed["status"], "error");
    assert_eq!(
        failed["meta"]["error"],
        json!({"message": "no connection", "type": "ConnectError", "stack": "refused\n0: f"})
    );
    let tags: Vec<_> = failed["tags"].as_array().expect("tags").iter().filter_map(|tag| tag.as_str()).collect();
    assert!(tags.contains(&"error:1") && tags.contains(&"error_type:ConnectError"), "{tags:?}");
    assert_eq!(failed["parent_id"], "undefined");

    let cancelled =
        RecordBuilder::cancelled("a_stage").parent_span_id(SpanId::from_u64(7).expect("an id")).local_root(true);
    let cancelled = span(cancelled);
    assert_eq!((&cancelled["status"], &cancelled["parent_id"]), (&json!("ok"), &json!("undefined")));
    assert!(cancelled["tags"].as_array().expect("tags").contains(&json!("outcome:cancelled")));
}

#[test]
fn through_the_agent_each_span_is_an_event_without_a_key() {
    let server = server();
    let records = built([of_kind(StageKind::Pipeline), of_kind(StageKind::Task), RecordBuilder::started("x")]);
    let events = delivered(&server, &through_agent(&server), records);
    assert_eq!(events.as_array().map(Vec::len), Some(2), "a start makes no span");
    let span = &events[0]["spans"][0];
    assert_eq!(span["meta"]["span"]["kind"], "workflow");
    assert_eq!(span["_dd"]["apm_trace_id"], span["trace_id"]);
}

#[test]
fn spans_of_yesterday_are_refused_with_that_reason() {
    let server = server();
    let times = [ago(Duration::from_hours(25)), ago(Duration::from_hours(23))];
    let records = built(times.map(|time| of_kind(StageKind::Task).timestamp(time)));
    let delivered = deliver(&documented(&server), records).expect("the other is taken");
    let [(0, why)] = delivered.rejected() else { panic!("{delivered:?}") };
    assert!(why.contains("is too old: the limit for Datadog's LLM Observability is 24 h"), "{why}");
}

#[test]
fn json_that_is_too_deep_is_a_text() {
    let deep = |levels| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    let record = of_kind(StageKind::Task).field("deep", json(&deep(30))).field("flat", json(&deep(8)));
    let span = span(record);
    assert!(span["meta"]["metadata"]["deep"].is_string() && span["meta"]["metadata"]["flat"].is_array());
}

#[test]
fn a_span_over_five_megabytes_loses_its_content_and_says_so() {
    for through_the_agent in [false, true] {
        let server = server();
        let sink = if through_the_agent { through_agent(&server) } else { documented(&server) };
        let large = of_kind(StageKind::Generate).field("input", "x".repeat(5_100_000)).metric("input_tokens", 7);
        let body = delivered(&server, &sink, built([large.clone()]));
        let span = if through_the_agent { &body[0]["spans"][0] } else { &body["data"]["attributes"]["spans"][0] };
        assert_eq!(span["collection_errors"], json!(["dropped_io"]));
        assert_eq!(span["meta"]["input"]["value"], "[left out: the span would be over 5,000,000 bytes]");
        assert_eq!(span["metrics"]["input_tokens"], 7);
        assert_eq!(sink.counts().cut_spans(), 1);

        let half = of_kind(StageKind::Generate).field("input", "x".repeat(3_000_000));
        let error = deliver(&sink, built([half.clone(), half])).expect_err("too large together");
        assert_eq!(error.verdict(), Verdict::Split, "{error}");
    }
}

#[test]
fn a_host_that_is_set_stands_in_for_a_site_that_is_none() {
    let server = server();
    let spans = sink(&server).site("datad0g.com").llm_observability("rag-ask");
    deliver(&spans, built([of_kind(StageKind::Task)])).expect("the host is known");
    let score = RecordBuilder::score(ragtrace::RecordScore::new("faithfulness", 0.8));
    deliver(&spans.evaluations(), built([score.trace_id(TraceId::new())])).expect("the host is known");
}

#[test]
fn a_name_that_is_none_or_a_site_without_the_product_parks() {
    let server = server();
    for (sink, why) in [
        (sink(&server).llm_observability("My App"), "found \"My App\""),
        (sink(&server).llm_observability("x".repeat(194)), "193"),
        (ragtrace_sinks::DatadogSink::new("k").site("ddog-gov.com").llm_observability("a"), "no LLM Observability"),
        (ragtrace_sinks::DatadogSink::new("k").site("datadog.com").llm_observability("a"), "is not a Datadog site"),
    ] {
        let error = deliver(&sink, built([of_kind(StageKind::Task)])).expect_err("no such thing");
        assert_eq!(error.verdict(), Verdict::Park);
        assert!(error.to_string().contains(why), "{error}");
    }
}
