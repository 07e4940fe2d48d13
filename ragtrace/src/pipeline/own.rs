//! Records of our own doings, under the logger `ragtrace`: for whoever reads the other sinks.

use std::borrow::Cow;
use std::sync::Arc;

use crate::id::record_id;
use crate::level::Level;
use crate::pipeline::lane::Doing;
use crate::record::{Event, Fields, OWN_LOGGER, Origin, Parts, Record};
use crate::time::Timestamp;
use crate::value::Value;

/// The record of something that was done or could not be done for one sink, or for all of them.
pub(super) fn record(origin: &Arc<Origin>, sink: Option<&str>, doing: Doing) -> Parts {
    let text = |text: String| Value::Text(Cow::Owned(text));
    let (level, message) = match &doing {
        Doing::Shipped { .. } => (Level::Debug, "ragtrace_batches_shipped"),
        Doing::Failing { .. } => (Level::Warn, "ragtrace_shipping_failed"),
        Doing::Parked { .. } => (Level::Error, "ragtrace_sink_parked"),
        Doing::Recovered => (Level::Info, "ragtrace_sink_recovered"),
        Doing::Dropped { .. } => (Level::Error, "ragtrace_records_dropped"),
    };
    let (mut context, mut metrics) = (Fields::new(), Fields::new());
    if let Some(sink) = sink {
        context.push((Cow::Borrowed("sink"), text(sink.to_owned())));
    }
    match doing {
        Doing::Shipped { batches, records } => {
            metrics.push((Cow::Borrowed("batches"), Value::U64(batches)));
            metrics.push((Cow::Borrowed("records"), Value::U64(records)));
        }
        Doing::Failing { why } | Doing::Parked { why } => context.push((Cow::Borrowed("reason"), text(why))),
        Doing::Recovered => {}
        Doing::Dropped { records, why } => {
            metrics.push((Cow::Borrowed("records"), Value::U64(records)));
            context.push((Cow::Borrowed("reason"), text(why)));
        }
    }
    let timestamp = Timestamp::now();
    Parts {
        id: record_id(timestamp),
        timestamp,
        level,
        logger: Cow::Borrowed(OWN_LOGGER),
        message: Some(Cow::Borrowed(message)),
        event: Event::Log,
        stage: None,
        kind: None,
        request: None,
        span_id: None,
        parent_span_id: None,
        local_root: false,
        origin: Arc::clone(origin),
        thread: None,
        duration: None,
        busy: None,
        count: None,
        context,
        metrics,
        error: None,
        stack_trace: None,
        source: None,
    }
}

/// Which records of ours the level shows.
pub(super) fn shown(doings: Vec<Parts>, level: Level) -> impl Iterator<Item = Record> {
    doings.into_iter().filter(move |parts| parts.level >= level).map(|parts| Record(Arc::new(parts)))
}
