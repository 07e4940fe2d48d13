//! Scores, from where they are recorded to the sinks.

use std::time::Duration;

use ragtrace::spool::DeadLetters;
use ragtrace::{
    Event, Level, QueueLimits, Record, RequestContext, Sampler, Score, SpanId, SpoolLimits, TraceId, Value, testing,
    traced_stage,
};
use ragtrace_sinks::{SqliteSink, store};

use crate::support::{Memory, finish, quiet, turn};

#[traced_stage]
fn answer() -> Option<SpanId> {
    assert!(Score::number("faithfulness", 0.83).by("llm").comment("as the sources say").record());
    RequestContext::current().and_then(|request| request.span_id())
}

fn scores(records: &[Record]) -> Vec<&Record> {
    records.iter().filter(|record| record.event() == Event::Score).collect()
}

#[test]
fn a_score_judges_the_run_around_it_the_trace_around_it_or_the_one_it_names() {
    let _turn = turn();
    let memory = Memory::default();
    let telemetry = quiet().sink(memory.clone()).install().expect("the only");
    let request = RequestContext::new().with_user_id("alice").with_tenant_id("acme").with_session_id("s-1");
    let (other, span) = (TraceId::new(), SpanId::new());
    let judged = request.sync_scope(|| {
        let judged = answer();
        assert!(Score::flag("helpful", true).by("human").record());
        assert!(Score::label("tone", "friendly").trace(other).record());
        assert!(Score::number("stars", 4).span(span).tenant("beta").record());
        judged
    });
    assert!(Score::number("recall", 0.5_f32).trace(other).span(span).by("code").record());
    assert!(!Score::number("recall", 0.5).record(), "of no trace");
    finish(telemetry);
    let records = memory.records();
    let scores = scores(&records);
    let subject = |record: &Record| (record.trace_id(), record.span_id(), record.tenant_id().map(str::to_owned));
    let acme = Some("acme".to_owned());
    let subjects: Vec<_> = scores.iter().map(|record| subject(record)).collect();
    let expected = [
        (Some(request.trace_id()), judged, acme.clone()),
        (Some(request.trace_id()), None, acme.clone()),
        (Some(other), None, acme),
        (Some(request.trace_id()), Some(span), Some("beta".to_owned())),
        (Some(other), Some(span), None),
    ];
    assert_eq!(subjects, expected);
    let of = |at: usize| {
        let score = scores[at].score().expect("a judgement");
        (score.name().to_owned(), score.value().clone(), score.by().map(str::to_owned))
    };
    assert_eq!(of(0), ("faithfulness".to_owned(), Value::F64(0.83), Some("llm".to_owned())));
    assert_eq!(of(1), ("helpful".to_owned(), Value::Bool(true), Some("human".to_owned())));
    assert_eq!(of(2), ("tone".to_owned(), Value::Text("friendly".into()), None));
    assert_eq!(of(3), ("stars".to_owned(), Value::F64(4.0), None));
    assert_eq!(of(4), ("recall".to_owned(), Value::F64(0.5), Some("code".to_owned())));
    assert_eq!(scores[0].score().and_then(|score| score.comment()), Some("as the sources say"));
    assert_eq!((scores[0].message().as_ref(), scores[0].logger()), ("faithfulness_scored", "score"));
    // A score of another trace contains the user of the request, but no more of it.
    assert_eq!((scores[2].user_id(), scores[2].session_id(), scores[2].request_id()), (Some("alice"), None, None));
    assert_eq!((scores[1].user_id(), scores[1].session_id()), (Some("alice"), Some("s-1")));
    assert!(scores.iter().all(|record| !record.is_local_root() && record.parent_span_id().is_none()));
    for record in scores {
        let read = Record::from_json(&record.to_json()).expect("a record");
        assert_eq!((read.score(), read.to_json()), (record.score(), record.to_json()));
    }
}

