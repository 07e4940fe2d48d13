//! Records of our own doings, under the logger `ragtrace`: for whoever reads the other sinks.

use std::borrow::Cow;

use ragtrace_core::id::{random, record_id};
use ragtrace_core::{Event, Level, Timestamp, Value};

use crate::pipeline::lane::Doing;
use crate::record::{Draft, OWN_LOGGER, Other, Parts};

/// Adds the record of something that was done or could not be done for one sink, or for all of them, unless `level`
/// hides it.
pub(super) fn add(draft: &mut Draft, level: Level, sink: Option<&str>, doing: Doing) {
    let (of_doing, message) = match &doing {
        Doing::Shipped { .. } => (Level::Debug, "ragtrace_batches_shipped"),
        Doing::Failing { .. } => (Level::Warn, "ragtrace_shipping_failed"),
        Doing::Parked { .. } => (Level::Error, "ragtrace_sink_parked"),
        Doing::Recovered => (Level::Info, "ragtrace_sink_recovered"),
        Doing::Dropped { .. } => (Level::Error, "ragtrace_records_dropped"),
    };
    if of_doing < level {
        return;
    }
    let (mut context, mut metrics) = (Vec::new(), Vec::new());
    let text = |text: String| Value::Text(Cow::Owned(text));
    context.extend(sink.map(|sink| ("sink", text(sink.to_owned()))));
    match doing {
        Doing::Shipped { batches, records } => {
            metrics.extend([("batches", Value::U64(batches)), ("records", Value::U64(records))]);
        }
        Doing::Failing { why } | Doing::Parked { why } => context.push(("reason", text(why))),
        Doing::Recovered => {}
        Doing::Dropped { records, why } => {
            metrics.push(("records", Value::U64(records)));
            context.push(("reason", text(why)));
        }
    }
    for (name, value) in context {
        draft.context(Cow::Borrowed(name), value);
    }
    for (name, value) in metrics {
        draft.metric(Cow::Borrowed(name), value);
    }
    let timestamp = Timestamp::now();
    let other = Other { logger: Cow::Borrowed(OWN_LOGGER), message: Some(Cow::Borrowed(message)), ..Other::default() };
    draft.add(Parts::of_other(record_id(timestamp, random()), timestamp, Event::Log, of_doing, other));
}
