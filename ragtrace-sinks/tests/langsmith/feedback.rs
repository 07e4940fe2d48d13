//! Scores as feedback.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ragtrace::sink::{Batch, Delivered, Verdict};
use ragtrace::testing::RecordBuilder;
use ragtrace::{Record, RecordScore, Sink, Timestamp, TraceId};
use ragtrace_sinks::LangSmithSink;
use ragtrace_sinks_support::{Answer, Server};
use serde_json::json;

use super::records::{Place, batch, block_on, deliver, deliver_all, ended};
use super::server::{KEY, LangSmith, Setup};

const MILLISECOND: Duration = Duration::from_millis(1);

fn score(name: &str, value: impl Into<ragtrace::Value>) -> RecordBuilder {
    RecordBuilder::score(RecordScore::new(name, value))
}

/// Starts a server that has a root and its child.
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

/// Returns a score of a trace that LangSmith does not have, recorded `age` ago.
fn of_unknown_run(age: Duration) -> Record {
    score("a", 1.0).trace_id(TraceId::new()).timestamp(Timestamp::now().minus(age)).build()
}

/// Delivers a batch until it is no longer retried, and returns the answer and the number of
/// attempts.
fn deliver_until_answered(sink: &impl Sink, scores: &Batch) -> (Delivered, usize) {
    let bound = Instant::now() + Duration::from_secs(20);
    for attempt in 1.. {
        match block_on(sink.deliver(scores)) {
            Ok(delivered) => return (delivered, attempt),
            Err(error) => assert_eq!(error.verdict(), Verdict::Retry, "{}", error.reason()),
        }
        assert!(Instant::now() < bound, "it is never given up");
    }
    unreachable!("there are attempts enough")
}

#[test]
fn a_score_waits_for_its_run_and_is_given_up_when_that_never_comes() {
    let langsmith = LangSmith::start();
    let sink = langsmith.feedback();
    for age in [Duration::ZERO, Duration::from_secs(29)] {
        let error = deliver(&sink, [of_unknown_run(age)]).expect_err("it may come");
        assert_eq!(error.verdict(), Verdict::Retry);
        assert!(error.reason().contains("its run has not arrived"), "{}", error.reason());
    }
    let sink = langsmith.feedback().wait_for_runs(Duration::from_millis(100));
    let (delivered, attempts) = deliver_until_answered(&sink, &batch([of_unknown_run(Duration::ZERO)]));
    let [(0, why)] = delivered.rejected() else { panic!("{delivered:?}") };
    assert!(why.contains("LangSmith does not know the run"), "{why}");
    assert!(attempts > 1);
    // Nothing makes these wait, since LangSmith has worked for long.
    let old = [of_unknown_run(Duration::from_secs(1)), of_unknown_run(Duration::from_hours(1))];
    assert_eq!(deliver(&sink, old).expect("an answer").rejected().len(), 2);
}

#[test]
fn a_score_that_waited_out_an_outage_waits_for_its_run_as_well() {
    let old = || of_unknown_run(Duration::from_hours(1));
    // After a start, as from a spool.
    let langsmith = LangSmith::start();
    let error = deliver(&langsmith.feedback(), [old()]).expect_err("its run may be on its way");
    assert_eq!(error.verdict(), Verdict::Retry);

    // After an answer of 503, to feedback or to runs, and after runs of a backlog.
    for runs_fail in [true, false] {
        let is_down = Arc::new(AtomicBool::new(false));
        let of_server = Arc::clone(&is_down);
        let server = Server::start(move |request| match (request.path(), of_server.load(Ordering::SeqCst)) {
            ("/info", _) => Answer::status(200).json(&json!({ "version": "0.12.3" })),
            (_, true) => Answer::status(503),
            ("/feedback", _) => Answer::status(404),
            _ => Answer::status(202),
        });
        let runs = LangSmithSink::new(KEY).endpoint(server.url());
        let sink = runs.feedback().wait_for_runs(Duration::from_millis(500));
        let root = || ended("root", &[Place::new(TraceId::new(), 0)], MILLISECOND);
        let (delivered, _) = deliver_until_answered(&sink, &batch([old()]));
        assert_eq!(delivered.rejected().len(), 1);
        assert_eq!(deliver(&sink, [old()]).expect("all is well").rejected().len(), 1);

        is_down.store(true, Ordering::SeqCst);
        if runs_fail {
            deliver(&runs, [root().build()]).expect_err("it is down");
        } else {
            deliver(&sink, [old()]).expect_err("it is down");
        }
        is_down.store(false, Ordering::SeqCst);
        let error = deliver(&sink, [old()]).expect_err("its run may be on its way");
        assert!(error.reason().contains("its run has not arrived"), "{}", error.reason());
        deliver_all(&runs, [root().timestamp(Timestamp::now()).build()]);
        assert_eq!(deliver_until_answered(&sink, &batch([old()])).0.rejected().len(), 1);

        deliver_all(&runs, [root().build()]);
        let error = deliver(&sink, [old()]).expect_err("runs come from a backlog");
        assert!(error.reason().contains("its run has not arrived"), "{}", error.reason());
    }
}

#[test]
fn a_score_from_the_future_does_not_wait_until_then() {
    let langsmith = LangSmith::start();
    let sink = langsmith.feedback().wait_for_runs(Duration::from_millis(1));
    let future = score("a", 1.0).trace_id(TraceId::new()).timestamp(Timestamp::now().plus(Duration::from_hours(1)));
    assert_eq!(deliver_until_answered(&sink, &batch([future.build()])).0.rejected().len(), 1);
}

#[test]
fn at_a_wrong_endpoint_scores_are_kept_and_the_sink_says_what_to_set() {
    let langsmith = LangSmith::start();
    let sink = langsmith.sink().endpoint(format!("{}/elsewhere", langsmith.server.url()));
    let sink = sink.feedback().wait_for_runs(Duration::ZERO);
    let (root, run) = (Place::new(TraceId::new(), 0), Place::new(TraceId::new(), 1));
    let with_place = score("b", 1.0).trace_id(run.trace_id).span_id(run.span_id).path([root.step(), run.step()]);
    for record in [of_unknown_run(Duration::from_hours(1)), with_place.build()] {
        for _ in 0..2 {
            let error = deliver(&sink, [record.clone()]).expect_err("there is no LangSmith");
            assert_eq!(error.verdict(), Verdict::Park);
            assert!(error.reason().contains("set LANGSMITH_ENDPOINT"), "{}", error.reason());
        }
    }
}

#[test]
fn a_server_that_took_something_is_a_langsmith_though_it_does_not_tell_its_limits() {
    let (langsmith, root, _) = with_runs(Setup { info: None, ..Setup::default() });
    let sink = langsmith.feedback().wait_for_runs(Duration::ZERO);
    let error = deliver(&sink, [of_unknown_run(Duration::from_hours(1))]).expect_err("it may be anything");
    assert_eq!(error.verdict(), Verdict::Retry);
    deliver_all(&sink, [score("a", 1.0).trace_id(root.trace_id).build()]);
    assert_eq!(deliver(&sink, [of_unknown_run(Duration::from_hours(1))]).expect("an answer").rejected().len(), 1);
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
    assert_eq!((error.verdict(), error.reason().as_str()), (Verdict::Split, "LangSmith accepts 3 scores at once"));
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
