//! Reports of the pipeline on itself, as records under the logger `ragtrace`: for whoever reads the
//! sinks that are well.

use std::borrow::Cow;

use ragtrace_core::id::{random, record_id};
use ragtrace_core::{Event, Level, Timestamp, Value};

use crate::record::{ChunkBuilder, Extras, OwnedSubject, RecordFilter, RecordParts, SELF_REPORT_LOGGER};

/// Something that the pipeline did or could not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SelfReport {
    /// Batches arrived.
    Shipped { batches: u64, records: u64 },
    /// A sink does not take records.
    Failing { why: String },
    /// A sink is left alone until an operator has acted.
    Parked { why: String },
    /// A sink takes records again.
    Recovered,
    /// Records were given up.
    Dropped { records: u64, why: String },
}

impl SelfReport {
    fn level(&self) -> Level {
        match self {
            Self::Shipped { .. } => Level::Debug,
            Self::Recovered => Level::Info,
            Self::Failing { .. } => Level::Warn,
            Self::Parked { .. } | Self::Dropped { .. } => Level::Error,
        }
    }

    fn message(&self) -> &'static str {
        match self {
            Self::Shipped { .. } => "ragtrace_batches_shipped",
            Self::Failing { .. } => "ragtrace_shipping_failed",
            Self::Parked { .. } => "ragtrace_sink_parked",
            Self::Recovered => "ragtrace_sink_recovered",
            Self::Dropped { .. } => "ragtrace_records_dropped",
        }
    }
}

/// Adds the record of a report on one sink, or on all of them, unless nobody takes it.
pub(crate) fn add_record(records: &mut ChunkBuilder, filter: RecordFilter, sink: Option<&str>, report: SelfReport) {
    let (own_level, message) = (report.level(), report.message());
    if !filter.takes(own_level, Event::Log) {
        return;
    }
    let (mut context, mut metrics) = (Vec::new(), Vec::new());
    let text = |text: String| Value::Text(Cow::Owned(text));
    context.extend(sink.map(|sink| ("sink", text(sink.to_owned()))));
    match report {
        SelfReport::Shipped { batches, records } => {
            metrics.extend([("batches", Value::U64(batches)), ("records", Value::U64(records))]);
        }
        SelfReport::Failing { why } | SelfReport::Parked { why } => context.push(("reason", text(why))),
        SelfReport::Recovered => {}
        SelfReport::Dropped { records, why } => {
            metrics.push(("records", Value::U64(records)));
            context.push(("reason", text(why)));
        }
    }
    for (name, value) in context {
        records.add_context(Cow::Borrowed(name), value);
    }
    for (name, value) in metrics {
        records.add_metric(Cow::Borrowed(name), value);
    }
    let timestamp = Timestamp::now();
    let (logger, message) = (Cow::Borrowed(SELF_REPORT_LOGGER), Some(Cow::Borrowed(message)));
    let subject = OwnedSubject { logger, message, ..OwnedSubject::default() };
    let extras = Extras { id: Some(record_id(timestamp, random())), subject, failure: None };
    let parts = RecordParts::new(timestamp, Event::Log, own_level, None);
    records.add(RecordParts { extras: Some(Box::new(extras)), ..parts });
}
