//! Requests: path, headers, compression and contents.

use ragtrace::sink::{Batch, Delivered, Verdict};
use ragtrace::testing::RecordBuilder;
use ragtrace::uuid::Uuid;
use ragtrace::{Event, Level, RecordScore, Sink};
use ragtrace_sinks::{OtlpProfile, OtlpSink};
use ragtrace_sinks_support::{Answer, Server};

use crate::fixture::trace;
use crate::receiver::{block_on, deliver, log_records, receiver, sent, spans};

#[test]
fn a_request_goes_by_gzip_to_the_signals_path_under_the_url() {
    for (suffix, path) in
        [("", "/v1/traces"), ("/", "/v1/traces"), ("/otel/", "/otel/v1/traces"), ("/v1/traces", "/v1/traces")]
    {
        let request = sent(|url| OtlpSink::new(&format!("{url}{suffix}")), trace());
        assert_eq!((&*request.method, request.path()), ("POST", path), "{suffix:?}");
        assert_eq!(request.header("content-encoding"), Some("gzip"));
        assert_eq!(spans(&request).len(), trace().len());
        assert!(
            request.raw_body.len() * 2 < request.body.len(),
            "{} of {}",
            request.raw_body.len(),
            request.body.len()
        );
    }
    let request = sent(|url| OtlpSink::new(url).uncompressed(), trace());
    assert_eq!((request.header("content-encoding"), request.raw_body == request.body), (None, true));
}

#[test]
fn each_profile_has_its_headers() {
    let headers = |profile: OtlpProfile| {
        let sink = |url: &str| OtlpSink::new(url).profile(profile).api_key("hunter2").project("rag");
        let request = sent(sink, trace());
        let is_ours = |name: &str| {
            !["host", "user-agent", "content-type", "content-encoding", "content-length", "accept"].contains(&name)
        };
        let mut headers: Vec<_> = request
            .headers
            .iter()
            .filter(|(name, _)| is_ours(name))
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        headers.sort();
        headers
    };
    assert_eq!(headers(OtlpProfile::Collector), ["authorization: Bearer hunter2"]);
    assert_eq!(headers(OtlpProfile::Phoenix), ["authorization: Bearer hunter2", "x-project-name: rag"]);
    assert_eq!(headers(OtlpProfile::Langfuse), ["authorization: Basic hunter2", "x-langfuse-ingestion-version: 4"]);
    assert_eq!(headers(OtlpProfile::LangSmith), ["langsmith-project: rag", "x-api-key: hunter2"]);
    assert_eq!(headers(OtlpProfile::Mlflow), ["authorization: Bearer hunter2", "x-mlflow-experiment-id: rag"]);
    let datadog = ["dd-api-key: hunter2", "dd-ml-app: rag", "dd-otlp-source: llmobs", "dd_llmobs_enabled: true"];
    assert_eq!(headers(OtlpProfile::Datadog), datadog);
}

#[test]
fn a_header_that_is_set_wins_over_the_profiles_whatever_its_case() {
    let sink = |url: &str| {
        let sink = OtlpSink::new(url).profile(OtlpProfile::Mlflow).api_key("hunter2");
        sink.header("X-MLflow-Experiment-Id", "7")
            .header("Authorization", "Basic abc")
            .header("authorization", "Basic xyz")
    };
    let request = sent(sink, trace());
    let values = |name: &str| {
        request.headers.iter().filter(|(key, _)| key == name).map(|(_, value)| &**value).collect::<Vec<_>>()
    };
    assert_eq!((values("x-mlflow-experiment-id"), values("authorization")), (vec!["7"], vec!["Basic xyz"]));
    let request = sent(|url| OtlpSink::new(url).profile(OtlpProfile::Mlflow), trace());
    assert_eq!(request.header("x-mlflow-experiment-id"), Some("0"), "MLflow's default experiment");
}

#[test]
fn what_makes_no_span_is_delivered_without_a_request() {
    let server = receiver();
    let sink = OtlpSink::new(&server.url());
    let score = RecordBuilder::score(RecordScore::new("faithfulness", 0.9)).build();
    let nothing = vec![RecordBuilder::started("a").build(), RecordBuilder::log("hello").build(), score];
    assert_eq!(deliver(&sink, nothing).expect("nothing to do"), Delivered::all());
    assert_eq!(deliver(&sink, Vec::new()).expect("nothing to do"), Delivered::all());
    assert!(server.requests().is_empty());
    let logs = sink.logs().expect("a Collector takes logs");
    assert_eq!(deliver(&logs, trace()).expect("nothing to do"), Delivered::all());
    assert!(server.requests().is_empty(), "spans tell what stages did");
}

