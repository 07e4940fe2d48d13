//! Tests log lines in the context of a run.

use ragtrace_core::capture::{CapturedEntries, ManualClock};
use ragtrace_core::dispatch::ListenerGuard;
use ragtrace_core::entry::DecodedLogFields;
use ragtrace_core::log::{self, LogFields};
use ragtrace_core::{FieldDescriptor, Level, LogDescriptor, RequestContext, Timestamp, Value};

static LINE: LogDescriptor = LogDescriptor::at("ready", "app::db", "src/db.rs", 41)
    .with_level(Level::Debug)
    .with_fields(&[FieldDescriptor::start("rows"), FieldDescriptor::start("table")]);
static INNER: LogDescriptor =
    LogDescriptor::at("query", "app", "src/app.rs", 7).with_fields(&[FieldDescriptor::start("attempt")]);
static OUTER: LogDescriptor = LogDescriptor::at("job", "app", "src/app.rs", 3)
    .with_fields(&[FieldDescriptor::start("job"), FieldDescriptor::start("rows")]);

#[test]
fn a_line_has_its_own_fields_and_then_those_of_the_spans_around_it() {
    let clock = ManualClock::at(Timestamp::from_micros(0));
    let capture = CapturedEntries::new(Some(clock.clone()));
    let context = RequestContext::reproducible(clock.anchor()).with_listener(capture.clone());
    let _enabled = ListenerGuard::begin();
    let inner = LogFields::record(&INNER, |fields| fields.set(0, &2));
    let mut outer = LogFields::record(&OUTER, |fields| fields.set(0, "nightly"));
    outer.add(|fields| fields.set(1, &7));
    let nothing = LogFields::record(&OUTER, |_| ());
    assert!(nothing.is_empty() && !outer.is_empty());
    context.sync_scope(|| {
        assert!(log::is_enabled());
        log::emit(&LINE, |fields| {
            fields.set(1, "chunks");
            fields.set(0, &3);
            fields.add(&inner);
            fields.add(&nothing);
            fields.add(&outer);
        });
    });
    let mut lines = Vec::new();
    capture.finish(|queued| {
        let (line, fields) = queued.entry.log().expect("a log line");
        assert_eq!((line.descriptor.message(), line.descriptor.line(), line.span), ("ready", 41, None));
        let fields: Vec<_> =
            DecodedLogFields::new(fields).map(|field| (field.declared.name(), field.value, field.is_own)).collect();
        lines.push(fields);
    });
    let expected = [
        ("table", Value::from("chunks"), true),
        ("rows", Value::from(3_u64), true),
        ("attempt", Value::from(2_u64), false),
        ("rows", Value::from(7_u64), false),
        ("job", Value::from("nightly"), false),
    ];
    assert_eq!(lines, [expected]);
}
