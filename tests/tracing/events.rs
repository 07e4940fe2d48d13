//! The records of events, with the fields of the spans around them, and with values that misbehave.

use std::error::Error;
use std::fmt;
use std::future::Future as _;

use ragtrace::testing::capture_sync;
use ragtrace::{Event, Level, Record, RequestContext, Value, traced_stage};
use tracing::{Dispatch, Span, dispatcher, field};
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::LookupSpan;

/// Runs `work` under a subscriber with the layer, and returns the lines.
fn lines(work: impl FnOnce()) -> Vec<Record> {
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(ragtrace::layer()));
    // With only one subscriber, a callsite that another test reaches without one would be switched
    // off for all of them.
    let _second = Dispatch::new(tracing_subscriber::registry());
    let ((), captured) = capture_sync(|| dispatcher::with_default(&dispatch, work));
    captured.logs().cloned().collect()
}

fn one(work: impl FnOnce()) -> Record {
    let mut lines = lines(work);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

fn text<'a>(record: &'a Record, name: &str) -> Option<&'a str> {
    record.field(name).and_then(Value::as_str)
}

#[traced_stage("events.work")]
fn work() {
    tracing::warn!(target: "rag.events", rows = 3, "it is slow");
}

#[test]
fn an_event_inside_a_stage_has_the_stages_ids_and_its_own_level_target_place_and_fields() {
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(ragtrace::layer()));
    let request = RequestContext::new().with_user_id("alice").with_tenant_id("acme");
    let ((), captured) = capture_sync(|| dispatcher::with_default(&dispatch, || request.sync_scope(work)));
    let line = captured.logs().next().expect("one");
    let run = captured.stage("events.work").completed().one().clone();
    assert_eq!((line.event(), line.level(), line.logger()), (Event::Log, Level::Warn, "rag.events"));
    assert_eq!((line.message(), line.field("rows")), ("it is slow".into(), Some(&Value::from(3_u64))));
    assert_eq!((line.trace_id(), line.span_id()), (run.trace_id(), run.span_id()));
    assert_eq!((line.user_id(), line.tenant_id(), line.stage()), (Some("alice"), Some("acme"), Some("events.work")));
    let (file, at) = line.source().expect("a place");
    assert!(file.ends_with("events.rs") && at > 0, "{file}:{at}");
}

#[test]
fn values_of_every_type_are_read_as_they_were_set() {
    let line = one(|| {
        tracing::info!(
            flag = true,
            whole = 18_446_744_073_709_551_615_u64,
            negative = -7_i64,
            float = 0.5,
            small = 7_u128,
            large = u128::MAX,
            least = i128::MIN,
            text = "a text",
            display = %format_args!("{}-{}", 1, 2),
            debug = ?Some(1),
            r#type = "raw",
            empty = field::Empty,
            "values"
        );
    });
    let values = [
        ("flag", Value::from(true)),
        ("whole", Value::from(u64::MAX)),
        ("negative", Value::from(-7_i64)),
        ("float", Value::from(0.5)),
        ("small", Value::from(7_u64)),
        ("large", Value::from("340282366920938463463374607431768211455")),
        ("least", Value::from("-170141183460469231731687303715884105728")),
        ("text", Value::from("a text")),
        ("display", Value::from("1-2")),
        ("debug", Value::from("Some(1)")),
        ("type", Value::from("raw")),
    ];
    for (name, value) in &values {
        assert_eq!(line.field(name), Some(value), "{name}");
    }
    assert_eq!((line.context().count(), line.metrics().count()), (values.len(), 0));
}

#[derive(Debug)]
struct Outer(std::io::Error);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the index could not be read")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[derive(Debug)]
struct Circle;

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("round")
    }
}

impl Error for Circle {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self)
    }
}

