//! The sinks beside the sink for OTLP: ids that lead from a log to its trace, and products that
//! only one of them may fill.

use ragtrace::Sink;
use ragtrace::testing::RecordBuilder;
use ragtrace_sinks::{OtlpProfile, OtlpSink};
use ragtrace_sinks_support::{Answer, Server};

use crate::support::{deliver, delivered, server, sink};

#[test]
fn a_log_leads_to_the_span_that_otlp_brought_to_the_agent() {
    let record = RecordBuilder::completed("a_stage").build();
    let agent = Server::start(|_| Answer::status(200));
    deliver(&OtlpSink::new(&agent.url()).uncompressed(), vec![record.clone()]).expect("it is taken");
    let spans = agent.take_requests().swap_remove(0).body;
    let server = server();
    let entry = delivered(&server, &sink(&server), vec![record])[0].clone();
    let text = |name: &str| entry[name].as_str().expect("a text").to_owned();
    let trace = u128::from_str_radix(&text("dd.trace_id"), 16).expect("32 digits");
    let span: u64 = text("dd.span_id").parse().expect("decimal digits");
    let has = |bytes: &[u8]| spans.windows(bytes.len()).any(|window| window == bytes);
    assert!(has(&trace.to_be_bytes()) && has(&span.to_be_bytes()), "the bytes of both ids");
}

#[test]
fn llm_observability_by_both_ways_is_told_apart_from_apm() {
    let spans = ragtrace_sinks::DatadogSink::new("k").llm_observability("a");
    let place = spans.needs().alone_in();
    assert!(place.is_some());
    let otlp = |profile| OtlpSink::new("http://localhost:4318").profile(profile).needs().alone_in();
    assert_eq!(otlp(OtlpProfile::Datadog), place, "`install()` warns of both");
    assert_eq!(otlp(OtlpProfile::Collector), None, "APM through the Agent is as it should be");
}
