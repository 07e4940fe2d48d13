//! Reports of the pipeline on itself, as records under the logger `ragtrace`, for readers of the
//! sinks that work.

use ragtrace_core::entry::{LogLine, OwnedEntry};
use ragtrace_core::time::{Anchor, Ticks};
use ragtrace_core::value::FieldBuffer;
use ragtrace_core::{Event, FieldDescriptor, Level, LogDescriptor};

use crate::record::{ChunkBuilder, LoggedLine, RecordFilter, SELF_REPORT_LOGGER};

/// An event of the pipeline itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SelfReport {
    /// Batches were delivered.
    Shipped { batches: u64, records: u64 },
    /// A sink fails, and is tried again.
    Failing { why: String },
    /// A sink is parked until an operator has acted.
    Parked { why: String },
    /// A sink accepts records again.
    Recovered,
    /// Records were dropped.
    Dropped { records: u64, why: String },
    /// Metrics of requests and stages were dropped.
    CountsDropped { counts: u64, why: String },
}

/// The fields of every report, in the order of the constants below.
const FIELDS: &[FieldDescriptor] = &[
    FieldDescriptor::start("sink"),
    FieldDescriptor::start("reason"),
    FieldDescriptor::ok("batches"),
    FieldDescriptor::ok("records"),
    FieldDescriptor::ok("counts"),
];
const SINK: u16 = 0;
const REASON: u16 = 1;
const BATCHES: u16 = 2;
const RECORDS: u16 = 3;
const COUNTS: u16 = 4;

static SHIPPED: LogDescriptor = describe("ragtrace_batches_shipped", Level::Debug);
static FAILING: LogDescriptor = describe("ragtrace_shipping_failed", Level::Warn);
static PARKED: LogDescriptor = describe("ragtrace_sink_parked", Level::Error);
static RECOVERED: LogDescriptor = describe("ragtrace_sink_recovered", Level::Info);
static DROPPED: LogDescriptor = describe("ragtrace_records_dropped", Level::Error);
static COUNTS_DROPPED: LogDescriptor = describe("ragtrace_counts_dropped", Level::Error);

#[track_caller]
const fn describe(message: &'static str, level: Level) -> LogDescriptor {
    LogDescriptor::new(message, SELF_REPORT_LOGGER).with_level(level).with_fields(FIELDS)
}

impl SelfReport {
    fn descriptor(&self) -> &'static LogDescriptor {
        match self {
            Self::Shipped { .. } => &SHIPPED,
            Self::Failing { .. } => &FAILING,
            Self::Parked { .. } => &PARKED,
            Self::Recovered => &RECOVERED,
            Self::Dropped { .. } => &DROPPED,
            Self::CountsDropped { .. } => &COUNTS_DROPPED,
        }
    }

    fn record_fields(&self, sink: Option<&str>, fields: &mut FieldBuffer) {
        fields.set(SINK, &sink);
        match self {
            Self::Shipped { batches, records } => {
                fields.set(BATCHES, batches);
                fields.set(RECORDS, records);
            }
            Self::Failing { why } | Self::Parked { why } => fields.set(REASON, why),
            Self::Recovered => {}
            Self::Dropped { records, why } => {
                fields.set(REASON, why);
                fields.set(RECORDS, records);
            }
            Self::CountsDropped { counts, why } => {
                fields.set(REASON, why);
                fields.set(COUNTS, counts);
            }
        }
    }
}

/// Adds the record of a report on one sink, or on the whole pipeline, unless no sink takes it.
pub(crate) fn add_record(records: &mut ChunkBuilder, filter: RecordFilter, sink: Option<&str>, report: &SelfReport) {
    let descriptor = report.descriptor();
    if !filter.takes(descriptor.level(), Event::Log, || descriptor.target()) {
        return;
    }
    let line = LogLine { descriptor, span: None, at: Ticks::now() };
    let entry = OwnedEntry::log(&line, |fields| report.record_fields(sink, fields));
    if let Some((line, fields)) = entry.as_entry().log() {
        let anchor = Anchor::now();
        records.add_log_line(LoggedLine { line, fields, anchor, request: None, thread: None, stage: None });
    }
}
