//! Scores as feedback.

use std::time::Duration;

use ragtrace::sink::Verdict;
use ragtrace::testing::RecordBuilder;
use ragtrace::{RecordScore, Sink, Timestamp, TraceId};
use serde_json::json;

use super::records::{Place, batch, block_on, deliver, deliver_all, ended};
use super::server::{LangSmith, Setup};

const MILLISECOND: Duration = Duration::from_millis(1);

fn score(name: &str, value: impl Into<ragtrace::Value>) -> RecordBuilder {
    RecordBuilder::score(RecordScore::new(name, value))
}

/// A server that has a root and its child.
fn with_runs(setup: Setup) -> (LangSmith, Place, Place) {
    let langsmith = LangSmith::with(setup);
    let root = Place::new(TraceId::new(), 0);
    let child = Place::new(root.trace_id, 10);
    let records = [ended("child", &[root, child], MILLISECOND), ended("root", &[root], MILLISECOND)];
    deliver_all(&langsmith.sink(), records.map(RecordBuilder::build));
    (langsmith, root, child)
}

#[test]
fn a_score_of_a_stage_goes_beside_runs_and_names_run_and_trace() {
    let (langsmith, root, child) = with_runs(Setup::default());
    let judged = RecordScore::new("faithfulness", 0.834_567).with_by("llm").with_comment("as the \"sources\" say");
    let record = RecordBuilder::score(judged)
        .trace_id(child.trace_id)
        .span_id(child.span_id)
        .path([root.step(), child.step()])
        .timestamp("2026-11-22T08:21:00.5Z".parse().expect("a time"))
        .build();
    deliver_all(&langsmith.feedback(), [record.clone()]);
    let kept = langsmith.kept();
    let at = "2026-11-22T08:21:00.500000+00:00";
    let expected = json!({
        "id": record.id().to_string(),
        "run_id": kept.run("child").text("id"),
        "trace_id": kept.run("root").text("id"),
        "key": "faithfulness",
        "score": 0.8346,
        "comment": "as the \"sources\" say",
        "feedback_source": { "type": "model", "metadata": { "by": "llm" } },
        "created_at": at,
        "modified_at": at,
    });
    assert_eq!(kept.feedback, [expected]);
    assert_eq!(langsmith.requests_to("/feedback").len(), 0);
}

#[test]
fn a_score_that_comes_later_finds_the_trace_the_span_and_the_span_of_the_root() {
    let (langsmith, root, child) = with_runs(Setup::default());
    let records = [
        score("trace", true).trace_id(root.trace_id),
        score("child", "terse").trace_id(root.trace_id).span_id(child.span_id),
        score("root", 3_u64).trace_id(root.trace_id).span_id(root.span_id),
    ];
    deliver_all(&langsmith.feedback(), records.map(RecordBuilder::build));
    let kept = langsmith.kept();
    let of = |key: &str| kept.feedback.iter().find(|one| one["key"] == key).expect("feedback").clone();
    assert_eq!(
        (&of("trace")["score"], &of("child")["value"], &of("root")["score"]),
        (&json!(true), &json!("terse"), &json!(3))
    );
    for (key, run) in [("trace", "root"), ("child", "child"), ("root", "root")] {
        assert_eq!(of(key)["run_id"], kept.run(run).text("id"), "{key}");
        assert_eq!(of(key)["feedback_source"]["type"], "api");
    }
}

#[test]
fn a_number_of_any_size_is_a_score_and_small_parts_of_it_are_rounded() {
    let (langsmith, root, _) = with_runs(Setup::default());
    let numbers = [(1e305, 1e305), (f64::MIN, f64::MIN), (1e-300, 0.0), (0.833_35, 0.8334), (-1e15, -1e15)];
    for (number, expected) in numbers {
        let name = format!("{number:e}");
        deliver_all(&langsmith.feedback(), [score(&name, number).trace_id(root.trace_id).build()]);
        let kept = langsmith.kept();
        let one = kept.feedback.iter().find(|one| one["key"] == *name).expect("feedback");
        assert_eq!(one["score"].as_f64(), Some(expected), "{one}");
    }
}

#[test]
fn feedback_goes_alone_to_servers_that_take_none_beside_runs() {
    let old = json!({ "version": "0.8.9" });
    for setup in [Setup { info: Some(old), ..Setup::default() }, Setup { has_multipart: false, ..Setup::default() }] {
        let (langsmith, root, child) = with_runs(setup);
        let path = [root.step(), child.step()];
        let record = score("a", 1.0).trace_id(child.trace_id).span_id(child.span_id).path(path).build();
        deliver_all(&langsmith.feedback(), [record.clone()]);
        deliver_all(&langsmith.feedback(), [record]);
        assert_eq!((langsmith.kept().feedback.len(), langsmith.requests_to("/feedback").len()), (1, 2));
    }
}

#[test]
fn a_score_waits_for_its_run_and_is_given_up_when_that_never_comes() {
    let langsmith = LangSmith::start();
    let at = |time: Timestamp| score("a", 1.0).trace_id(TraceId::new()).timestamp(time).build();
    let error = deliver(&langsmith.feedback(), [at(Timestamp::now())]).expect_err("it may come");
    assert_eq!(error.verdict(), Verdict::Retry);
    let old = Timestamp::now().minus(Duration::from_secs(31));
    let delivered = deliver(&langsmith.feedback(), [at(old)]).expect("an answer");
    let [(0, why)] = delivered.rejected() else { panic!("{delivered:?}") };
    assert!(why.contains("LangSmith does not know the run"), "{why}");
}

