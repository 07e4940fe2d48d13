//! The contents of runs, which equal those that the official Python client sends.

use std::time::Duration;

use ragtrace::testing::RecordBuilder;
use ragtrace::{Record, RecordItem, SpanId, StageKind, TraceId, Value};
use serde_json::{Value as Json, json};

use super::records::{BEGIN, Place, deliver_all, ended};
use super::server::LangSmith;
use super::strict::Run;

#[path = "../../../tests/receivers/question.rs"]
#[expect(dead_code, reason = "what only other tests of the question use")]
mod question;

const MILLISECOND: Duration = Duration::from_millis(1);

/// Delivers one record, and returns its run.
fn run_of(record: RecordBuilder) -> Run {
    let langsmith = LangSmith::start();
    deliver_all(&langsmith.sink(), [record.build()]);
    let kept = langsmith.kept();
    assert_eq!(kept.refused, [""; 0]);
    kept.runs.values().next().expect("a run").clone()
}

fn root(stage: &str) -> RecordBuilder {
    ended(stage, &[Place::new(TraceId::new(), 0)], MILLISECOND)
}

fn json_value(json: &Json) -> Value {
    Value::Json(json.to_string().into())
}

#[test]
fn a_root_has_the_id_of_its_trace_and_one_step() {
    let place = Place::new(TraceId::new(), 5);
    let run = run_of(ended("question", &[place], Duration::from_micros(1_234)));
    let id = place.trace_id.as_uuid().to_string();
    let expected = json!({
        "id": id,
        "trace_id": id,
        "dotted_order": format!("20261122T082011000005Z{id}"),
        "name": "question",
        "run_type": "chain",
        "start_time": "2026-11-22T08:20:11.000005+00:00",
        "end_time": "2026-11-22T08:20:11.001239+00:00",
        "tags": ["task"],
        "session_name": "test",
    });
    assert_eq!(run.main, expected);
    assert_eq!(run.part("extra")["runtime"]["sdk"], "ragtrace");
    assert_eq!(run.metadata()["trace_id"], id);
    assert_eq!(run.metadata()["span_id"], place.span_id.to_string());
}

#[test]
fn every_kind_has_a_type_of_run_and_is_a_tag() {
    for (kind, run_type) in [
        (StageKind::Pipeline, "chain"),
        (StageKind::Parse, "parser"),
        (StageKind::Chunk, "chain"),
        (StageKind::Enrich, "chain"),
        (StageKind::Embed, "embedding"),
        (StageKind::Store, "chain"),
        (StageKind::Retrieve, "retriever"),
        (StageKind::Rerank, "retriever"),
        (StageKind::Generate, "llm"),
        (StageKind::Tool, "tool"),
        (StageKind::Task, "chain"),
    ] {
        let run = run_of(root("stage").kind(kind));
        assert_eq!((run.text("run_type"), &run.main["tags"]), (run_type, &json!([kind.as_str()])));
    }
}

#[test]
fn a_failed_run_says_type_message_causes_and_stack_and_a_cancelled_one_is_an_error_too() {
    let failed = root("a").failure("IngestError", "the file is empty").caused_by("unexpected end of file");
    let run = run_of(failed.stack_trace("0: main"));
    assert_eq!(run.part("error"), "IngestError: the file is empty: unexpected end of file\n\n0: main");
    let twice = root("a").failure("E", "no answer: timed out").caused_by("timed out");
    assert_eq!(run_of(twice).part("error"), "E: no answer: timed out");
    let cancelled = RecordBuilder::cancelled("a").timestamp(BEGIN);
    let run = run_of(cancelled);
    assert_eq!(
        (run.part("error"), &run.metadata()["status"]),
        (&json!("cancelled: dropped before its end"), &json!("cancelled"))
    );
    assert_eq!(run_of(root("a")).part("error"), &Json::Null);
}

#[test]
fn content_is_messages_or_the_object_that_it_is_or_has_a_name() {
    let inputs = |input: Value| run_of(root("a").field("input", input)).part("inputs").clone();
    let outputs = |output: Value| run_of(root("a").field("output", output)).part("outputs").clone();
    let message = json!({ "role": "user", "content": "hello", "extra": [1] });
    let calls =
        json!([{ "role": "assistant", "content": null, "tool_calls": [{ "id": "1", "function": { "name": "f" } }] }]);
    assert_eq!(inputs(Value::from("hello")), json!({ "input": "hello" }));
    assert_eq!(inputs(Value::from(7)), json!({ "input": 7 }));
    assert_eq!(inputs(json_value(&json!([message]))), json!({ "messages": [message] }));
    assert_eq!(outputs(json_value(&message)), json!({ "messages": [message] }));
    assert_eq!(outputs(json_value(&json!([]))), json!({ "output": [] }));
    assert_eq!(outputs(json_value(&json!({}))), json!({}));
    assert_eq!(inputs(json_value(&calls)), json!({ "messages": calls }));
    assert_eq!(inputs(json_value(&json!({ "station": 7 }))), json!({ "station": 7 }));
    assert_eq!(inputs(json_value(&json!(["a"]))), json!({ "input": ["a"] }));
    assert_eq!(run_of(root("a")).part("inputs"), &json!({}));
}