#[test]
fn spans_come_of_every_end_and_of_nothing_else_and_logs_follow_their_level() {
    let sink = OtlpSink::new("http://localhost").level(Level::Warn).named("tempo");
    assert!(sink.needs().all_end_records());
    assert_eq!(sink.name(), "tempo");
    let logs = sink.logs().expect("a Collector takes logs");
    assert_eq!(
        (logs.name(), Sink::level(&logs), logs.needs().all_end_records()),
        ("tempo-logs", Some(Level::Warn), false)
    );
    for profile in [OtlpProfile::Phoenix, OtlpProfile::Langfuse, OtlpProfile::LangSmith, OtlpProfile::Mlflow] {
        assert!(OtlpSink::new("http://localhost").profile(profile).logs().is_none(), "{profile} takes no logs");
    }
    let datadog = OtlpSink::new("http://localhost").profile(OtlpProfile::Datadog);
    assert_eq!(datadog.needs().alone_in(), Some("Datadog LLM Observability"));
}

#[test]
fn a_check_sends_an_empty_request_and_says_what_works() {
    let server = receiver();
    let sink = OtlpSink::new(&server.url());
    let said = block_on(sink.check()).expect("it works");
    assert_eq!(said, format!("collector accepts OTLP at {}/v1/traces", server.url()));
    assert!(spans(&server.take_requests().remove(0)).is_empty());
    let said = block_on(sink.logs().expect("logs").check()).expect("it works");
    assert_eq!(said, format!("collector accepts OTLP at {}/v1/logs", server.url()));
    assert!(log_records(&server.take_requests().remove(0)).is_empty());
    // MLflow has read the request, and complains that it has no spans.
    let mlflow = Server::start(|_| Answer::status(400).body("no spans"));
    let sink = OtlpSink::new(&mlflow.url()).profile(OtlpProfile::Mlflow);
    assert!(block_on(sink.check()).is_ok());
    let closed = Server::start(|_| Answer::status(401).body("who are you?"));
    let error = block_on(OtlpSink::new(&closed.url()).check()).expect_err("refused");
    assert!(error.verdict() == Verdict::Park && error.reason().contains("check the credentials"), "{}", error.reason());
}

#[test]
fn a_malformed_url_parks_the_sink_and_names_what_is_wrong_without_its_password() {
    for url in ["", "localhost:4318", "grpc://me:hunter2@collector", "http://"] {
        let error = deliver(&OtlpSink::new(url), trace()).expect_err(url);
        assert_eq!(error.verdict(), Verdict::Park, "{url:?}");
        assert!(
            error.reason().starts_with("the URL for OTLP: expected ") && !error.reason().contains("hunter2"),
            "{}",
            error.reason()
        );
    }
}

#[test]
fn a_credential_in_the_place_of_a_headers_name_is_not_shown() {
    let error = deliver(&OtlpSink::new("http://127.0.0.1:9").header("Authorization: Bearer hunter2", ""), trace());
    let reason = error.expect_err("no name").reason();
    assert!(reason.ends_with("is not a valid header name") && !reason.contains("hunter2"), "{reason}");
}

#[test]
fn no_credential_is_shown_by_debug_or_an_error() {
    let server = Server::start(|request| {
        let headers: Vec<_> = request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        Answer::status(403).body(headers.join("\n"))
    });
    let url = server.url().replace("http://", "http://me:password9@");
    let sink = OtlpSink::new(&url).api_key("hunter2").header("x-token", "sesame!");
    let logs = sink.logs().expect("logs");
    let error = deliver(&sink, trace()).expect_err("refused");
    let shown = format!("{sink:?} {logs:?} {error:?} {} {error}", error.reason());
    for secret in ["hunter2", "sesame!", "password9"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(error.reason().contains("403 Forbidden"), "{}", error.reason());
}

#[test]
fn the_same_batch_gives_the_same_request_however_often_it_is_sent() {
    let server = receiver();
    let sink = OtlpSink::new(&server.url());
    let batch = Batch::new(Uuid::now_v7(), trace());
    for _ in 0..3 {
        block_on(sink.deliver(&batch)).expect("all is well");
    }
    let requests = server.take_requests();
    assert!(requests.len() == 3 && requests.iter().all(|request| request.body == requests[0].body));
    // A record read back from a spool or a dead letter makes the same span.
    let again: Vec<_> =
        trace().iter().map(|record| ragtrace::Record::from_json(&record.to_json()).expect("a record")).collect();
    assert!(again.iter().any(|record| record.event() == Event::Failed));
    let request = sent(OtlpSink::new, again);
    assert_eq!(request.body, requests[0].body);
}
