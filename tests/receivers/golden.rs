//! Checks that the recorded requests of the official clients describe the whole question, and that
//! ragtrace's records of it do too.

#[path = "question.rs"]
mod question;

use std::collections::BTreeSet;

use question::{end_records, question, score_records};
use ragtrace::Event;
use serde_json::Value as Json;

const LANGSMITH: &str = include_str!("golden/langsmith.json");
const DATADOG: &str = include_str!("golden/datadog-llmobs.json");

fn read(fixture: &str) -> Json {
    serde_json::from_str(fixture).expect("a fixture is JSON")
}

fn list(json: &Json) -> &[Json] {
    json.as_array().expect("a list")
}

/// Returns the names of the description's spans with those of their parents.
fn described() -> BTreeSet<(String, Option<String>)> {
    let question = question();
    let name = |json: &Json| json.as_str().map(str::to_owned);
    list(&question["spans"]).iter().map(|span| (name(&span["name"]).expect("a name"), name(&span["parent"]))).collect()
}

/// Returns the name of a fixture's placeholder, which is in angle brackets.
fn placeheld(json: &Json) -> Option<String> {
    let name = json.as_str()?.strip_prefix('<')?.strip_suffix('>')?;
    Some(name.to_owned())
}

#[test]
fn the_question_becomes_records_with_their_paths_and_scores() {
    let records = end_records();
    let ours: BTreeSet<_> = records
        .iter()
        .map(|record| {
            let parent = records.iter().find(|other| other.span_id() == record.parent_span_id());
            let name = |record: &ragtrace::Record| record.stage().expect("a stage").to_owned();
            (name(record), parent.map(name))
        })
        .collect();
    assert_eq!(ours, described());
    for record in &records {
        let path = record.path();
        assert_eq!(path.last().map(|step| step.span_id), record.span_id());
        assert!(path.is_sorted_by_key(|step| step.start), "a child starts no earlier than its parent");
        assert_eq!(path.len() == 1, record.is_local_root());
    }
    let scores = score_records();
    assert!(scores.iter().all(|record| record.event() == Event::Score && record.trace_id() == records[0].trace_id()));
    let names: Vec<_> = scores.iter().map(|record| record.score().expect("a score").name()).collect();
    assert_eq!(names, ["faithfulness", "helpful", "tone"]);
}

#[test]
fn the_client_of_langsmith_sent_each_run_of_the_question() {
    let fixture = read(LANGSMITH);
    let parts = list(&fixture["plain"]).iter().flat_map(|request| list(&request["parts"]));
    let runs = parts.map(|part| &part["json"]).filter(|json| json.get("dotted_order").is_some());
    let sent: BTreeSet<_> = runs
        .map(|run| {
            let (id, parent) = (placeheld(&run["id"]), placeheld(&run["parent_run_id"]));
            assert_eq!(run["name"].as_str(), id.as_deref());
            let order = run["dotted_order"].as_str().expect("an order");
            assert!(order.ends_with(&format!("Z<{}>", id.as_deref().expect("an id"))), "{order}");
            (id.expect("an id"), parent)
        })
        .collect();
    assert_eq!(sent, described());
}

#[test]
fn the_client_of_datadog_sent_each_span_of_the_question() {
    let fixture = read(DATADOG);
    let events = list(&fixture["spans"]).iter().flat_map(|request| list(&request["json"]));
    let spans = events.flat_map(|event| list(&event["spans"]));
    let sent: BTreeSet<_> =
        spans.map(|span| (placeheld(&span["span_id"]).expect("an id"), placeheld(&span["parent_id"]))).collect();
    assert_eq!(sent, described());
}
