//! Tests the requests to backends that cannot be run here: each is well-formed, and together they
//! contain everything in the store.

use std::collections::BTreeMap;
use std::process::Command;

use ragtrace::StageKind;
use ragtrace_receivers::readers::Recorder;
use ragtrace_receivers::{Folder, Program, Sent, address, wait_for};
use serde_json::Value as Json;

fn recorder() -> (String, Recorder) {
    (address("RAGTRACE_RECORDER_URL"), Recorder(address("RAGTRACE_RECORDER_OUTPUT").into()))
}

/// Runs the conversation with a sink and SQLite.
fn converse(settings: &[(&str, &str)]) -> (Folder, Sent) {
    let folder = Folder::new();
    let run = folder.run(&Program::At(env!("CARGO_BIN_EXE_conversation")), &[], settings);
    assert_eq!(run.code, Some(0), "{}", run.stdout);
    (folder, run.sent)
}

/// Asserts that the models of Datadog's official client accept a payload.
fn assert_taken_by_models(folder: &Folder, kind: &str, payload: &Json) {
    folder.file("payload.json", payload.to_string().as_bytes());
    let checker = concat!(env!("CARGO_MANIFEST_DIR"), "/datadog_models.py");
    let checked = Command::new(address("RAGTRACE_GOLDEN_PYTHON"))
        .args([checker, kind])
        .arg(folder.path("payload.json"))
        .output()
        .expect("Python runs");
    assert!(checked.status.success(), "{kind}: {}", String::from_utf8_lossy(&checked.stderr));
}