#[test]
fn a_run_is_had_once_whatever_becomes_of_a_score_beside_it() {
    let langsmith = LangSmith::start();
    let root = Place::new(TraceId::new(), 0);
    let early = score("early", 1.0).trace_id(TraceId::new()).timestamp(Timestamp::now());
    deliver_all(&langsmith.sink(), [ended("root", &[root], MILLISECOND), early].map(RecordBuilder::build));
    assert_eq!((langsmith.counts(), langsmith.requests_to("/feedback").len()), ((1, 0, 0), 0));
}

#[test]
fn a_score_that_is_early_brings_back_itself_and_neither_runs_nor_feedback_that_langsmith_has() {
    let (langsmith, root, child) = with_runs(Setup::default());
    let late = Place::new(TraceId::new(), 0);
    let records = [
        score("known", 1.0).trace_id(root.trace_id).span_id(child.span_id).path([root.step(), child.step()]),
        score("early", 1.0).trace_id(late.trace_id),
        score("guessed", 1.0).trace_id(root.trace_id),
    ];
    let scores = batch(records.map(|record| record.timestamp(Timestamp::now()).build()));
    let sink = langsmith.feedback();
    for _ in 0..3 {
        let error = block_on(sink.deliver(&scores)).expect_err("a run is missing");
        assert_eq!(error.verdict(), Verdict::Retry);
    }
    assert_eq!(langsmith.kept().feedback.len(), 2, "what comes after it does not wait");
    deliver_all(&langsmith.sink(), [ended("late", &[late], MILLISECOND).build()]);
    let delivered = block_on(sink.deliver(&scores)).expect("all runs are there");
    assert_eq!((delivered.rejected(), langsmith.kept().feedback.len()), (&[][..], 3));
    assert_eq!(langsmith.requests_to("/runs/multipart").len(), 3, "two of runs, one of feedback");
    assert_eq!(langsmith.requests_to("/feedback").len(), 5, "one of `guessed`, four of `early`");
    assert_eq!(langsmith.counts(), (3, 0, 0));
}

#[test]
fn runs_and_scores_are_taken_by_a_sink_each() {
    let langsmith = LangSmith::start();
    let root = Place::new(TraceId::new(), 0);
    let records = [ended("root", &[root], MILLISECOND), score("a", 1.0).trace_id(root.trace_id)];
    let records = records.map(RecordBuilder::build);
    deliver_all(&langsmith.sink(), records.clone());
    assert_eq!((langsmith.counts().0, langsmith.kept().feedback.len()), (1, 0));
    deliver_all(&langsmith.feedback(), records);
    assert_eq!((langsmith.counts(), langsmith.kept().feedback.len()), ((1, 0, 0), 1));
    assert_eq!(langsmith.feedback().name(), "langsmith-feedback");
    assert_eq!(langsmith.feedback().named("scores").name(), "scores");
    assert!(langsmith.feedback().needs().ancestry() && !langsmith.feedback().needs().all_end_records());
}

#[test]
fn more_scores_than_the_server_takes_at_once_are_split() {
    let info = json!({ "version": "0.12.3", "batch_ingest_config": { "size_limit": 3 } });
    let (langsmith, root, child) = with_runs(Setup { info: Some(info), runs: 3, ..Setup::default() });
    let path = [root.step(), child.step()];
    let one = || score("a", 1.0).trace_id(child.trace_id).span_id(child.span_id).path(path).build();
    let error = deliver(&langsmith.feedback(), [one(), one(), one(), one()]).expect_err("too many");
    assert_eq!((error.verdict(), error.reason().as_str()), (Verdict::Split, "LangSmith takes 3 scores at once"));
    deliver_all(&langsmith.feedback(), [one(), one(), one()]);
    assert_eq!(langsmith.kept().feedback.len(), 3);
}

#[test]
fn a_score_of_a_run_below_a_callers_run_names_the_callers_trace() {
    let langsmith = LangSmith::start();
    let caller = "20261122T082000000000Z0199a5b2-6f1e-7c3a-8a4b-0123456789ab";
    let root = Place::new(TraceId::new(), 0);
    let scored = score("a", 1.0).trace_id(root.trace_id).span_id(root.span_id).path([root.step()]);
    let whole = score("whole", 1.0).trace_id(root.trace_id);
    let below = |record: RecordBuilder| record.langsmith_parent(caller).build();
    deliver_all(&langsmith.sink(), [below(ended("root", &[root], MILLISECOND))]);
    deliver_all(&langsmith.feedback(), [scored, whole].map(below));
    let kept = langsmith.kept();
    assert_eq!(kept.feedback[1]["run_id"], "0199a5b2-6f1e-7c3a-8a4b-0123456789ab");
    assert_eq!(kept.feedback[0]["run_id"], kept.run("root").text("id"));
    assert_eq!(kept.feedback[0]["trace_id"], "0199a5b2-6f1e-7c3a-8a4b-0123456789ab");
}
