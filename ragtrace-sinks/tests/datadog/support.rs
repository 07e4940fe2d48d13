//! Sinks that deliver to a strict intake, and what arrived there.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use ragtrace::sink::{Batch, Delivered, SinkError};
use ragtrace::testing::RecordBuilder;
use ragtrace::uuid::Uuid;
use ragtrace::{Origin, Record, Sink, Timestamp};
use ragtrace_sinks::DatadogSink;
use ragtrace_sinks_support::Server;
use serde_json::Value;

use crate::intake::{self, KEY};

/// Starts a strict server.
pub(crate) fn server() -> Server {
    Server::start(intake::answer)
}

/// Returns a sink whose requests all go to a server.
pub(crate) fn sink(server: &Server) -> DatadogSink {
    DatadogSink::new(KEY).logs_url(server.url()).api_url(server.url()).timeout(Duration::from_secs(10))
}

/// Returns the process that the records come from.
pub(crate) fn origin() -> Origin {
    let origin = Origin::new(Uuid::from_u128(0x0199)).with_service("rag-ask").with_environment("test");
    origin.with_version("1.4.2").with_host("host-1")
}

pub(crate) fn built(records: impl IntoIterator<Item = RecordBuilder>) -> Vec<Record> {
    records.into_iter().map(RecordBuilder::build).collect()
}

/// Returns the time this long ago.
pub(crate) fn ago(time: Duration) -> Timestamp {
    Timestamp::from(SystemTime::now()).minus(time)
}

/// Runs a future to its end.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

/// Delivers records in one batch.
pub(crate) fn deliver(sink: &impl Sink, records: Vec<Record>) -> Result<Delivered, SinkError> {
    run(sink.deliver(&Batch::new(Uuid::now_v7(), records)))
}

/// Delivers records that must be accepted, and returns the JSON of the one request that they make.
pub(crate) fn delivered(server: &Server, sink: &impl Sink, records: Vec<Record>) -> Value {
    let delivered = deliver(sink, records).expect("the intake takes it");
    assert_eq!(delivered, Delivered::all());
    let requests = server.take_requests();
    assert_eq!(requests.len(), 1, "one batch is one request");
    requests[0].json()
}

/// Blocks all other tests that install telemetry, since a process can have only one.
pub(crate) fn telemetry() -> MutexGuard<'static, ()> {
    static INSTALLED: Mutex<()> = Mutex::new(());
    INSTALLED.lock().unwrap_or_else(PoisonError::into_inner)
}
