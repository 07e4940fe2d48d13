//! A program's telemetry, from its stages to the intake.

use std::time::Duration;

use ragtrace::testing::RecordBuilder;
use ragtrace::{Console, RequestContext, SpoolLimits, traced_stage};
use ragtrace_sinks_support::{Answer, Server};

use crate::intake;
use crate::support::{server, sink, telemetry};

const BOUND: Duration = Duration::from_secs(20);

#[traced_stage(kind = pipeline, fields(input = question))]
fn answer(question: &str) -> Result<String, String> {
    let found = find(question);
    if found.is_empty() { Err("nothing is known of that".to_owned()) } else { Ok(found.join(" ")) }
}

#[traced_stage(kind = retrieve, level = "debug", fields(query))]
fn find(query: &str) -> Vec<String> {
    query.split(' ').filter(|word| word.len() > 3).map(str::to_owned).collect()
}

#[test]
fn each_sort_of_thing_arrives_from_one_program() {
    let _alone = telemetry();
    let server = server();
    let logs = sink(&server);
    let (metrics, spans) = (logs.metrics(), logs.llm_observability("rag-ask"));
    let installed = ragtrace::builder().service("rag-ask").environment("test").console(Console::Off);
    let installed = installed.sink(logs).sink(metrics).sink(spans.evaluations()).sink(spans).install();
    let installed = installed.expect("the only telemetry");
    RequestContext::new().with_user_id("alice").sync_scope(|| {
        assert!(answer("how long does it last").is_ok());
        assert!(answer("a b c").is_err());
    });
    installed.flush_blocking(BOUND);
    let report = installed.shutdown_blocking(BOUND);
    for (name, delivered) in [("datadog", 4), ("datadog-metrics", 0), ("datadog-llmobs", 4), ("datadog-evaluations", 0)]
    {
        let account = report.stats.sink(name).expect("an account");
        assert!(account.is_balanced(), "{account:?}");
        assert_eq!((account.accepted, account.delivered), (delivered, delivered), "{account:?}");
    }
    let requests = server.take_requests();
    let of = |path: &str| {
        requests
            .iter()
            .filter(|request| request.path() == path)
            .map(ragtrace_sinks_support::Received::json)
            .collect::<Vec<_>>()
    };
    let entries: usize = of("/api/v2/logs").iter().map(|body| body.as_array().expect("a list").len()).sum();
    assert_eq!(entries, 4, "what is of level debug is no entry");
    let spans = of("/api/intake/llm-obs/v1/trace/spans");
    let spans: Vec<_> =
        spans.iter().flat_map(|body| body["data"]["attributes"]["spans"].as_array().expect("spans")).collect();
    assert_eq!(spans.len(), 4, "and is a span all the same");
    let parents = spans.iter().filter(|span| span["parent_id"] == "undefined").count();
    assert_eq!(parents, 2);
    let series = of("/api/v2/series");
    let names: Vec<_> = series.iter().flat_map(|body| body["series"].as_array().expect("series")).collect();
    let failed = names
        .iter()
        .filter(|series| series["tags"].as_array().is_some_and(|tags| tags.contains(&"outcome:failed".into())));
    assert_eq!(failed.count(), 1);
}

#[test]
fn what_was_delivered_is_not_sent_again_when_another_intake_fails() {
    let _alone = telemetry();
    let server = Server::start(|request| match request.path() {
        "/api/v2/logs" => intake::answer(request),
        _ => Answer::status(503),
    });
    let logs = sink(&server);
    let spool = tempfile::tempdir().expect("a folder");
    let installed = ragtrace::builder().console(Console::Off).sink(logs.llm_observability("a")).sink(logs);
    let installed = installed.spool(spool.path(), SpoolLimits::default()).install().expect("the only telemetry");
    let _ = answer("how long does it last");
    installed.flush_blocking(Duration::from_secs(2));
    let report = installed.shutdown_blocking(BOUND);
    let account = |name: &str| report.stats.sink(name).expect("an account").clone();
    // The two records of a stage, and the pipeline's reports on the failing sink.
    assert!(account("datadog").delivered >= 2);
    assert_eq!((account("datadog-llmobs").delivered, account("datadog-llmobs").spooled), (0, 2));
    let requests = server.take_requests();
    let logs = requests.iter().filter(|request| request.path() == "/api/v2/logs").flat_map(|request| {
        request.json().as_array().expect("a list").clone().into_iter().map(|entry| entry["record_id"].to_string())
    });
    let mut ids: Vec<_> = logs.collect();
    ids.sort();
    let all = ids.len();
    ids.dedup();
    assert_eq!((ids.len(), all as u64), (all, account("datadog").delivered), "each is sent once");
}

#[test]
fn a_backlog_that_is_too_old_becomes_dead_letters_and_parks_nothing() {
    use ragtrace::Sink;
    let server = server();
    let logs = sink(&server);
    let old =
        (0..30).map(|_| RecordBuilder::log("a line").timestamp(crate::support::ago(Duration::from_hours(48))).build());
    let batch = ragtrace::sink::Batch::new(ragtrace::uuid::Uuid::now_v7(), old.collect::<Vec<_>>());
    let answer = crate::support::run(logs.deliver(&batch)).expect("not one error");
    assert_eq!(answer.rejected().len(), 30);
}
