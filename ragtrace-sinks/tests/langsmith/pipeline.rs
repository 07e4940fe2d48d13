//! Programs with a whole pipeline.

use std::sync::PoisonError;
use std::time::Duration;

use ragtrace::{Console, RequestContext, Score, SpanId, TraceId, traced_stage};
use serde_json::{Value as Json, json};

use super::records::ONE_TELEMETRY;
use super::server::{Kept, LangSmith};

/// The time limit of a delivery.
const BOUND: Duration = Duration::from_secs(20);

#[traced_stage(kind = pipeline, fields(query))]
fn ask(query: &str) -> String {
    let hits = retrieve(query);
    Score::number("relevance", 0.5).by("code").record();
    generate(query, hits)
}

#[traced_stage(kind = retrieve, fields(query, top_k = 2))]
fn retrieve(query: &str) -> usize {
    query.len().min(2)
}

#[traced_stage(kind = generate, fields(model = "gpt-5-mini", provider = "openai", input = query), ok(|text| output_tokens = text.len()))]
fn generate(query: &str, hits: usize) -> String {
    Score::flag("grounded", hits > 0).by("llm").record();
    format!("{hits} passages on {query}")
}

/// Runs a program, and returns what LangSmith has after everything was delivered, and how many runs
/// and scores that are.
fn delivered(program: impl FnOnce()) -> (LangSmith, [u64; 2]) {
    let _one = ONE_TELEMETRY.lock().unwrap_or_else(PoisonError::into_inner);
    let langsmith = LangSmith::start();
    let telemetry = ragtrace::builder()
        .service("rag-ask")
        .console(Console::Off)
        .level("error")
        .sink(langsmith.sink())
        .sink(langsmith.feedback())
        .install()
        .expect("one telemetry");
    program();
    let stats = telemetry.shutdown_blocking(BOUND).stats;
    let sent = ["langsmith", "langsmith-feedback"].map(|name| {
        let sink = stats.sink(name).expect("the sink").clone();
        assert!(sink.is_balanced() && sink.delivered == sink.accepted, "{sink:?}: {:?}", langsmith.kept().refused);
        sink.delivered
    });
    (langsmith, sent)
}

fn feedback<'a>(kept: &'a Kept, key: &str) -> &'a Json {
    kept.feedback.iter().find(|one| one["key"] == key).expect("feedback")
}

#[test]
fn a_question_arrives_as_one_tree_whatever_the_level_and_its_scores_find_their_runs() {
    let request = RequestContext::new().with_user_id("alice").with_session_id("conversation-7");
    let trace_id = request.trace_id().as_uuid().to_string();
    let (langsmith, sent) = delivered(|| drop(request.sync_scope(|| ask("what?"))));
    assert_eq!(sent, [3, 2], "ends and scores, and nothing else");
    let kept = langsmith.kept();
    kept.assert_whole_trees();
    assert_eq!((kept.runs.len(), kept.run("ask").text("id")), (3, &*trace_id));
    for (child, run_type) in [("retrieve", "retriever"), ("generate", "llm")] {
        let run = kept.run(child);
        assert_eq!((run.text("run_type"), run.text("trace_id")), (run_type, &*trace_id));
        assert_eq!(run.main["parent_run_id"], trace_id);
        assert_eq!(run.metadata()["thread_id"], "conversation-7");
    }
    assert_eq!(kept.run("generate").metadata()["ls_model_name"], "gpt-5-mini");
    assert_eq!(kept.run("generate").part("outputs")["usage_metadata"]["output_tokens"], "2 passages on what?".len());
    assert_eq!(feedback(&kept, "relevance")["run_id"], trace_id);
    assert_eq!(feedback(&kept, "grounded")["run_id"], kept.run("generate").text("id"));
    assert_eq!(langsmith.requests_to("/feedback").len(), 0);
}

#[test]
fn a_score_whose_run_never_comes_leaves_no_run_undelivered_at_the_end() {
    let _one = ONE_TELEMETRY.lock().unwrap_or_else(PoisonError::into_inner);
    let langsmith = LangSmith::start();
    let builder = ragtrace::builder().service("rag-ask").console(Console::Off);
    let telemetry = builder.sink(langsmith.sink()).sink(langsmith.feedback()).install().expect("one telemetry");
    Score::flag("helpful", true).trace(TraceId::new()).record();
    ask("what?");
    let stats = telemetry.shutdown_blocking(Duration::from_secs(2)).stats;
    let [runs, scores] = ["langsmith", "langsmith-feedback"].map(|name| stats.sink(name).expect("the sink").clone());
    assert!(runs.is_balanced() && scores.is_balanced(), "{stats:?}");
    assert_eq!((runs.accepted, runs.delivered, langsmith.counts()), (3, 3, (3, 0, 0)));
    assert!(scores.accepted == 3 && scores.delivered < 3, "{scores:?}");
}