#[test]
fn an_error_has_its_sources_in_its_text() {
    let error = Outer(std::io::Error::other("disk on fire"));
    let line = one(|| tracing::error!(error = &error as &(dyn Error + 'static), "failed"));
    assert_eq!(text(&line, "error"), Some("the index could not be read: disk on fire"));
    let line = one(|| tracing::error!(error = &Circle as &(dyn Error + 'static), "failed"));
    assert!(text(&line, "error").is_some_and(|text| text.starts_with("round: round") && text.ends_with(": …")));
}

#[test]
fn an_event_without_a_message_is_called_by_its_name() {
    let line = one(|| tracing::info!(name: "batch_flushed", rows = 1));
    assert_eq!(line.message(), "batch_flushed");
    let line = one(|| tracing::info!(rows = 1));
    assert!(line.message().starts_with("event "), "{}", line.message());
}

#[test]
fn fields_of_the_spans_around_are_the_lines_too_and_the_innermost_of_a_name_counts() {
    let line = one(|| {
        let outer = tracing::info_span!("outer", job = 7, tenant = "acme", level = "outer", late = field::Empty);
        let _outer = outer.enter();
        let inner = tracing::info_span!("inner", level = "inner", attempt = 1);
        outer.record("late", "set later");
        inner.record("attempt", 2);
        let _inner = inner.enter();
        tracing::info!(tenant = "its own", "a line");
    });
    assert_eq!((text(&line, "tenant"), text(&line, "level")), (Some("its own"), Some("inner")));
    assert_eq!((text(&line, "late"), line.field("attempt")), (Some("set later"), Some(&Value::from(2_u64))));
    assert_eq!((line.field("job"), line.context().count()), (Some(&Value::from(7_u64)), 5));
}

#[test]
fn a_field_that_is_recorded_again_and_again_is_kept_once() {
    let line = one(|| {
        let span = tracing::info_span!("progress", done = 0, name = "a job");
        for done in 0..100_000 {
            span.record("done", done);
        }
        span.in_scope(|| tracing::info!("at the end"));
    });
    assert_eq!((line.field("done"), text(&line, "name")), (Some(&Value::from(99_999_u64)), Some("a job")));
}

#[test]
fn a_line_with_a_parent_of_its_own_has_the_fields_of_that_one() {
    let line = one(|| {
        let named = tracing::info_span!("named", of = "named");
        let around = tracing::info_span!("around", of = "around");
        let _around = around.enter();
        tracing::info!(parent: &named, "a line");
    });
    assert_eq!(text(&line, "of"), Some("named"));
    let line = one(|| tracing::info_span!("around", of = "around").in_scope(|| tracing::info!(parent: None, "a line")));
    assert_eq!(text(&line, "of"), None);
}

#[test]
fn a_line_with_a_parent_of_its_own_has_the_ids_and_fields_of_that_ones_request_alone() {
    let [alice, bob] = ["alice", "bob"].map(|user| RequestContext::new().with_user_id(user));
    let lines = lines(|| {
        let of_alice = alice.sync_scope(|| tracing::info_span!("job", doc = "secret.pdf"));
        bob.sync_scope(|| tracing::error!(parent: &of_alice, "in bob's"));
        let dispatch = dispatcher::get_default(Clone::clone);
        let on_a_bare_thread = || {
            tracing::error!(parent: &of_alice, "on a bare thread");
            tracing::info_span!("bare", of = "nobody")
        };
        let bare = std::thread::scope(|scope| {
            let thread = scope.spawn(|| dispatcher::with_default(&dispatch, on_a_bare_thread));
            thread.join().expect("it does not panic")
        });
        bob.sync_scope(|| tracing::error!(parent: &bare, "of bob"));
    });
    let [of_bob] = &lines[lines.len() - 1..] else { panic!("{lines:?}") };
    assert_eq!((of_bob.user_id(), text(of_bob, "of")), (Some("bob"), Some("nobody")));
    for line in &lines[..lines.len() - 1] {
        assert_eq!((line.trace_id(), line.user_id()), (Some(alice.trace_id()), Some("alice")), "{}", line.message());
        assert_eq!(text(line, "doc"), Some("secret.pdf"));
    }
}

#[traced_stage("events.within")]
fn within(before: &Span) {
    tracing::info!(parent: before, "a line");
}

#[test]
fn a_line_in_a_stage_whose_parent_was_made_before_the_stage_is_the_stages() {
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(ragtrace::layer()));
    let work = || RequestContext::new().sync_scope(|| within(&tracing::info_span!("before")));
    let ((), captured) = capture_sync(|| dispatcher::with_default(&dispatch, work));
    let run = captured.stage("events.within").completed().one().clone();
    assert_eq!(captured.logs().next().and_then(Record::span_id), run.span_id());
}

#[traced_stage("events.waits")]
async fn waits() {
    let span = tracing::info_span!("held", doc = "secret.pdf");
    let _held = span.enter();
    std::future::pending::<()>().await;
}

#[test]
fn a_guard_over_an_await_gives_nothing_of_its_span_to_the_lines_of_others() {
    let [alice, bob] = ["alice", "bob"].map(|user| RequestContext::new().with_user_id(user));
    let lines = lines(|| {
        let mut waiting = Box::pin(alice.scope(waits()));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(waiting.as_mut().poll(&mut cx).is_pending());
        bob.sync_scope(|| tracing::info!("of bob"));
        tracing::info!("of nobody");
        drop(waiting);
    });
    let seen: Vec<_> = lines.iter().map(|line| (line.user_id(), text(line, "doc"))).collect();
    assert_eq!(seen, [(Some("bob"), None), (None, None)]);
}

#[test]
fn a_field_of_a_span_with_the_name_message_is_no_message_of_a_line() {
    let line = one(|| {
        let span = tracing::info_span!("consume", message = "the body of a letter");
        span.in_scope(|| tracing::error!(code = 7));
    });
    assert!(line.message().starts_with("event "), "{}", line.message());
    assert_eq!(text(&line, "message"), Some("the body of a letter"));
}

struct Panics;

impl fmt::Debug for Panics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half of it")?;
        panic!("in a Debug");
    }
}

#[test]
fn a_debug_that_panics_costs_its_value_and_nothing_else() {
    let lines = lines(|| {
        let span = tracing::info_span!("span", panics = ?Panics, after = 1);
        span.record("after", 2);
        span.in_scope(|| tracing::info!(panics = ?Panics, rows = 3, "a line"));
        tracing::info!("another line");
    });
    assert_eq!(lines.iter().map(Record::message).collect::<Vec<_>>(), ["a line", "another line"]);
    let panicked = text(&lines[0], "panics").expect("a mark");
    assert!(panicked.starts_with("half of it") && panicked.contains("in a Debug"), "{panicked}");
    assert_eq!(
        (lines[0].field("rows"), lines[0].field("after")),
        (Some(&Value::from(3_u64)), Some(&Value::from(2_u64)))
    );
}

/// A value that logs, and runs a stage, while it is formatted.
struct Logs;

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("before ")?;
        inner_stage();
        f.write_str("after")
    }
}

#[traced_stage("events.inner", fields(number = 7))]
fn inner_stage() {}

#[test]
fn a_debug_that_runs_a_stage_is_read_to_its_end() {
    let line = one(|| tracing::info!(first = 1, logs = ?Logs, last = "a text", "a line"));
    assert_eq!((text(&line, "logs"), text(&line, "last")), (Some("before after"), Some("a text")));
    assert_eq!(line.field("first"), Some(&Value::from(1_u64)));
}

/// A value that takes the extensions of the span it is formatted in, as values of OpenTelemetry's
/// users do.
struct TakesExtensions;

impl fmt::Debug for TakesExtensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut taken = false;
        Span::current().with_subscriber(|(id, dispatch)| {
            let span = dispatch.downcast_ref::<tracing_subscriber::Registry>().and_then(|registry| registry.span(id));
            taken = span.is_some_and(|span| {
                span.extensions_mut().replace(7_u8);
                true
            });
        });
        write!(f, "taken: {taken}")
    }
}

#[test]
fn a_debug_may_take_the_extensions_of_its_span() {
    let line = one(|| {
        let span = tracing::info_span!("span", at_first = 1, later = field::Empty);
        span.in_scope(|| {
            span.record("later", field::debug(TakesExtensions));
            tracing::info!(own = ?TakesExtensions, "a line");
        });
    });
    assert!(text(&line, "own").is_some_and(|own| own.starts_with("taken")));
    assert!(text(&line, "later").is_some_and(|later| later.starts_with("taken")));
}
