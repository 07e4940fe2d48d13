//! Writes one record as a log entry.
//!
//! | member | content |
//! | --- | --- |
//! | `message` `status` `timestamp` `service` `hostname` `ddsource` `ddtags` | Datadog's own; `status` is the level, `timestamp` in milliseconds |
//! | `dd.trace_id` `dd.span_id` `dd.parent_id` `dd.service` `dd.env` `dd.version` | joins logs to traces; the trace id is 32 hexadecimal digits, the span ids are decimal numbers |
//! | `duration` `error.{kind,message,stack}` `usr.id` `logger.{name,thread_name}` | Datadog's standard attributes; the duration in nanoseconds |
//! | `code.file.path` `code.line.number` | the source location of the stage or the log line |
//! | `event` `stage` `kind` `tenant_id` `request_id` `session_id` `request_type` `record_id` `instance` | the record's own |
//! | `context.*` `metrics.*` | the record's fields and numbers |
//! | `used` `generated` | the first items, without their texts, and the number of all items |
//! | `score.*` | a score |
//!
//! A field whose name begins with one of Datadog's standard namespaces (`http.`, `network.`, `db.`,
//! `dns.`) keeps its name and is not put under `context`.

use ragtrace::__json::{Object, write_whole};
use ragtrace::{ErrorInfo, Record, RecordItem, RecordScore};

use super::fragments::{Fragments, has_message_of_stage, write_place};
use crate::datadog::attributes::{Budget, facet, is_key, write_unsigned};
use crate::datadog::counts::Losses;

/// The longest entry in bytes (Datadog, "Send logs": 1 MB for a single log).
const LONGEST: usize = 1_000_000;
/// The longest text in bytes, for each attempt to fit an entry. With the last one, any entry of 255
/// attributes fits.
const TEXTS: [usize; 4] = [usize::MAX, 64 * 1024, 8 * 1024, 256];
/// The largest number of attributes of an entry. `OWN` is the largest number of those that are
/// neither fields nor items.
const ATTRIBUTES: usize = 255;
const OWN: usize = 38;
/// The number of attributes of an item.
const OF_ITEM: usize = 3;
/// The largest number of used items shown in an entry, and of generated ones.
const ITEMS: usize = 12;
/// The namespaces of Datadog's standard attributes.
const STANDARD: [&str; 4] = ["http.", "network.", "db.", "dns."];

/// Appends the entry of a record to `out`, cut as much as necessary.
pub(super) fn write(out: &mut Vec<u8>, record: &Record, fragments: &mut Fragments<'_>, losses: &mut Losses) {
    let start = out.len();
    for longest_text in TEXTS {
        out.truncate(start);
        let mut budget = Budget::new(record, room_for_fields(record), longest_text);
        write_within(out, record, fragments, &mut budget);
        if out.len() - start > LONGEST {
            continue;
        }
        if longest_text != TEXTS[0] {
            losses.cut_entries += 1;
        }
        losses.fields_left_out += budget.left_out;
        return;
    }
}

fn room_for_fields(record: &Record) -> usize {
    let of_items = |items: &[RecordItem]| if items.is_empty() { 0 } else { 1 + OF_ITEM * items.len().min(ITEMS) };
    ATTRIBUTES - OWN - of_items(record.used()) - of_items(record.generated())
}