#[test]
fn the_runs_of_a_python_callers_request_stand_below_its_run() {
    let caller = "20200101T000000000000Z0199a5b2-6f1e-7c3a-8a4b-0123456789ab.20200101T000001000000Z0199a5b2-6f1e-7c3a-8a4b-0123456789ac";
    let request = RequestContext::new().with_langsmith_parent(caller);
    let (langsmith, _) = delivered(|| drop(request.sync_scope(|| ask("what?"))));
    let kept = langsmith.kept();
    let root = kept.run("ask");
    assert_eq!((root.above(), root.text("trace_id")), (Some(caller), "0199a5b2-6f1e-7c3a-8a4b-0123456789ab"));
    assert_eq!(root.main["parent_run_id"], "0199a5b2-6f1e-7c3a-8a4b-0123456789ac");
    assert_eq!(kept.run("generate").above(), Some(root.text("dotted_order")));
    assert_eq!(kept.run("generate").text("trace_id"), root.text("trace_id"));
    assert_eq!(feedback(&kept, "grounded")["trace_id"], root.text("trace_id"));
}

#[test]
fn a_caller_that_starts_later_by_its_clock_has_its_start_kept() {
    let caller = "29990101T000000000000Z0199a5b2-6f1e-7c3a-8a4b-0123456789ab";
    let request = RequestContext::new().with_langsmith_parent(caller);
    let (langsmith, _) = delivered(|| drop(request.sync_scope(|| ask("what?"))));
    let kept = langsmith.kept();
    assert_eq!((kept.runs.len(), kept.run("ask").text("start_time")), (3, "2999-01-01T00:00:00.000000+00:00"));
}

#[test]
fn a_request_of_another_service_is_a_langsmith_trace_of_its_own() {
    let caller = RequestContext::new();
    let header = format!("00-{}-{}-01", caller.trace_id().to_hex(), SpanId::new());
    let request = RequestContext::from_traceparent(&header).expect("a header");
    let (langsmith, _) = delivered(|| drop(request.sync_scope(|| ask("what?"))));
    let kept = langsmith.kept();
    kept.assert_whole_trees();
    let root = kept.run("ask");
    assert!(root.main.get("parent_run_id").is_none());
    assert_ne!(root.text("id"), caller.trace_id().as_uuid().to_string());
    assert_eq!(root.metadata()["trace_id"], caller.trace_id().as_uuid().to_string());
    assert!(kept.runs.values().all(|run| run.text("trace_id") == root.text("id")));
    assert_eq!(feedback(&kept, "grounded")["trace_id"], root.text("id"));
}

#[test]
fn services_that_share_a_trace_id_without_a_parent_have_trees_of_their_own() {
    let shared = TraceId::new();
    let (langsmith, _) = delivered(|| {
        for _service in ["one", "another"] {
            RequestContext::new().with_given_trace_id(shared).sync_scope(|| drop(ask("what?")));
        }
    });
    let kept = langsmith.kept();
    kept.assert_whole_trees();
    let shared = shared.as_uuid().to_string();
    assert_eq!((kept.runs.len(), kept.repeated, kept.changed), (6, 0, 0));
    assert!(kept.runs.values().all(|run| run.text("id") != shared && run.text("trace_id") != shared));
    assert!(kept.runs.values().all(|run| run.metadata()["trace_id"] == *shared));
    let roots: Vec<_> = kept.runs.values().filter(|run| run.main.get("parent_run_id").is_none()).collect();
    assert_eq!(roots.len(), 2);
    for root in roots {
        assert_eq!(kept.runs.values().filter(|run| run.text("trace_id") == root.text("id")).count(), 3);
        assert_eq!(kept.feedback.iter().filter(|one| one["trace_id"] == *root.text("id")).count(), 2);
    }
}

#[test]
fn two_stages_in_one_context_are_two_trees_and_neither_is_lost() {
    let request = RequestContext::new();
    let (langsmith, _) = delivered(|| {
        request.sync_scope(|| {
            ask("what?");
            retrieve("more");
            ask("why?");
        });
    });
    let kept = langsmith.kept();
    kept.assert_whole_trees();
    assert_eq!((kept.runs.len(), kept.repeated, kept.changed), (7, 0, 0));
    let roots = kept.runs.values().filter(|run| run.main.get("parent_run_id").is_none());
    let named_by_trace = roots.clone().filter(|run| run.text("id") == request.trace_id().as_uuid().to_string());
    assert_eq!((roots.count(), named_by_trace.count()), (3, 1));
    let both: Vec<_> = kept.feedback.iter().filter(|one| one["key"] == "relevance").map(|one| &one["run_id"]).collect();
    assert_eq!(both.len(), 2);
    assert_ne!(both[0], both[1]);
    assert!(kept.feedback.iter().all(|one| one["score"] != json!(null)));
}
