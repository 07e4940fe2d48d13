//! Two thousand requests of every kind at once: answered, empty, streamed, left, aborted, failed
//! and panicking, over HTTP/1, HTTP/2 and gRPC. Each has exactly one record of its start and one of
//! its end, and none has another one's ids.

mod client;
mod kind;
mod service;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use client::Client;
use kind::Kind;
use ragtrace::sink::{Batch, BatchLimits, Delivered, SinkError};
use ragtrace::{Record, Sink, TraceId};
use service::Service;

const REQUESTS: u32 = 2_000;

/// The number of requests at once. Each has both ends of a connection in this process.
const AT_ONCE: usize = 200;

const RECEIVED: &str = "http_request_received";
const ENDS: [&str; 3] = ["http_response_sent", "http_request_failed", "http_request_cancelled"];

/// A sink that keeps the records.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<Record>>>);

impl Kept {
    fn records(&self) -> Vec<Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the number of requests that have ended.
    fn ends(&self) -> usize {
        let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        records.iter().filter(|record| ENDS.contains(&&*record.message())).count()
    }
}

impl Sink for Kept {
    fn name(&self) -> &'static str {
        "kept"
    }

    fn limits(&self) -> BatchLimits {
        BatchLimits::default().with_age(Duration::from_millis(20))
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(batch.records().iter().cloned());
        Ok(Delivered::all())
    }
}

/// Sends all requests in a random order, at most [`AT_ONCE`] of them at a time.
async fn send_all(client: &Arc<Client>) {
    let slots = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
    let mut sending = tokio::task::JoinSet::new();
    for number in 0..REQUESTS {
        let slot = Arc::clone(&slots).acquire_owned().await.expect("it is never closed");
        let client = Arc::clone(client);
        sending.spawn(async move {
            client.send(Kind::of(number), number).await;
            drop(slot);
        });
    }
    while let Some(outcome) = sending.join_next().await {
        outcome.expect("no request fails otherwise than it is meant to");
    }
}

#[test]
fn two_thousand_requests_of_every_kind_at_once_end_in_one_pair_of_records_each() {
    let kept = Kept::default();
    let telemetry = ragtrace_tests::install(ragtrace::builder().sink(kept.clone()));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let service = Service::start(REQUESTS as usize).await;
        let client = Arc::new(Client::connect(&service).await);
        tokio::time::timeout(Duration::from_mins(1), send_all(&client)).await.expect("all are answered in time");
    });
    // A server notices that a client has left when it next looks at the connection.
    ragtrace_tests::until("an end of each request", Duration::from_secs(30), || kept.ends() >= REQUESTS as usize);
    drop(runtime);
    let report = telemetry.shutdown(Duration::from_secs(30));
    assert!(report.complete && report.stats.dropped.total() == 0, "{report}");

    let records = kept.records();
    let of_requests = records.iter().filter(|record| record.message().starts_with("http_")).count();
    assert_eq!(of_requests, 2 * REQUESTS as usize, "no request has more or less than two records");
    let mut traces: HashMap<TraceId, Vec<&Record>> = HashMap::new();
    for record in &records {
        if let Some(trace) = record.trace_id() {
            traces.entry(trace).or_default().push(record);
        }
    }
    for number in 0..REQUESTS {
        let trace = client::trace_of(number);
        check(Kind::of(number), number, traces.get(&trace).map_or(&[], Vec::as_slice));
    }
}

/// Compares the records of one trace with the request that made it.
fn check(kind: Kind, number: u32, records: &[&Record]) {
    let shown = || {
        let lines: Vec<_> = records.iter().map(|record| record.to_json()).collect();
        format!("{kind:?} {number}:\n{}", lines.join("\n"))
    };
    let with = |messages: &[&str]| -> Vec<&Record> {
        records.iter().copied().filter(|record| messages.contains(&&*record.message())).collect()
    };
    let (received, ended) = (with(&[RECEIVED]), with(&ENDS));
    let ([received], [ended]) = (received.as_slice(), ended.as_slice()) else {
        panic!("not one record of its beginning and one of its end: {}", shown());
    };
    assert!(kind.ends().contains(&&*ended.message()), "it ends by one of {:?}: {}", kind.ends(), shown());
    assert_eq!(ended.stage(), Some(kind.stage()), "{}", shown());
    assert_eq!(received.span_id(), ended.span_id(), "{}", shown());
    assert_eq!(received.parent_span_id(), Some(client::span_of(number)), "{}", shown());
    let request = client::request_of(number);
    for record in records {
        assert_eq!(record.request_id(), Some(&*request), "every record bears the request's own id: {}", shown());
    }
    // The handler's stages are in the request's trace, below its root.
    let works: Vec<_> = records.iter().filter(|record| record.stage() == Some("handling")).collect();
    assert_eq!(works.len(), if kind.is_handled() { 2 } else { 0 }, "{}", shown());
    for work in works {
        assert_eq!(work.parent_span_id(), ended.span_id(), "{}", shown());
        assert_eq!(work.field("number").and_then(ragtrace::Value::as_u64), Some(u64::from(number)), "{}", shown());
    }
}