#[test]
fn an_object_is_kept_apart_from_what_has_a_name_of_its_own() {
    let object = json!({ "query": "theirs", "documents": [1], "usage_metadata": 2 });
    let record = root("a")
        .field("input", json_value(&object))
        .field("output", json_value(&object))
        .field("query", "ours")
        .metric("input_tokens", 3)
        .used(RecordItem::new("document", "1"))
        .generated(RecordItem::new("chunk", "2").with_derived_from("1"));
    let run = run_of(record);
    let document = |id, item_type| json!([{ "page_content": "", "type": "Document", "metadata": { "id": id, "item_type": item_type } }]);
    assert_eq!(
        run.part("inputs"),
        &json!({ "input": object, "query": "ours", "documents": document("1", "document") })
    );
    let usage = json!({ "input_tokens": 3, "output_tokens": 0, "total_tokens": 3 });
    let mut made = document("2", "chunk");
    made[0]["metadata"]["derived_from"] = json!("1");
    assert_eq!(run.part("outputs"), &json!({ "output": object, "documents": made, "usage_metadata": usage }));
}

#[test]
fn numbers_beyond_64_bits_nesting_and_names_that_are_ours_do_no_harm() {
    let large: Value = Value::Json("{\"id\":123456789012345678901234567890,\"x\":1e999}".into());
    let deep: String = "[".repeat(2_000) + &"]".repeat(2_000);
    let run = run_of(
        root("odd \"name\"\n\u{0}é\u{1f980}")
            .field("large", large)
            .field("deep", Value::Json(deep.clone().into()))
            .field("user_id", "of a field")
            .field("usage_metadata", "of a field")
            .field("quo\"te\\", u64::MAX)
            .metric("nan", f64::NAN)
            .field("twice", "text")
            .metric("twice", 2)
            .user_id("alice"),
    );
    let metadata = run.metadata();
    assert_eq!(metadata["large"], json!({ "id": "123456789012345678901234567890", "x": "1e999" }));
    assert_eq!(metadata["deep"], deep);
    assert_eq!((&metadata["user_id"], &metadata["field.user_id"]), (&json!("alice"), &json!("of a field")));
    assert_eq!(metadata["field.usage_metadata"], "of a field");
    assert_eq!(metadata["quo\"te\\"], u64::MAX);
    assert_eq!(metadata["nan"], Json::Null);
    assert_eq!((&metadata["twice"], &metadata["metrics.twice"]), (&json!("text"), &json!(2)));
    assert_eq!(run.text("name"), "odd \"name\"\n\u{0}é\u{1f980}");
}

#[test]
fn a_root_tells_the_links_of_its_request() {
    let span = SpanId::from_u64(0xab).expect("not zero");
    let other = TraceId::new();
    let linked = |is_root: bool| root("a").local_root(is_root).link(other, span).field("links", "of a field");
    let run = run_of(linked(true));
    assert_eq!(run.metadata()["links"], json!([{ "trace_id": other.to_string(), "span_id": "00000000000000ab" }]));
    assert_eq!(run.metadata()["field.links"], "of a field");
    assert_eq!(run_of(linked(false)).metadata().get("links"), None);
}

#[test]
fn tags_and_the_project_are_those_of_the_sink() {
    let langsmith = LangSmith::start();
    let sink = langsmith.sink().project("a \"project\"").tag("one").tag("two");
    deliver_all(&sink, [root("a").build()]);
    let kept = langsmith.kept();
    assert_eq!(kept.run("a").main["tags"], json!(["task", "one", "two"]));
    assert_eq!(kept.run("a").main["session_name"], "a \"project\"");
}

#[test]
fn records_that_are_no_run_are_taken_and_not_sent() {
    let langsmith = LangSmith::start();
    let records = [RecordBuilder::started("a").build(), RecordBuilder::log("a line").build()];
    deliver_all(&langsmith.sink(), records);
    assert_eq!(langsmith.server.requests().len(), 0);
    deliver_all(&langsmith.sink(), Vec::new());
}

/// Delivers the question that the Python client was asked.
fn delivered_question() -> LangSmith {
    let langsmith = LangSmith::start();
    let records: Vec<Record> = question::end_records();
    deliver_all(&langsmith.sink().project("receivers"), records);
    assert_eq!(langsmith.kept().refused, [""; 0]);
    langsmith
}

/// Replaces the ids of runs in a text by their names.
fn named(text: &str, langsmith: &LangSmith) -> String {
    let runs: Vec<_> = langsmith.kept().runs.values().cloned().collect();
    runs.iter().fold(text.to_owned(), |text, run| text.replace(run.text("id"), &format!("<{}>", run.text("name"))))
}

