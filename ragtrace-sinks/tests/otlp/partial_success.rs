//! Answers that accept a request in part: they are read, counted, and not sent again.

use ragtrace::sink::Delivered;
use ragtrace_sinks::OtlpSink;
use ragtrace_sinks_support::{Answer, Server};

use crate::fixture::trace;
use crate::receiver::deliver;

use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message;

fn answered(body: Vec<u8>) -> (Delivered, usize) {
    let server = Server::start(move |_| Answer::status(200).body(body.clone()));
    let delivered = deliver(&OtlpSink::new(&server.url()), trace()).expect("a success");
    (delivered, server.requests().len())
}

fn partial(rejected_spans: i64, error_message: &str) -> Vec<u8> {
    let partial_success = Some(ExportTracePartialSuccess { rejected_spans, error_message: error_message.to_owned() });
    ExportTraceServiceResponse { partial_success }.encode_to_vec()
}

#[test]
fn spans_that_are_refused_without_being_named_are_counted_and_not_sent_again() {
    let (delivered, requests) = answered(partial(3, "too old"));
    let why = "the backend refused 3 of the request's 8 and does not say which: too old";
    assert_eq!((delivered.unnamed(), delivered.rejected(), requests), (Some((3, why)), &[][..], 1));
}

#[test]
fn spans_that_are_refused_together_are_counted_and_not_sent_again() {
    for rejected in [8, 9, i64::MAX] {
        let (delivered, requests) = answered(partial(rejected, "too old"));
        // The pipeline would keep a batch whose records are all named, and send it again.
        let why = "the backend refused all 8 in the request: too old";
        assert_eq!((delivered.unnamed(), delivered.rejected(), requests), (Some((8, why)), &[][..], 1), "{rejected}");
    }
}

#[test]
fn a_message_about_nothing_refused_is_a_warning() {
    assert_eq!(answered(partial(0, "slow down")).0.unnamed(), Some((0, "slow down")));
    assert_eq!(answered(partial(0, "")).0, Delivered::all());
    assert_eq!(answered(partial(-5, "")).0, Delivered::all());
}

#[test]
fn an_answer_that_is_none_of_otlps_is_a_success() {
    let long = vec![0x0a; 70_000];
    let answers: [&[u8]; 6] = [b"", b"{}", b"{\"partialSuccess\":{}}", b"<html>welcome</html>", b"\xff\xff\xff", &long];
    for answer in answers {
        assert_eq!(answered(answer.to_vec()).0, Delivered::all(), "{}", answer[..answer.len().min(20)].escape_ascii());
    }
    // The answer may be JSON, whatever was asked for.
    let json = br#"{"partialSuccess":{"rejectedSpans":"2","errorMessage":"odd"}}"#;
    assert_eq!(answered(json.to_vec()).0.unnamed().map(|(records, _)| records), Some(2));
}