fn list(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn log_entries_are_taken_by_the_models_of_datadogs_client_and_none_is_missing() {
    let (url, recorder) = recorder();
    let logs = format!("{url}/api/v2/logs");
    let (folder, sent) = converse(&[
        ("RAGTRACE_SINKS", "datadog,sqlite"),
        ("DD_API_KEY", "0123456789abcdef0123456789abcdef"),
        ("RAGTRACE_DATADOG_LOGS_URL", &logs),
        ("RAGTRACE_DATADOG_API_URL", &url),
    ]);
    let of_trace = |entry: &&Json| entry["dd.trace_id"].as_str() == Some(&sent.trace_id());
    let ours: Vec<_> = sent.records.iter().filter(|record| record.trace_id().is_some()).collect();
    let requests = wait_for("entries", || {
        let requests = recorder.requests("/api/v2/logs");
        let of_ours = |request: &Json| list(&request["json"]).iter().filter(of_trace).count();
        (requests.iter().map(of_ours).sum::<usize>() >= ours.len()).then_some(requests)
    });
    let requests: Vec<_> =
        requests.iter().filter(|request| list(&request["json"]).iter().any(|e| of_trace(&e))).collect();
    for request in &requests {
        assert_eq!(request["headers"]["dd-api-key"], "0123456789abcdef0123456789abcdef");
        assert_taken_by_models(&folder, "logs", &request["json"]);
    }
    let mut messages: Vec<_> =
        requests.iter().flat_map(|r| list(&r["json"])).filter(of_trace).filter_map(|e| e["message"].as_str()).collect();
    let mut wanted: Vec<_> = ours.iter().map(|record| record.message().into_owned()).collect();
    messages.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(messages, wanted);
}

#[test]
fn metrics_of_stages_are_taken_by_the_models_of_datadogs_client() {
    let (url, recorder) = recorder();
    let (folder, sent) = converse(&[
        ("RAGTRACE_SINKS", "datadog,sqlite"),
        ("RAGTRACE_DATADOG_LOGS", "false"),
        ("RAGTRACE_DATADOG_METRICS", "true"),
        ("DD_API_KEY", "0123456789abcdef0123456789abcdef"),
        ("RAGTRACE_DATADOG_API_URL", &url),
    ]);
    let requests =
        wait_for("series", || Some(recorder.requests("/api/v2/series")).filter(|requests| !requests.is_empty()));
    let runs_of = |stage: &str| {
        let tag = format!("stage:{stage}");
        let series = requests.iter().flat_map(|request| list(&request["json"]["series"]));
        let of_stage = series
            .filter(|one| one["metric"] == "ragtrace.stage.runs" && list(&one["tags"]).contains(&Json::from(&*tag)));
        of_stage.flat_map(|one| list(&one["points"])).filter_map(|point| point["value"].as_f64()).sum::<f64>()
    };
    for span in sent.trace.spans() {
        assert!((runs_of(span.stage()) - 1.0).abs() < 1e-9, "{}: {requests:?}", span.stage());
    }
    for request in &requests {
        assert_taken_by_models(&folder, "series", &request["json"]);
    }
}

#[test]
fn spans_for_llm_observability_are_the_tree_of_our_store() {
    let (url, recorder) = recorder();
    let logs = format!("{url}/api/v2/logs");
    let (_folder, sent) = converse(&[
        ("RAGTRACE_SINKS", "datadog,sqlite"),
        ("DD_API_KEY", "0123456789abcdef0123456789abcdef"),
        ("DD_LLMOBS_ENABLED", "true"),
        ("DD_LLMOBS_ML_APP", "receivers"),
        ("RAGTRACE_DATADOG_LOGS_URL", &logs),
        ("RAGTRACE_DATADOG_API_URL", &url),
    ]);
    let spans = wait_for("spans", || {
        let requests = recorder.requests("/api/intake/llm-obs/v1/trace/spans");
        let spans = requests.iter().flat_map(|request| list(&request["json"]["data"]["attributes"]["spans"]).to_vec());
        let spans: Vec<_> = spans.filter(|span| span["trace_id"] == sent.trace_id()).collect();
        (spans.len() >= sent.trace.spans().len()).then_some(spans)
    });
    assert_same_llm_tree(&spans, &sent, |span| &span["meta"]["kind"]);
}

#[test]
fn spans_for_llm_observability_go_through_an_agent_one_an_event() {
    let agent = super::test_agent();
    let (_folder, sent) = converse(&[
        ("RAGTRACE_SINKS", "datadog,sqlite"),
        ("RAGTRACE_DATADOG_LOGS", "false"),
        ("DD_LLMOBS_ENABLED", "true"),
        ("DD_LLMOBS_ML_APP", "receivers"),
        ("DD_TRACE_AGENT_URL", &agent.url),
    ]);
    let events = wait_for("events", || {
        let events = agent.llm_observability(&sent.trace_id());
        (events.len() >= sent.trace.spans().len()).then_some(events)
    });
    let spans: Vec<_> = events.iter().flat_map(|event| list(&event["spans"]).to_vec()).collect();
    assert_eq!(spans.len(), events.len(), "an event of several spans is lost above a megabyte");
    assert!(events.iter().all(|event| event["event_type"] == "span"));
    assert_same_llm_tree(&spans, &sent, |span| &span["meta"]["span"]["kind"]);
}

#[test]
fn a_score_becomes_feedback_and_an_evaluation_of_its_run() {
    let (url, recorder) = recorder();
    let (_folder, sent) = converse(&[
        ("RAGTRACE_SINKS", "datadog,langsmith,sqlite"),
        ("LANGSMITH_API_KEY", "a key"),
        ("LANGSMITH_ENDPOINT", &url),
        ("RAGTRACE_DATADOG_LOGS", "false"),
        ("DD_API_KEY", "0123456789abcdef0123456789abcdef"),
        ("DD_LLMOBS_ENABLED", "true"),
        ("DD_LLMOBS_ML_APP", "receivers"),
        ("RAGTRACE_DATADOG_API_URL", &url),
    ]);
    let judged = sent.trace.spans().find(|span| span.stage() == "completion").expect("the judged run");
    let span_id = judged.span_id().as_u64().to_string();
    let evaluation = wait_for("an evaluation", || {
        let requests = recorder.requests("/api/intake/llm-obs/v2/eval-metric");
        let mut metrics = requests.iter().flat_map(|request| list(&request["json"]["data"]["attributes"]["metrics"]));
        metrics.find(|metric| metric["join_on"]["span"]["span_id"] == *span_id).cloned()
    });
    assert_eq!((&evaluation["label"], &evaluation["metric_type"]), (&"faithfulness".into(), &"score".into()));
    assert_eq!(evaluation["score_value"], 0.83);
    assert_eq!(evaluation["join_on"]["span"]["trace_id"], sent.trace_id());

    let feedback = wait_for("feedback", || {
        let requests = recorder.requests("/runs/multipart");
        let parts: Vec<_> =
            requests.iter().flat_map(|request| list(&request["parts"])).map(|part| part["json"].clone()).collect();
        let run = parts.iter().find(|json| {
            json["name"] == "completion" && json["trace_id"] == sent.trace.trace_id().as_uuid().to_string()
        })?;
        let alone = recorder.requests("/feedback").into_iter().map(|request| request["json"].clone());
        parts.iter().cloned().chain(alone).find(|json| json["key"] == "faithfulness" && json["run_id"] == run["id"])
    });
    assert_eq!((&feedback["score"], &feedback["comment"]), (&0.83.into(), &"Said in the first passage.".into()));
}

/// Compares names, tree, kinds, durations, outcome, tokens and cost of spans with the store.
fn assert_same_llm_tree(spans: &[Json], sent: &Sent, kind_of: impl Fn(&Json) -> &Json) {
    assert_eq!(spans.len(), sent.trace.spans().len());
    for ours in sent.trace.spans() {
        let (stage, id) = (ours.stage(), ours.span_id().as_u64().to_string());
        let Some(span) = spans.iter().find(|span| span["span_id"] == *id) else { panic!("{stage} is missing") };
        assert_eq!(span["name"], stage);
        let parent = ours.parent_span_id().map_or("undefined".to_owned(), |id| id.as_u64().to_string());
        assert_eq!(span["parent_id"], parent, "{stage}");
        assert_eq!(span["status"], if ours.error().is_some() { "error" } else { "ok" }, "{stage}");
        let kind = match ours.kind().unwrap_or_default() {
            StageKind::Pipeline => "workflow",
            StageKind::Embed => "embedding",
            StageKind::Retrieve => "retrieval",
            StageKind::Generate => "llm",
            StageKind::Tool => "tool",
            _ => "task",
        };
        assert_eq!(*kind_of(span), kind, "{stage}");
        let nanos = ours.duration().expect("it ended").as_nanos();
        let arrived = u128::from(span["duration"].as_u64().expect("a duration"));
        assert!(arrived.abs_diff(nanos) <= 1_000, "{stage}: {arrived} and {nanos}");
        for (name, metric) in
            [("input_tokens", "input_tokens"), ("output_tokens", "output_tokens"), ("cost_usd", "total_cost")]
        {
            assert_eq!(span["metrics"][metric].as_f64(), ours.record().metric(name), "{stage}: {name}");
        }
        if ours.kind() == Some(StageKind::Retrieve) {
            let documents = list(&span["meta"]["output"]["documents"]);
            let ids: Vec<_> = documents.iter().filter_map(|document| document["id"].as_str()).collect();
            assert_eq!(ids, ["field-notes#4", "guide#2", "guide#7"], "{stage}");
        }
    }
}

#[test]
fn runs_for_langsmith_are_the_tree_of_our_store() {
    let (url, recorder) = recorder();
    let (_folder, sent) = converse(&[
        ("RAGTRACE_SINKS", "langsmith,sqlite"),
        ("LANGSMITH_API_KEY", "a key"),
        ("LANGSMITH_PROJECT", "receivers"),
        ("LANGSMITH_ENDPOINT", &url),
    ]);
    let trace_id = sent.trace.trace_id().as_uuid().to_string();
    let runs = wait_for("runs", || {
        let requests = recorder.requests("/runs/multipart");
        let parts = requests.iter().flat_map(|request| list(&request["parts"]).to_vec());
        let is_run = |part: &Json| {
            part["json"]["trace_id"].as_str() == Some(&trace_id) && part["json"]["dotted_order"].is_string()
        };
        let runs: Vec<_> = parts.filter(is_run).map(|part| part["json"].clone()).collect();
        (runs.len() >= sent.trace.spans().len()).then_some(runs)
    });
    let names: BTreeMap<_, _> = runs.iter().map(|run| (run["id"].as_str(), run["name"].as_str())).collect();
    let arrived = runs.iter().map(|run| {
        let order = run["dotted_order"].as_str().expect("an order");
        let last = order.rsplit('.').next().and_then(|part| part.split_once('Z')).expect("a time and an id");
        assert_eq!(Some(last.1), run["id"].as_str(), "{order}");
        let parent = run["parent_run_id"].as_str().map(|id| names[&Some(id)].expect("a name"));
        (run["name"].as_str().expect("a name"), parent)
    });
    let ours = sent.trace.spans().map(|span| (span.stage(), span.parent().map(ragtrace_sinks::store::SpanNode::stage)));
    let mut arrived: Vec<_> = arrived.collect();
    let mut ours: Vec<_> = ours.collect();
    arrived.sort_unstable();
    ours.sort_unstable();
    assert_eq!(arrived, ours);
}