#[test]
fn a_request_from_elsewhere_is_judged_as_a_trace_where_no_stage_runs() {
    let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = RequestContext::from_traceparent(header).expect("well-formed");
    let ((), captured) = testing::capture_sync(|| {
        request.sync_scope(|| assert!(Score::flag("helpful", false).record()));
    });
    let score = captured.scores().next().expect("one");
    assert_eq!((score.trace_id(), score.span_id()), (Some(request.trace_id()), None));
}

#[test]
fn a_test_sees_the_scores_that_its_stages_record() {
    let (span, captured) = testing::capture_sync(answer);
    let scores: Vec<_> = captured.scores().collect();
    assert_eq!((scores.len(), scores[0].span_id()), (1, span));
    let shown = format!("{captured:?}");
    assert!(shown.contains("\n  faithfulness_scored=0.83"), "{shown}");
}

#[test]
fn a_score_passes_every_level_and_the_sampler() {
    let _turn = turn();
    for sampler in [Sampler::ratio(0.0), Sampler::ratio(0.0).keep_errors(false), Sampler::ratio(1.0).per_second(0)] {
        let memory = Memory::default().level(Level::Error);
        let telemetry = quiet().sample(sampler).sink(memory.clone()).install().expect("the only");
        answer();
        let report = telemetry.shutdown_blocking(Duration::from_secs(30));
        assert_eq!(scores(&memory.records()).len(), 1);
        assert_eq!(memory.records().len(), 1);
        let sink = report.stats.sink("memory").expect("the one");
        assert_eq!((sink.accepted, sink.delivered), (1, 1), "{report}");
    }
}

#[test]
fn a_score_that_a_full_queue_refuses_is_counted() {
    let _turn = turn();
    let memory = Memory::default();
    let limits = QueueLimits::default().with_bytes(32 << 10).with_sink_records(1 << 20).with_sink_bytes(1 << 32);
    let telemetry = quiet().queue(limits).sink(memory.clone()).install().expect("the only");
    let (trace, comment) = (TraceId::new(), "x".repeat(8_000));
    let mut accepted = 0;
    while Score::flag("helpful", true).trace(trace).comment(comment.as_str()).record() {
        accepted += 1;
        assert!(accepted < 1_000_000, "the queue takes what there is");
    }
    let report = telemetry.shutdown_blocking(Duration::from_secs(30));
    assert_eq!((report.stats.dropped.total(), report.stats.dropped.of(Level::Info)), (1, 1), "{report}");
    assert_eq!(scores(&memory.records()).len(), accepted);
}

#[test]
fn what_is_secret_in_a_score_does_not_leave() {
    let _turn = turn();
    let memory = Memory::default();
    let telemetry = quiet().sink(memory.clone()).install().expect("the only");
    let trace = TraceId::new();
    Score::label("tone", "password=planted").trace(trace).comment("Authorization: Bearer planted-0123456789").record();
    Score::label("api_key", "planted").trace(trace).record();
    Score::flag("password=planted", true).trace(trace).record();
    Score::label("tone", "x".repeat(100_000)).comment("y".repeat(100_000)).trace(trace).record();
    finish(telemetry);
    let records = memory.records();
    assert_eq!(scores(&records).len(), 4);
    let cut = records[3].score().expect("a judgement");
    assert!(cut.value().as_str().is_some_and(|label| label.len() < 9_000 && label.contains("truncated")));
    assert!(cut.comment().is_some_and(|comment| comment.len() < 9_000));
    for record in &records {
        assert!(!record.to_json().contains("planted"), "{}", record.to_json());
    }
}

