//! The attributes of each profile, for a trace with everything in it.

use expect_test::{ExpectFile, expect_file};
use ragtrace_sinks::{OtlpProfile, OtlpSink};

use crate::fixture::trace;
use crate::receiver::{sent, shown_spans, spans};

fn check(profile: OtlpProfile, expected: &ExpectFile) {
    let sink = |url: &str| OtlpSink::new(url).profile(profile).tag("beta").tag("eu");
    let spans = spans(&sent(sink, trace()));
    for span in &spans {
        let mut keys: Vec<_> = span.attributes.iter().map(|attribute| &attribute.key).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), span.attributes.len(), "no key comes twice in {}", span.name);
    }
    expected.assert_eq(&shown_spans(&spans));
}

#[test]
fn a_collector_gets_the_names_of_opentelemetry() {
    check(OtlpProfile::Collector, &expect_file!["profiles/collector.txt"]);
}

#[test]
fn phoenix_gets_the_names_of_openinference() {
    check(OtlpProfile::Phoenix, &expect_file!["profiles/phoenix.txt"]);
}

#[test]
fn langfuse_gets_its_own_names() {
    check(OtlpProfile::Langfuse, &expect_file!["profiles/langfuse.txt"]);
}

#[test]
fn langsmith_gets_the_names_that_it_documents() {
    check(OtlpProfile::LangSmith, &expect_file!["profiles/langsmith.txt"]);
}

#[test]
fn mlflow_gets_openinference_with_documents_as_output_and_a_cost_of_its_own() {
    check(OtlpProfile::Mlflow, &expect_file!["profiles/mlflow.txt"]);
}

#[test]
fn datadog_gets_one_dialect_a_span_by_its_kind() {
    check(OtlpProfile::Datadog, &expect_file!["profiles/datadog.txt"]);
}
