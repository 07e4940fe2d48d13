//! Records to deliver, and the runtime for delivering them.

use std::sync::Mutex;
use std::time::Duration;

use ragtrace::sink::{Batch, Delivered, SinkError};
use ragtrace::testing::RecordBuilder;
use ragtrace::uuid::Uuid;
use ragtrace::{PathStep, Record, Sink, SpanId, Timestamp, TraceId};

/// Held by the test that has telemetry installed, since a process can have only one.
pub(crate) static ONE_TELEMETRY: Mutex<()> = Mutex::new(());

/// 2026-11-22T08:20:11Z.
pub(crate) const BEGIN: Timestamp = Timestamp::from_micros(1_795_335_611_000_000);

pub(crate) fn batch(records: impl Into<Vec<Record>>) -> Batch {
    Batch::new(Uuid::now_v7(), records)
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

pub(crate) fn deliver(sink: &impl Sink, records: impl Into<Vec<Record>>) -> Result<Delivered, SinkError> {
    block_on(sink.deliver(&batch(records)))
}

/// Delivers records, none of which may be refused.
pub(crate) fn deliver_all(sink: &impl Sink, records: impl Into<Vec<Record>>) {
    match deliver(sink, records) {
        Ok(delivered) => assert_eq!(delivered.rejected(), []),
        Err(error) => panic!("{}", error.reason()),
    }
}

/// The place of a run in a tree, for making records.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) start: Timestamp,
}

impl Place {
    pub(crate) fn new(trace_id: TraceId, micros: i64) -> Self {
        Self { trace_id, span_id: SpanId::new(), start: Timestamp::from_micros(BEGIN.as_micros() + micros) }
    }

    pub(crate) fn step(self) -> PathStep {
        PathStep::new(self.span_id, self.start)
    }
}

/// Begins the end record of the last run of a path, with this duration.
pub(crate) fn ended(stage: &str, path: &[Place], duration: Duration) -> RecordBuilder {
    let (own, above) = path.split_last().expect("a run");
    let record = RecordBuilder::completed(stage)
        .trace_id(own.trace_id)
        .span_id(own.span_id)
        .timestamp(own.start.plus(duration))
        .duration(duration)
        .path(path.iter().map(|place| place.step()));
    match above.last() {
        Some(parent) => record.parent_span_id(parent.span_id),
        None => record,
    }
}
