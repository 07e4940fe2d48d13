//! The verdict on each answer that LangSmith may give.

use std::sync::PoisonError;
use std::time::Duration;

use ragtrace::sink::{SinkError, Verdict};
use ragtrace::testing::RecordBuilder;
use ragtrace::{RecordScore, Sink, TraceId};
use ragtrace_sinks::LangSmithSink;
use ragtrace_sinks_support::{Answer, Expected, Matrix, Received, Server};
use serde_json::json;

use super::records::{ONE_TELEMETRY, batch, block_on};
use super::server::KEY;

fn well(request: &Received) -> Answer {
    match request.path() {
        "/info" => Answer::status(200).json(&json!({ "version": "0.12.3" })),
        _ => Answer::status(202).json(&json!({})),
    }
}

#[test]
fn every_answer_gets_the_verdict_that_langsmith_documents() {
    let _one = ONE_TELEMETRY.lock().unwrap_or_else(PoisonError::into_inner);
    let sink = |url: &str| LangSmithSink::new(KEY).endpoint(url).timeout(Duration::from_secs(1));
    let now = || Answer::status(429).body("{\"error\":\"hourly usage limit exceeded\"}");
    let repeats = Answer::status(401).body(format!("no such key: {KEY}"));
    Matrix::new(sink, well)
        .on(|request| request.path() == "/runs/multipart")
        .of_ends()
        .secret(KEY)
        .status(200, Expected::Delivered)
        .status(202, Expected::Delivered)
        .answer("200 with what is no JSON", Answer::status(200).body("<html>"), Expected::Delivered)
        .status(409, Expected::Delivered)
        .status(400, Expected::Rejected)
        .status(422, Expected::Rejected)
        .status(401, Expected::Park)
        .answer("401 that repeats the key", repeats, Expected::Park)
        .status(403, Expected::Park)
        .status(405, Expected::Park)
        .status(413, Expected::Split)
        .status(408, Expected::Retry)
        .status(425, Expected::Retry)
        .status(429, Expected::Retry)
        .answer("429 for seconds", Answer::status(429).header("retry-after", "1"), Expected::RetryAfter(1, 1))
        .answer("503 for a while", Answer::status(503).header("retry-after", "1"), Expected::RetryAfter(1, 1))
        .status(500, Expected::Retry)
        .status(502, Expected::Retry)
        .status(503, Expected::Retry)
        .status(504, Expected::Retry)
        .status(301, Expected::Park)
        .poison(Answer::status(400).json(&json!({ "error": "bad run" })))
        .limit(6_000, Answer::status(413))
        .run();
    // The pipeline would wait for it.
    let server = ragtrace_sinks_support::Server::start(move |request| match request.path() {
        "/runs/multipart" => now(),
        _ => well(request),
    });
    let error =
        super::records::block_on(ragtrace::Sink::deliver(&sink(&server.url()), &ragtrace_sinks_support::batch(1)));
    let error = error.expect_err("no quota");
    let wait = error.retry_after().expect("till the hour turns");
    assert!(wait <= Duration::from_hours(1) && wait > Duration::ZERO, "{wait:?}");
}

#[test]
fn every_answer_to_feedback_gets_its_verdict_and_what_was_taken_is_not_sent_again() {
    use Verdict::{Park, Retry, Split};
    let rows = [
        (401, Some(Park)),
        (403, Some(Park)),
        (405, Some(Park)),
        (301, Some(Park)),
        (408, Some(Retry)),
        (413, Some(Split)),
        (429, Some(Retry)),
        (500, Some(Retry)),
        (503, Some(Retry)),
        (200, None),
        (201, None),
        (409, None),
    ];
    for (status, expected) in rows {
        let is_second = |request: &Received| request.path() == "/feedback" && request.mentions("\"second\"");
        let server = Server::start(move |request| {
            let repeats = Answer::status(status).body(format!("no such key: {KEY}"));
            if is_second(request) { repeats } else { well(request) }
        });
        let sink = LangSmithSink::new(KEY).endpoint(server.url()).feedback();
        let score = |name| RecordBuilder::score(RecordScore::new(name, 1.0)).trace_id(TraceId::new()).build();
        let scores = batch([score("first"), score("second")]);
        let answers = [(), ()].map(|()| block_on(sink.deliver(&scores)));
        for answer in answers {
            let error = answer.as_ref().err();
            assert_eq!(error.map(SinkError::verdict), expected, "{status}: {answer:?}");
            assert!(error.is_none_or(|error| !error.reason().contains(KEY)), "{status}: {answer:?}");
        }
        let sent = server.requests().into_iter().filter(|request| request.path() == "/feedback").count();
        assert_eq!(sent, if expected.is_some() { 3 } else { 4 }, "{status}");
    }
}

#[test]
fn feedback_that_is_refused_is_named_and_the_rest_arrives() {
    for status in [400, 422] {
        let server = Server::start(move |request| {
            let refusal = Answer::status(status).json(&json!({ "error": "bad feedback" }));
            if request.mentions("\"bad\"") { refusal } else { well(request) }
        });
        let sink = LangSmithSink::new(KEY).endpoint(server.url()).feedback();
        let score = |name| RecordBuilder::score(RecordScore::new(name, 1.0)).trace_id(TraceId::new()).build();
        let delivered = block_on(sink.deliver(&batch([score("a"), score("bad"), score("b")]))).expect("an answer");
        let [(1, why)] = delivered.rejected() else { panic!("{delivered:?}") };
        assert!(why.contains("bad feedback"), "{why}");
    }
}