/// Returns what the Python client sends for each run, by the parts' names.
fn golden() -> Vec<Run> {
    let golden: Json =
        serde_json::from_str(include_str!("../../../tests/receivers/golden/langsmith.json")).expect("JSON");
    let runs = golden["batch"]["json"]["post"].as_array().expect("runs").iter().map(|run| {
        let mut run = Run { main: run.clone(), ..Run::default() };
        for name in ["inputs", "outputs", "events", "extra", "error", "serialized"] {
            if let Some(part) = run.main.as_object_mut().and_then(|main| main.remove(name)) {
                run.parts.insert(name.to_owned(), part);
            }
        }
        run
    });
    runs.collect()
}

#[test]
fn runs_are_those_of_the_official_python_client_but_for_what_is_listed_here() {
    let langsmith = delivered_question();
    let golden = golden();
    assert_eq!(golden.len(), langsmith.kept().runs.len());
    for mut theirs in golden {
        let name = theirs.text("name").to_owned();
        let mut ours = langsmith.kept().run(&name).clone();
        let main = named(&ours.main.to_string(), &langsmith);
        ours.main = serde_json::from_str(&main).expect("JSON");

        // The client omits microseconds if they are zero, which RFC 3339 allows.
        for end in ["start_time", "end_time"] {
            let time = theirs.text(end).to_owned();
            if !time.contains('.') {
                theirs.main[end] = json!(time.replace("+00:00", ".000000+00:00"));
            }
        }
        assert_eq!(ours.main, theirs.main, "{name}");

        // The client keeps a document's type, which is always `Document`. The type of an item is in
        // the metadata.
        for part in ["inputs", "outputs"] {
            let documents = ours.parts.get_mut(part).and_then(|part| part.get_mut("documents"));
            for document in documents.and_then(Json::as_array_mut).into_iter().flatten() {
                let metadata = document["metadata"].as_object_mut().expect("metadata");
                assert_eq!(metadata.remove("item_type"), Some(json!("chunk")));
            }
            assert_eq!(ours.part(part), theirs.part(part), "{name}'s {part}");
        }
        // The client sends an empty list of events, which means the same as none.
        let events = theirs.parts.remove("events").filter(|events| *events != json!([]));
        assert_eq!(ours.parts.get("events"), events.as_ref(), "{name}");
        assert_eq!(ours.part("error"), theirs.part("error"), "{name}");
        // `serialized` is the manifest of a LangChain object. Only its name is there.
        assert!(theirs.parts.remove("serialized").is_none_or(|manifest| manifest == json!({ "name": name })));

        let (metadata, theirs) = (ours.metadata(), theirs.metadata().as_object().expect("metadata"));
        for (key, value) in theirs {
            // The client repeats the process's variables in every run, including the switch of its
            // own tracing.
            if key != "LANGSMITH_TRACING" {
                assert_eq!(&metadata[key], value, "{name}'s {key}");
            }
        }
        // Members that the client does not have: those by which the run is found in the logs, and
        // the fields of the record.
        let more = [
            "kind",
            "trace_id",
            "span_id",
            "parent_span_id",
            "session_id",
            "request_type",
            "service",
            "environment",
            "version",
            "instance",
            "prompt_name",
            "prompt_version",
            "dimensions",
            "top_k",
        ];
        for key in metadata.as_object().expect("metadata").keys() {
            assert!(theirs.contains_key(key) || more.contains(&key.as_str()), "{name}'s {key}");
        }
    }
}

#[test]
fn parts_and_headers_are_those_of_the_official_python_client() {
    let langsmith = delivered_question();
    let request = langsmith.requests_to("/runs/multipart").remove(0);
    let golden: Json =
        serde_json::from_str(include_str!("../../../tests/receivers/golden/langsmith.json")).expect("JSON");
    let theirs = golden["zstd"]["headers"].as_object().expect("headers");
    for name in theirs.keys() {
        // The workspace is sent if one is set; the question was recorded with one.
        if name != "x-tenant-id" {
            assert!(request.header(name).is_some(), "no header {name}");
        }
    }
    assert_eq!(request.header("content-encoding"), Some("zstd"));
    let body = String::from_utf8(request.body.clone()).expect("UTF-8");
    let names = body.lines().filter_map(|line| line.strip_prefix("Content-Disposition: form-data; name="));
    let ours: Vec<_> = names.map(|name| named(name.trim_matches('"'), &langsmith)).collect();
    // For each of the client's runs, the main part comes first, then its other parts in this order.
    let order = ["", ".inputs", ".outputs", ".events", ".extra", ".error"];
    let expected: Vec<_> = question::end_records()
        .iter()
        .flat_map(|record| order.map(|part| format!("post.<{}>{part}", record.stage().expect("a stage"))))
        .filter(|name| ours.contains(name))
        .collect();
    assert_eq!(ours, expected);
}
