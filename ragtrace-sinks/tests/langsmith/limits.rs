//! The server's limits, and the handling of what exceeds them.

use std::time::Duration;

use ragtrace::sink::Verdict;
use ragtrace::testing::RecordBuilder;
use ragtrace::testing::sink::SinkTest;
use ragtrace::{Record, Sink, TraceId};
use serde_json::json;

use super::records::{Place, block_on, deliver, deliver_all, ended};
use super::server::{LangSmith, Setup};

fn root(stage: &str) -> RecordBuilder {
    ended(stage, &[Place::new(TraceId::new(), 0)], Duration::from_millis(1))
}

fn roots(number: usize) -> Vec<Record> {
    (0..number).map(|number| root(&format!("stage_{number}")).build()).collect()
}

#[test]
fn a_batch_of_more_runs_than_the_server_takes_is_split() {
    let info = json!({ "batch_ingest_config": { "size_limit": 3 } });
    let langsmith = LangSmith::with(Setup { info: Some(info), runs: 3, ..Setup::default() });
    let error = deliver(&langsmith.sink(), roots(4)).expect_err("too many");
    assert_eq!((error.verdict(), error.reason().as_str()), (Verdict::Split, "LangSmith accepts 3 runs at once"));
    deliver_all(&langsmith.sink(), roots(3));
    assert_eq!(langsmith.kept().runs.len(), 3);
}

#[test]
fn a_batch_of_more_bytes_than_the_server_takes_is_split_and_a_lone_run_is_cut_and_counted() {
    let bytes = 40_000;
    let info = json!({ "batch_ingest_config": { "size_limit_bytes": bytes } });
    let langsmith = LangSmith::with(Setup { info: Some(info), bytes, ..Setup::default() });
    let sink = langsmith.sink();
    let large = |stage: &str| root(stage).field("input", "x".repeat(30_000)).field("output", "fits").build();
    let error = deliver(&sink, [large("a"), large("b")]).expect_err("too large");
    assert_eq!((error.verdict(), sink.parts_cut()), (Verdict::Split, 0));

    deliver_all(&sink, [large("a")]);
    assert_eq!(sink.parts_cut(), 0, "it fits by itself");
    let too_large = |stage: &str| {
        let text = "é\"".repeat(20_000);
        let record =
            root(stage).field("input", text.clone()).field("output", text.clone()).field("other", text.clone());
        record.failure("E", text).build()
    };
    deliver_all(&sink, [too_large("cut")]);
    assert_eq!(sink.parts_cut(), 4);
    let kept = langsmith.kept();
    let run = kept.run("cut");
    for cut in [&run.part("inputs")["input"], &run.part("outputs")["output"], &run.metadata()["cut"], run.part("error")]
    {
        assert!(cut.as_str().is_some_and(|text| text.starts_with("[cut: ")), "{run:?}");
    }
    assert_eq!(kept.refused, [""; 0]);
}

#[test]
fn without_info_the_limits_are_those_that_the_clients_suppose_and_nothing_is_compressed() {
    let langsmith = LangSmith::with(Setup { info: None, ..Setup::default() });
    let sink = langsmith.sink();
    assert_eq!(deliver(&sink, roots(101)).expect_err("too many").verdict(), Verdict::Split);
    deliver_all(&sink, roots(100));
    assert_eq!(langsmith.kept().runs.len(), 100);
    assert_eq!(langsmith.requests_to("/runs/multipart")[0].header("content-encoding"), None);
    assert_eq!(langsmith.requests_to("/info").len(), 1, "it is not asked again at once");
    assert_eq!(sink.limits().records, 100);
}

#[test]
fn a_server_without_multipart_gets_batches_of_json_from_then_on() {
    let langsmith = LangSmith::with(Setup { has_multipart: false, ..Setup::default() });
    let sink = langsmith.sink();
    let failed = root("failed").failure("E", "why").field("input", "a").metric("first_item_ms", 0.5).build();
    deliver_all(&sink, [failed, root("b").build()]);
    deliver_all(&sink, roots(2));
    assert_eq!((langsmith.requests_to("/runs/multipart").len(), langsmith.requests_to("/runs/batch").len()), (1, 2));
    let kept = langsmith.kept();
    let run = kept.run("failed");
    assert_eq!((run.part("error"), run.part("inputs")), (&json!("E: why"), &json!({ "input": "a" })));
    assert_eq!(run.part("events")[0]["time"], "2026-11-22T08:20:11.000500+00:00");
    assert_eq!(kept.runs.len(), 4);
}

