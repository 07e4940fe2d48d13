//! Processes that are killed while they send spans: none is lost, and each agrees with its record.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use ragtrace::Record;
use ragtrace_sinks_support::{Answer, Received, Server};
use ragtrace_tests::number_of;

use crate::kill::kill_often;
use crate::process::{Work, Workdir};

const ROUNDS: u64 = 20;

/// The spans that a receiver accepted, by the number of their run, with duplicates.
type Spans = Arc<Mutex<HashMap<u64, Vec<Span>>>>;

/// Starts a receiver that is sometimes busy, or closes the connection after it has accepted
/// everything.
fn flaky_receiver(taken: &Spans) -> Server {
    let (taken, requests) = (Arc::clone(taken), AtomicU64::new(0));
    Server::start(move |request| match requests.fetch_add(1, Ordering::Relaxed) % 7 {
        2 => Answer::status(503),
        4 => {
            take(&taken, request);
            Answer::resets_at_once()
        }
        _ => {
            take(&taken, request);
            Answer::status(200)
        }
    })
}

fn take(taken: &Spans, request: &Received) {
    let request = ExportTraceServiceRequest::decode(&*request.body).expect("a whole request");
    let scopes = request.resource_spans.into_iter().flat_map(|of_resource| of_resource.scope_spans);
    let mut taken = taken.lock().expect("nobody panicked with it");
    for span in scopes.flat_map(|scope| scope.spans) {
        let number = span.attributes.iter().find(|attribute| attribute.key == "number");
        let number = number.and_then(|attribute| attribute.value.as_ref()?.value.as_ref());
        if let Some(Value::IntValue(number)) = number {
            taken.entry(number.cast_unsigned()).or_default().push(span);
        }
    }
}

/// Returns the end records that were written as lines, by the number of their run. The last line of
/// a killed process may be incomplete.
fn recorded(lines: &str) -> HashMap<u64, Record> {
    let records = lines.lines().filter_map(|line| Record::from_json(line).ok());
    records.filter(|record| record.event().is_end()).filter_map(|record| Some((number_of(&record)?, record))).collect()
}

#[test]
fn no_span_is_lost_when_its_process_is_killed_and_each_is_what_its_record_says() {
    let (mut workdir, taken) = (Workdir::new(), Spans::default());
    let server = flaky_receiver(&taken);
    let lines = workdir.file.with_extension("lines");
    workdir.variables = vec![("CHAOS_OTLP_URL", server.url()), ("CHAOS_LINES", lines.display().to_string())];
    let work = Work { durability: "durable", ..Work::default() };
    let safe = kill_often(&workdir, work, ROUNDS, 1);
    println!("{}", workdir.drain().trim_end());
    let (taken, recorded) = (
        taken.lock().expect("nobody panicked with it"),
        recorded(&std::fs::read_to_string(&lines).expect("lines were written")),
    );
    let lost: Vec<_> = safe.iter().filter(|number| !taken.contains_key(number)).collect();
    assert!(lost.is_empty() && safe.len() > 200, "{} of {} are lost: {:?}", lost.len(), safe.len(), lost.first());
    let mut compared = 0;
    for (number, spans) in taken.iter() {
        let first = &spans[0];
        assert!(spans.iter().all(|span| span == first), "run {number} came as two spans: {spans:?}");
        let Some(record) = recorded.get(number) else { continue };
        let ids = (record.trace_id().expect("a trace").as_u128(), record.span_id().expect("a span").as_u64());
        assert_eq!(first.trace_id, ids.0.to_be_bytes(), "run {number}");
        assert_eq!(first.span_id, ids.1.to_be_bytes(), "run {number}");
        assert_eq!(first.name, record.stage().expect("a stage"));
        let nanos = record.duration().expect("an end").as_nanos();
        assert_eq!(u128::from(first.end_time_unix_nano - first.start_time_unix_nano), nanos, "run {number}");
        compared += 1;
    }
    assert!(compared >= safe.len(), "only {compared} of {} could be compared", safe.len());
    println!("{} spans were safe, {} arrived, {compared} are what their records say", safe.len(), taken.len());
}
