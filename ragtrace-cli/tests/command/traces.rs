//! Tests of traces, stages and what runs.

use ragtrace::Timestamp;
use serde_json::{Value as Json, json};

use crate::support::{INSTANCE, Make, TRACE, ingestion};
use crate::{code, holding, ragtrace, stderr, stdout};

#[test]
fn traces_stages_and_what_runs_are_listed() {
    let now = Timestamp::now();
    let end = Make::new("completed", "ingestion", 1, 0).with("timestamp", now.to_string()).with("local_root", true);
    let end = end.metrics(json!({"duration_ms": 12.5, "count": 3, "cost_usd": 0.25}));
    let runs = Make::new("started", "running", 2, 0).with("timestamp", now.to_string());
    let file = holding([end.record(), runs.record()]);
    let table = stdout(&ragtrace(&file, &["traces"]));
    assert!(table.starts_with("ended") && table.contains("completed  ingestion  12.5ms  alice  acme"), "{table}");
    let line = stdout(&ragtrace(&file, &["traces", "--status", "completed", "--user", "alice", "--format", "jsonl"]));
    let json: Json = serde_json::from_str(&line).expect("JSON");
    assert_eq!((&json["operation"], &json["duration_ms"]), (&json!("ingestion"), &json!(12.5)));
    assert_eq!(code(&ragtrace(&file, &["traces", "--status", "failed"])), Some(1));
    let json: Json = serde_json::from_str(&stdout(&ragtrace(&file, &["stats", "--format", "json"]))).expect("JSON");
    assert_eq!((&json[0]["stage"], &json[0]["runs"], &json[0]["items"]), (&json!("ingestion"), &json!(1), &json!(3)));
    assert_eq!(stdout(&ragtrace(&file, &["tail", "-n", "1", "--format", "jsonl"])).lines().count(), 1);
    // The process has closed its sink, so its open stage is lost and not in flight.
    assert_eq!(code(&ragtrace(&file, &["inflight"])), Some(1));
    assert_eq!(code(&ragtrace(&file, &["stages"])), Some(1));
}

#[test]
fn a_trace_is_drawn_by_any_form_of_its_id() {
    let file = holding(ingestion());
    let drawn = stdout(&ragtrace(&file, &["trace", "last"]));
    assert!(drawn.starts_with(&format!("✗ {TRACE}  failed in 1.42s")), "{drawn}");
    assert!(drawn.contains("└─✗ chunk_embedding"), "{drawn}");
    assert!(!drawn.contains('\u{1b}'), "no colour into a pipe");
    for id in [TRACE, &TRACE.replace('-', ""), &TRACE.to_uppercase(), "0199a1c2", "0199a1c27"] {
        assert_eq!(stdout(&ragtrace(&file, &["trace", id])), drawn, "{id}");
    }
}

#[test]
fn a_trace_is_written_as_json_and_as_json_lines() {
    let file = holding(ingestion());
    let json: Json =
        serde_json::from_str(&stdout(&ragtrace(&file, &["trace", "last", "--format", "json"]))).expect("JSON");
    assert_eq!((&json["trace_id"], &json["status"]), (&json!(TRACE), &json!("failed")));
    assert_eq!(json["spans"].as_array().map(Vec::len), Some(4));
    assert_eq!(json["logs"][0]["instance"], INSTANCE);
    let lines = stdout(&ragtrace(&file, &["trace", "last", "--format", "jsonl"]));
    let spans: Vec<Json> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(&Json::from(spans), &json["spans"]);
}

#[test]
fn json_lines_of_a_trace_have_each_of_its_scores_once() {
    let score = |name: &str, span: Option<u64>| {
        let score = Make::new("score", name, 1, 2_000).with("score", json!({"name": name, "value": true}));
        score.with("span_id", span.map_or(Json::Null, |span| format!("{span:016x}").into())).record()
    };
    let scores =
        [score("recall", Some(4)), score("precision", Some(4)), score("helpful", None), score("lost", Some(99))];
    let file = holding(ingestion().into_iter().chain(scores));
    let lines = stdout(&ragtrace(&file, &["trace", "last", "--format", "jsonl"]));
    let lines: Vec<Json> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let (spans, loose) = lines.split_at(4);
    let names = |scores: &[Json]| -> Vec<String> {
        let names = scores.iter().map(|score| score["score"]["name"].as_str().expect("a name").to_owned());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    };
    for span in spans {
        let scores = span.get("scores").and_then(Json::as_array);
        match span["stage"].as_str() {
            Some("chunk_embedding") => assert_eq!(names(scores.expect("judged")), ["precision", "recall"]),
            _ => assert_eq!(scores, None, "{span}"),
        }
    }
    assert_eq!(names(loose), ["helpful", "lost"]);
    assert!(loose.iter().all(|score| score["event"] == "score"), "{loose:?}");
}

#[test]
fn traces_are_searched_by_duration_stage_error_and_field() {
    let end = |trace: u64, millis: u64| {
        let make = Make::new("completed", "answer", trace * 10, 0).with("local_root", true);
        make.trace(&uuid::Uuid::from_u128(u128::from(trace)).to_string()).metrics(json!({"duration_ms": millis}))
    };
    let child = Make::new("failed", "rerank", 11, 0).parent(10).trace("00000000-0000-0000-0000-000000000001");
    let child = child.with("error", json!({"type": "Timeout", "message": "No answer", "chain": []}));
    let child = child.with("context", json!({"doc.name": "report.pdf"}));
    let file = holding([end(1, 100).record(), child.record(), end(2, 1_500).record()]);
    let found = |arguments: &[&str]| {
        let output = ragtrace(&file, &[&["traces", "--format", "jsonl"], arguments].concat());
        assert!(output.status.code().is_some_and(|code| code < 2), "{}", stderr(&output));
        String::from_utf8(output.stdout).expect("UTF-8").lines().count()
    };
    assert_eq!((found(&[]), found(&["--longer-than", "1.5s"]), found(&["--longer-than", "1501ms"])), (2, 1, 0));
    assert_eq!((found(&["--ran", "rerank"]), found(&["--ran", "parse"])), (1, 0));
    assert_eq!((found(&["--error", "no ANSWER"]), found(&["--error", "timeout"]), found(&["--error", "x"])), (1, 1, 0));
    assert_eq!((found(&["--field", "doc.name=report.pdf"]), found(&["--field", "doc.name=other"])), (1, 0));
    for wrong in [&["traces", "--longer-than", "5"][..], &["traces", "--field", "doc"], &["traces", "--field", "=x"]] {
        assert_eq!(code(&ragtrace(&file, wrong)), Some(2), "{wrong:?}");
    }
}