#[test]
fn a_score_of_another_tenants_trace_is_a_dead_letter_that_says_so_and_the_account_adds_up() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    let (file, spool) = (folder.path().join("ragtrace.db"), folder.path().join("spool"));
    let sink = SqliteSink::new(&file);
    let telemetry = quiet().spool(&spool, SpoolLimits::default()).sink(sink).install().expect("the only");
    let request = RequestContext::new().with_tenant_id("acme");
    request.sync_scope(answer);
    let trace = request.trace_id();
    assert!(Score::flag("helpful", false).trace(trace).tenant("beta").record());
    assert!(Score::flag("helpful", true).trace(trace).record());
    let report = telemetry.shutdown_blocking(Duration::from_secs(30));
    let sink = report.stats.sink("sqlite").expect("the one");
    assert!(sink.is_balanced() && report.complete, "{report}");
    assert_eq!((sink.accepted, sink.delivered, sink.dead_lettered), (5, 4, 1), "{report}");
    let letters = DeadLetters::new(&spool).read().expect("readable");
    let refused: Vec<_> = letters.iter().map(|letter| (letter.reason(), letter.record().tenant_id())).collect();
    assert_eq!(refused, [("the trace of the score belongs to another tenant", Some("beta"))]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let trace = runtime.block_on(async {
        let store = store::open(&format!("sqlite:{}", file.display())).await.expect("opens");
        store.trace(trace).await.expect("reads").expect("it is there")
    });
    let judged: Vec<_> = trace.scores().iter().map(|score| (score.name(), score.tenant_id())).collect();
    assert_eq!(judged, [("faithfulness", Some("acme")), ("helpful", Some("acme"))]);
    assert_eq!((trace.logs().len(), trace.spans().len()), (2, 1));
    assert_eq!(trace.roots().next().map(|root| root.scores().count()), Some(1));
}

#[test]
fn a_score_that_cannot_be_recorded_says_what_to_change() {
    let error = |score: Score| score.try_record().expect_err("it is no score").to_string();
    let trace = TraceId::new();
    let of = |name: &'static str| Score::flag(name, true).trace(trace);
    let good = "give one of 1 to 64 characters, none of them a control character";
    assert_eq!(error(of("")), format!("invalid score name \"\": {good}"));
    assert_eq!(error(of(" ")), format!("invalid score name \" \": {good}"));
    assert_eq!(error(of("a\nb")), format!("invalid score name \"a\\nb\": {good}"));
    assert!(error(Score::flag("x".repeat(65), true).trace(trace)).starts_with("invalid score name \"xx"));
    assert!(error(Score::flag("x".repeat(1 << 20), true).trace(trace)).len() < 300);
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let told = error(Score::number("recall", number).trace(trace));
        assert_eq!(told, format!("the score `recall` is {number}: give a finite number"));
    }
    let judges = "use `human`, `llm` or `code`";
    assert_eq!(error(of("tone").by("Human")), format!("the score `tone` has the judge \"Human\": {judges}"));
    let _turn = turn();
    assert_eq!(Score::flag("tone", true).try_record(), Ok(false), "nobody listens");
    let telemetry = quiet().sink(Memory::default()).install().expect("the only");
    let told = error(Score::flag("tone", true));
    assert_eq!(told, "the score `tone` has no trace: set one with `.trace(…)`, or record it inside a request");
    assert!(Score::flag("Tön/e 5@k", true).trace(trace).record());
    finish(telemetry);
}

#[traced_stage(root)]
fn background() {}

#[test]
fn a_score_that_comes_after_its_run_hides_no_nesting() {
    let ((), captured) = testing::capture_sync(|| {
        let request = RequestContext::new();
        let outer = request.sync_scope(|| {
            let outer = outer_of_answer();
            assert!(outer.is_some());
            outer
        });
        assert!(Score::flag("ok", true).trace(request.trace_id()).span(outer.expect("a run")).record());
    });
    assert_eq!(captured.stage("answer").completed().within("outer_of_answer").len(), 1);
}

#[traced_stage]
fn outer_of_answer() -> Option<SpanId> {
    answer();
    RequestContext::current().and_then(|request| request.span_id())
}

#[test]
fn a_stage_that_starts_a_trace_leaves_the_langsmith_run_of_its_caller() {
    let caller = "20261126T101500000000Z0199a5b2-6f1e-7c3a-8a4b-0123456789ab";
    let ((), captured) = testing::capture_sync(|| {
        RequestContext::new().with_langsmith_parent(caller).sync_scope(|| {
            answer();
            background();
        });
    });
    let parent = |stage: &str| captured.stage(stage).completed().one().langsmith_parent().map(str::to_owned);
    assert_eq!((parent("answer"), parent("background")), (Some(caller.to_owned()), None));
}
