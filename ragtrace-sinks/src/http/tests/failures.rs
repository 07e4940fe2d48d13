//! Tests of errors without an answer, and of their timeouts.

use std::time::Duration;

use ragtrace::sink::Verdict;
use ragtrace_sinks_support::{Answer, Server, closed_port};

use super::{builder, endpoint, post, send};
use crate::http::{Client, Request};

fn hasty() -> Client {
    builder().timeout(Duration::from_millis(200)).build()
}

#[test]
fn a_refused_connection_says_where() {
    let url = closed_port();
    let error = send(&builder().build(), &post(&format!("{url}/v1/traces"))).expect_err("nobody is there");
    let address = url.trim_start_matches("http://");
    assert_eq!(
        error.reason(),
        format!("POST http://{address}/v1/traces: error sending request: connection refused ({address})")
    );
    assert_eq!(error.verdict(), Verdict::Retry);
}

#[test]
fn a_name_without_an_address_is_tried_again() {
    let error = send(&builder().build(), &post("http://collector.invalid:4318/")).expect_err("no such host");
    let reason = error.reason();
    assert_eq!(error.verdict(), Verdict::Retry, "{reason}");
    let begin =
        "POST http://collector.invalid:4318/: error sending request: cannot find the host `collector.invalid`: ";
    assert!(reason.starts_with(begin), "{reason}");
}

#[test]
fn an_answer_that_does_not_come_is_tried_again() {
    let silent = Server::start(|_| Answer::hangs_at_once());
    let error = send(&hasty(), &post(&silent.url())).expect_err("no head");
    assert_eq!(error.verdict(), Verdict::Retry);
    assert!(error.reason().ends_with("/: error sending request: no answer within 200ms"), "{}", error.reason());

    let half = Server::start(|_| Answer::status(200).hangs_in_body());
    let error = send(&hasty(), &post(&half.url())).expect_err("no end");
    assert_eq!(error.verdict(), Verdict::Retry);
    assert!(error.reason().ends_with("/: error reading the answer: it did not end within 200ms"), "{}", error.reason());
}

#[test]
fn a_connection_that_does_not_come_is_tried_again() {
    // A TLS handshake with a server that waits for HTTP ends when neither side sends more.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("https://{}/", listener.local_addr().expect("an address"));
    let client = builder().connect_timeout(Duration::from_millis(200)).build();
    let error = send(&client, &post(&url)).expect_err("no TLS");
    assert_eq!(error.verdict(), Verdict::Retry);
    assert!(
        error.reason().ends_with("within 200ms") && error.reason().contains("no connection to 127.0.0.1:"),
        "{error}"
    );
}

#[test]
fn times_beyond_all_bounds_are_cut_to_them() {
    let server = Server::start(|_| Answer::status(200));
    let endless = builder().timeout(Duration::MAX).connect_timeout(Duration::MAX).build();
    assert_eq!(send(&endless, &post(&server.url())).expect("an answer").status(), 200);
    let none = builder().timeout(Duration::ZERO).build();
    let error = send(&none, &post(&Server::start(|_| Answer::hangs_at_once()).url())).expect_err("no time");
    assert_eq!(error.verdict(), Verdict::Retry, "{error}");
}

#[test]
fn a_reset_is_tried_again() {
    let at_once = Server::start(|_| Answer::resets_at_once());
    let error = send(&builder().build(), &post(&at_once.url())).expect_err("no answer");
    assert_eq!(error.verdict(), Verdict::Retry);
    assert!(error.reason().contains(": error sending request: connection "), "{}", error.reason());
    assert_eq!(at_once.requests().len(), 1, "a first request is not sent twice");

    let in_body = Server::start(|_| Answer::status(202).resets_in_body());
    let error = send(&builder().build(), &post(&in_body.url())).expect_err("half an answer");
    assert_eq!(error.verdict(), Verdict::Retry);
    assert!(error.reason().contains(": error reading the answer: connection reset"), "{}", error.reason());
}

#[test]
fn what_is_no_http_is_tried_again_and_named() {
    let server = Server::start(|_| Answer::garbage());
    let error = send(&builder().build(), &post(&server.url())).expect_err("no HTTP");
    assert_eq!(error.verdict(), Verdict::Retry);
    assert!(error.reason().contains("the answer is not HTTP"), "{}", error.reason());
}

#[test]
fn neither_user_nor_query_are_told() {
    let url = closed_port().replace("http://", "http://alice:hunter2@");
    let error = send(&builder().build(), &post(&format!("{url}/in?token=hunter3"))).expect_err("nobody is there");
    let shown = format!("{error} {error:?} {}", error.reason());
    assert!(!shown.contains("hunter") && !shown.contains("alice"), "{shown}");
    assert!(shown.contains("/in?…: "), "{shown}");
}

#[test]
fn a_header_that_cannot_be_sent_parks_without_its_value() {
    let request = Request::post(&endpoint("http://localhost/")).secret("authorization", "hunter2\nhunter3");
    let error = send(&builder().build(), &request).expect_err("no header");
    assert_eq!(error.verdict(), Verdict::Park);
    let expected = "POST http://localhost/: the value of the header `authorization` has an invalid character: \
                    set one line of ASCII";
    assert_eq!(error.reason(), expected);
}