fn write_within(out: &mut Vec<u8>, record: &Record, fragments: &mut Fragments<'_>, budget: &mut Budget<'_>) {
    let fragments = fragments.of(record);
    out.extend_from_slice(fragments.stage);
    let mut object = Object::continued(out);
    object.fragment(fragments.origin);
    object.fragment(fragments.thread);
    object.fragment(fragments.request);
    write_whole(object.value("timestamp"), record.timestamp().as_micros().div_euclid(1_000));
    if !has_message_of_stage(record) {
        budget.write_text(object.value("message"), &record.message());
        write_place(&mut object, record);
    }
    for (name, id) in [("dd.span_id", record.span_id()), ("dd.parent_id", record.parent_span_id())] {
        if let Some(id) = id {
            write_decimal(object.value(name), id.as_u64());
        }
    }
    object.uuid("record_id", record.id());
    if let Some(duration) = record.duration() {
        write_unsigned(object.value("duration"), u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
    }
    for (names, items) in
        [(["used", "used_count"], record.used()), (["generated", "generated_count"], record.generated())]
    {
        if !items.is_empty() {
            write_items(&mut object, names, items);
        }
    }
    if let Some(error) = record.error() {
        write_error(object.nested("error"), error, record.stack_trace(), budget);
    }
    if let Some(score) = record.score() {
        write_score(object.nested("score"), score, budget);
    }
    write_metrics(&mut object, record, budget);
    write_context(&mut object, record, budget);
    if budget.left_out > 0 {
        object.unsigned("ragtrace.fields_left_out", budget.left_out);
    }
    object.close();
}

/// Writes a number as a string of decimal digits.
fn write_decimal(out: &mut Vec<u8>, number: u64) {
    out.push(b'"');
    write_whole(out, number);
    out.push(b'"');
}

fn write_items(object: &mut Object<'_>, [name, count]: [&'static str; 2], items: &[RecordItem]) {
    let shown = &items[..items.len().min(ITEMS)];
    object.list(name, shown, |out, item| {
        let mut object = Object::open(out);
        object.text("type", facet(item.item_type()));
        object.text("id", facet(item.id()));
        if let Some(score) = item.score() {
            object.float("score", score);
        }
        object.close();
    });
    object.unsigned(count, items.len() as u64);
}

fn write_error(mut object: Object<'_>, error: &ErrorInfo, stack_trace: Option<&str>, budget: &mut Budget<'_>) {
    object.text("kind", facet(error.type_name()));
    budget.write_text(object.value("message"), error.message());
    let sources = error.chain().iter().map(|source| format!("caused by: {source}"));
    let stack: Vec<_> = sources.chain(stack_trace.map(str::to_owned)).collect();
    if !stack.is_empty() {
        budget.write_text(object.value("stack"), &stack.join("\n"));
    }
    object.close();
}

fn write_score(mut object: Object<'_>, score: &RecordScore, budget: &mut Budget<'_>) {
    object.text("name", facet(score.name()));
    budget.write_field(&mut object, 1, "value", &score.value().into());
    object.optional_text("by", score.by().map(facet));
    if let Some(comment) = score.comment() {
        budget.write_text(object.value("comment"), comment);
    }
    object.close();
}

fn write_metrics(object: &mut Object<'_>, record: &Record, budget: &mut Budget<'_>) {
    budget.begin_object();
    let mut parent = Some(object);
    let mut metrics = None;
    if record.busy().is_some() || record.count().is_some() {
        metrics = parent.take().map(|parent| parent.nested("metrics"));
    }
    if let (Some(metrics), Some(busy)) = (&mut metrics, record.busy()) {
        metrics.millis("busy_ms", busy);
    }
    if let (Some(metrics), Some(count)) = (&mut metrics, record.count()) {
        write_unsigned(metrics.value("count"), count);
    }
    record.visit_metrics(|name, value| {
        if metrics.is_none() {
            metrics = parent.take().map(|parent| parent.nested("metrics"));
        }
        if let Some(metrics) = &mut metrics {
            budget.write_field(metrics, 1, name, &value);
        }
    });
    if let Some(metrics) = metrics {
        metrics.close();
    }
}

fn write_context(object: &mut Object<'_>, record: &Record, budget: &mut Budget<'_>) {
    budget.begin_object();
    let mut has_standard = false;
    let mut parent = Some(&mut *object);
    let mut context = None;
    record.visit_context(|name, value| {
        if is_standard(name) {
            has_standard = true;
            return;
        }
        if context.is_none() {
            context = parent.take().map(|parent| parent.nested("context"));
        }
        if let Some(context) = &mut context {
            budget.write_field(context, 1, name, &value);
        }
    });
    if let Some(context) = context {
        context.close();
    }
    if has_standard {
        record.visit_context(|name, value| {
            if is_standard(name) {
                budget.write_field(object, 0, name, &value);
            }
        });
    }
}

/// Returns `true` if a field with this name is not put under `context`.
fn is_standard(name: &str) -> bool {
    STANDARD.iter().any(|namespace| name.starts_with(namespace)) && is_key(name)
}
