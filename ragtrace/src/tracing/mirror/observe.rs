//! Follows runs, and shows each as a span with events.

use std::sync::Arc;
use std::time::Duration;

use ragtrace_core::context::Request;
use ragtrace_core::entry::{Outcome, Run, RunEnd};
use ragtrace_core::observer::Observer;
use ragtrace_core::value::FieldBuffer;
use ragtrace_core::{RequestContext, SpanId, TraceId};
use tracing_core::Event;
use tracing_core::dispatcher::{self, Dispatch};
use tracing_core::field::Value;
use tracing_core::span::{Attributes, Record};

use super::entered_runs::{self, EnteredRun};
use super::open_runs::{self, OpenRun};
use super::parent::Parent;
use super::shown_error::ShownError;
use super::shown_fields::ShownFields;
use super::site::Site;
use super::stage_sites::{self, StageSites};
use super::tracing_span::{Surrounding, TracingSpan};
use super::{listeners, showing, subscriber};
use crate::record::RESPONSE_SENT;

/// The observer that shows each run to the listeners of its stage's callsites.
#[derive(Debug)]
pub(super) struct ShowStages;

impl Observer for ShowStages {
    fn began(&self, request: &Arc<Request>, run: &Run, fields: &FieldBuffer) {
        if !listeners::are_there() || showing::is_showing() {
            return;
        }
        let sites = stage_sites::of(run.stage);
        if !sites.are_heard() {
            return;
        }
        let begin =
            || dispatcher::get_default(|dispatch| surrounding_of(dispatch, sites, request.trace_id, run, fields));
        // If a layer panics here, the run is not shown.
        if let Some(Some(surrounding)) = showing::site(sites.span.address(), begin) {
            let open = OpenRun { sites, surrounding, has_started: false };
            drop(open_runs::insert(run.span, open));
        }
    }

    fn entered(&self, request: &Arc<Request>, run: &Run) {
        let Some(OpenRun { sites, surrounding, has_started }) = open_runs::enter(run.span) else { return };
        let entered = EnteredRun { run: run.span, trace: request.trace_id, surrounding: surrounding.clone() };
        if !entered_runs::push(entered) {
            return;
        }
        if let Some(span) = surrounding.as_own() {
            showing::span(|| span.dispatch.enter(&span.id));
        }
        if !has_started {
            emit(&surrounding, sites.started, &[Some(&sites.messages.started)]);
        }
    }

    fn left(&self, run: SpanId) {
        let Some(EnteredRun { surrounding, .. }) = entered_runs::take(run) else { return };
        if let Some(span) = surrounding.as_own() {
            showing::span(|| span.dispatch.exit(&span.id));
        }
    }

    fn recorded(&self, run: &Run, fields: &FieldBuffer) {
        let Some(OpenRun { sites, surrounding, .. }) = open_runs::get(run.span) else { return };
        let fields = fields.to_encoded();
        add(&surrounding, sites, &ShownFields::read(&fields, &sites.names));
    }

    fn ended(&self, request: &Arc<Request>, run: &Run, end: &RunEnd, fields: &FieldBuffer) {
        let Some(OpenRun { sites, surrounding, .. }) = open_runs::remove(run.span) else { return };
        // In a thread that is ending, layers may no longer be able to write.
        if entered_runs::is_over() {
            return;
        }
        let fields = fields.to_encoded();
        let mut shown = ShownFields::read(&fields, &sites.names);
        let error = (end.outcome == Outcome::Failed).then(|| ShownError::read(&fields));
        if let Some(error) = &error {
            let names = &sites.names;
            shown.text(names.error_type, &*error.type_name);
            shown.text(names.otel_status_code, "ERROR");
            shown.text(names.otel_status_description, error.message());
        }
        add(&surrounding, sites, &shown);
        // The run has left the thread, and taken its context with it.
        let context = RequestContext::inside(request, run.span);
        context.sync_scope(|| within(&surrounding, || tell_end(&surrounding, sites, run, end, error.as_ref())));
    }
}