#[test]
fn a_server_whose_info_says_so_gets_batches_at_once() {
    let info = json!({ "batch_ingest_config": { "use_multipart_endpoint": false } });
    let langsmith = LangSmith::with(Setup { info: Some(info), has_multipart: false, ..Setup::default() });
    deliver_all(&langsmith.sink(), roots(1));
    assert_eq!((langsmith.requests_to("/runs/multipart").len(), langsmith.kept().runs.len()), (0, 1));
}

#[test]
fn where_nothing_takes_runs_the_sink_is_parked_and_says_what_to_set() {
    let langsmith = LangSmith::with(Setup { has_multipart: false, ..Setup::default() });
    let sink = langsmith.sink().endpoint(format!("{}/elsewhere", langsmith.server.url()));
    let error = deliver(&sink, roots(1)).expect_err("there is nothing");
    assert_eq!(error.verdict(), Verdict::Park);
    assert!(error.reason().contains("set LANGSMITH_ENDPOINT"), "{}", error.reason());
}

#[test]
fn a_key_of_an_organisation_needs_a_workspace() {
    let langsmith = LangSmith::with(Setup { workspace: Some("w-1"), ..Setup::default() });
    let error = deliver(&langsmith.sink(), roots(1)).expect_err("no workspace");
    assert_eq!(error.verdict(), Verdict::Park);
    assert!(error.reason().contains("set LANGSMITH_WORKSPACE_ID"), "{}", error.reason());
    deliver_all(&langsmith.sink().workspace_id("w-1"), roots(1));
    assert_eq!(langsmith.kept().runs.len(), 1);
}

#[test]
fn a_batch_that_is_sent_again_repeats_nothing_and_changes_nothing() {
    let langsmith = LangSmith::start();
    let sink = langsmith.sink();
    let records = roots(3);
    deliver_all(&sink, records.clone());
    deliver_all(&langsmith.sink(), records.clone());
    assert_eq!(langsmith.counts(), (3, 3, 0));
    // The records are the same after a restart.
    let read: Vec<_> = records.iter().map(|record| Record::from_json(&record.to_json()).expect("a record")).collect();
    deliver_all(&langsmith.sink(), read);
    assert_eq!(langsmith.counts(), (3, 6, 0));
}

#[test]
fn a_changed_run_that_comes_again_is_a_conflict_and_the_first_stays() {
    let langsmith = LangSmith::start();
    let first = root("a");
    deliver_all(&langsmith.sink(), [first.clone().field("answer", 1).build()]);
    deliver_all(&langsmith.sink(), [first.field("answer", 2).build()]);
    let kept = langsmith.kept();
    assert_eq!((kept.changed, &kept.run("a").metadata()["answer"]), (1, &json!(1)));
}

#[test]
fn a_batch_of_any_sort_is_taken_by_the_strict_server() {
    for has_multipart in [true, false] {
        let langsmith = LangSmith::with(Setup { has_multipart, ..Setup::default() });
        SinkTest::new(langsmith.sink()).run_sync().assert_passed();
        SinkTest::new(langsmith.feedback()).run_sync().assert_passed();
        let refused = langsmith.kept().refused.clone();
        assert!(refused.iter().all(|why| why.starts_with("404")), "{refused:?}");
        assert!(langsmith.counts().0 > 100);
    }
}

#[test]
fn check_says_what_the_server_takes_and_what_is_wrong_with_a_key() {
    let langsmith = LangSmith::start();
    let line = block_on(langsmith.sink().check()).expect("all is well");
    let expected = "accepts the key: runs go to the project `test` as multipart, compressed, \
        up to 100 or 20971520 bytes a request";
    assert_eq!(line, format!("LangSmith 0.12.3 at {} {expected}", langsmith.server.url()));
    let error = block_on(ragtrace_sinks::LangSmithSink::new("another").endpoint(langsmith.server.url()).check());
    let error = error.expect_err("no such key");
    assert!(error.verdict() == Verdict::Park && error.reason().contains("set LANGSMITH_API_KEY"), "{}", error.reason());
}
