//! Tests receivers that start in seconds: Datadog's test agent, the collector rotel, and a recorder
//! in place of backends that cannot be run here.

mod recorded;
mod scenes;

use ragtrace_receivers::address;
use ragtrace_receivers::dialects::{GEN_AI, OPEN_INFERENCE};
use ragtrace_receivers::readers::{Rotel, TestAgent};

fn rotel() -> (String, Rotel) {
    (address("RAGTRACE_ROTEL_URL"), Rotel(address("RAGTRACE_ROTEL_OUTPUT").into()))
}

fn test_agent() -> TestAgent {
    TestAgent { url: address("RAGTRACE_TEST_AGENT_URL"), otlp_url: address("RAGTRACE_TEST_AGENT_OTLP_URL") }
}

#[test]
fn every_span_arrives_whole_in_a_collector() {
    let (url, rotel) = rotel();
    let settings = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*url)];
    scenes::play_over(&settings, |trace_id| rotel.spans(trace_id), &GEN_AI);
}

#[test]
fn every_span_arrives_whole_compressed_and_without_compression() {
    let (url, rotel) = rotel();
    for compression in ["gzip", "none"] {
        let settings = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*url), ("OTEL_EXPORTER_OTLP_COMPRESSION", compression)];
        scenes::play_over(&settings, |trace_id| rotel.spans(trace_id), &GEN_AI);
    }
}

#[test]
fn every_span_arrives_whole_in_the_words_of_open_inference() {
    let (url, rotel) = rotel();
    let settings = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*url), ("RAGTRACE_OTLP_PROFILE", "phoenix")];
    scenes::play_over(&settings, |trace_id| rotel.spans(trace_id), &OPEN_INFERENCE);
}

#[test]
fn every_span_arrives_whole_in_datadogs_test_agent() {
    let agent = test_agent();
    let settings = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*agent.otlp_url)];
    scenes::play_over(&settings, |trace_id| agent.spans(trace_id), &GEN_AI);
}