/// Emits the event of a run's end, inside of its span.
fn tell_end(
    surrounding: &Surrounding,
    sites: &'static StageSites,
    run: &Run,
    end: &RunEnd,
    error: Option<&ShownError>,
) {
    let messages = &sites.messages;
    let duration_ms = millis(end.at.since(run.started));
    match (end.outcome, error) {
        (Outcome::Failed, Some(error)) => {
            // If there is a span, the error type is in it.
            let type_name = &*error.type_name;
            let error_type = surrounding.as_own().is_none().then_some(&type_name as &dyn Value);
            let message = if error.was_answered { &RESPONSE_SENT } else { &messages.failed };
            let error = error.as_error();
            emit(surrounding, sites.failed, &[Some(message), Some(&error), error_type, Some(&duration_ms)]);
        }
        (Outcome::Cancelled, _) => {
            emit(surrounding, sites.cancelled, &[Some(&messages.cancelled), Some(&duration_ms)]);
        }
        _ => emit(surrounding, sites.completed, &[Some(&messages.completed), Some(&duration_ms)]),
    }
}

/// Creates the span of a run that begins, if the subscriber enables it. Returns `None` if the
/// subscriber wants no stages at all.
fn surrounding_of(
    dispatch: &Dispatch,
    sites: &'static StageSites,
    trace: TraceId,
    run: &Run,
    fields: &FieldBuffer,
) -> Option<Surrounding> {
    let subscriber = subscriber::wanting(dispatch)?;
    let parent = Parent::of(run, trace, dispatch, subscriber);
    let fields = fields.to_encoded();
    let mut shown = ShownFields::read(&fields, &sites.names);
    if run.local_root {
        shown.verbatim(sites.names.trace_id, trace.to_string());
    }
    if let Some(kind) = sites.otel_kind {
        shown.text(sites.names.otel_kind, kind);
    }
    // This is checked last, because some filters keep the result for the next span.
    if !sites.span.is_enabled(dispatch) {
        return Some(parent.into_surrounding());
    }
    let metadata = sites.span.description();
    let id = shown.give(metadata.fields(), |values| {
        dispatch.new_span(&match &parent {
            Parent::Current(_) => Attributes::new(metadata, values),
            Parent::Span(span) => Attributes::child_of(span.id.clone(), metadata, values),
            Parent::None { .. } => Attributes::new_root(metadata, values),
        })
    });
    if let Parent::None { follows: Some(follows) } = &parent {
        dispatch.record_follows_from(&id, &follows.id);
    }
    Some(Surrounding::own(TracingSpan { dispatch: dispatch.clone(), id, subscriber }))
}

/// Records fields in a run's span.
fn add(surrounding: &Surrounding, sites: &'static StageSites, fields: &ShownFields<'_>) {
    let Some(span) = surrounding.as_own() else { return };
    if !fields.is_empty() {
        let names = sites.span.description().fields();
        showing::span(|| fields.give(names, |values| span.dispatch.record(&span.id, &Record::new(values))));
    }
}

/// Calls `tell` inside of a run's span, which the run itself has left.
fn within(surrounding: &Surrounding, tell: impl FnOnce()) {
    let Some(span) = surrounding.as_own() else { return tell() };
    showing::span(|| span.dispatch.enter(&span.id));
    tell();
    showing::span(|| span.dispatch.exit(&span.id));
}

/// Sends an event to the subscriber of a run's span, or to the current one if a filter left the
/// span out, if that subscriber enables it.
fn emit(surrounding: &Surrounding, site: &'static Site, values: &[Option<&dyn Value>]) {
    let send = |dispatch: &Dispatch| {
        if site.is_enabled(dispatch) {
            let metadata = site.description();
            dispatch.event(&Event::new(metadata, &metadata.fields().value_set_all(values)));
        }
    };
    // This runs inside of `get_default`, as the macros of `tracing` do.
    showing::site(site.address(), || {
        dispatcher::get_default(|current| match surrounding.as_own() {
            Some(span) => send(&span.dispatch),
            None if subscriber::wanting(current).is_some() => send(current),
            None => {}
        });
    });
}

/// Returns a duration in milliseconds, with a resolution of microseconds.
#[expect(clippy::cast_precision_loss, reason = "microseconds of 285 years are exact")]
fn millis(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1_000.0
}
