//! The state that is stored with a span: the context that it carries, and its fields for the events
//! inside of it.

use ragtrace_core::log::LogFields;
use ragtrace_core::value::FieldBuffer;
use ragtrace_core::{RequestContext, SpanId, TraceId};
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Dispatch, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, Registry, SpanRef};

use super::callsite::CallSite;
use super::demand;
use super::visitor::FieldRecorder;
use crate::record::shortened;

/// The layer's data in a span's extensions. It is replaced instead of inserted, because inserting
/// an extension twice panics.
#[derive(Debug, Default)]
pub(super) struct SpanState {
    context: Option<RequestContext>,
    /// Fields that events inside of the span get too.
    fields: Option<LogFields>,
}

impl SpanState {
    /// Returns the fields that an event of `trace`, or of no request, gets from the span: none if
    /// the span carries the context of another trace. A span may be around an unrelated event on
    /// the thread if a guard was held over an `await`.
    pub(super) fn fields_for(&self, trace: Option<TraceId>) -> Option<&LogFields> {
        let is_of_trace = self.context.as_ref().is_none_or(|context| Some(context.trace_id()) == trace);
        self.fields.as_ref().filter(|_| is_of_trace)
    }

    /// Returns the state of a span that shows a stage: the stage's context, which is the thread's.
    /// Its fields are in the stage's own records.
    pub(super) fn of_stage() -> Option<Self> {
        let context = RequestContext::current();
        context.is_some().then_some(Self { context, fields: None })
    }

    /// Returns the state of a new span, if there is any to store; with its fields if `has_fields`.
    pub(super) fn of_new<S>(attributes: &Attributes<'_>, around: &Context<'_, S>, has_fields: bool) -> Option<Self>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let context = context_of_new(attributes, around);
        // This calls code of the application, so it runs before the span's extensions are locked.
        let fields = has_fields.then(|| {
            recorded(CallSite::of(attributes.metadata()), |fields| attributes.record(&mut FieldRecorder(fields)))
        });
        let fields = fields.filter(|fields| !fields.is_empty());
        (context.is_some() || fields.is_some()).then_some(Self { context, fields })
    }
}

/// Returns the fields of a span that `record` sets, with texts cut, because each event inside of
/// the span gets a copy.
fn recorded(site: &'static CallSite, record: impl FnOnce(&mut FieldBuffer)) -> LogFields {
    let mut fields = LogFields::record(&site.descriptor, record);
    let limits = demand::limits();
    // The limit is twice that of the record, which cuts again after redaction, because the redactor
    // has to see the text around a secret.
    fields.shorten(|name, text| shortened(text, limits.of_field(name).saturating_mul(2)));
    fields
}

/// Returns the context that a new span carries: that of an explicit parent, which takes precedence
/// over the thread's; otherwise the thread's; otherwise that of the enclosing span.
fn context_of_new<S>(attributes: &Attributes<'_>, around: &Context<'_, S>) -> Option<RequestContext>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let named = attributes.parent().and_then(|parent| carried_by(&around.span(parent)?));
    let of_surroundings = || {
        let is_inside = attributes.is_contextual();
        is_inside.then(|| around.lookup_current()).flatten().and_then(|span| carried_by(&span))
    };
    named.or_else(RequestContext::current).or_else(of_surroundings)
}

/// Returns the context that a span carries.
pub(super) fn carried_by<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>) -> Option<RequestContext> {
    span.extensions().get::<SpanState>()?.context.clone()
}

/// Calls `enter` with the context that a span carries, if it carries one.
pub(super) fn with_context<S>(id: &Id, around: &Context<'_, S>, enter: impl FnOnce(&RequestContext))
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let Some(span) = around.span(id) else { return };
    if let Some(context) = span.extensions().get::<SpanState>().and_then(|state| state.context.as_ref()) {
        enter(context);
    }
}

/// Stores the state of a new span.
pub(super) fn keep<S>(state: SpanState, id: &Id, around: &Context<'_, S>)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    if let Some(span) = around.span(id) {
        let replaced = span.extensions_mut().replace(state);
        drop(replaced);
    }
}

/// Adds fields of a span that are recorded after its creation.
pub(super) fn add_fields<S>(values: &Record<'_>, span: &SpanRef<'_, S>)
where
    S: for<'a> LookupSpan<'a>,
{
    let site = CallSite::of(span.metadata());
    let later = recorded(site, |fields| values.record(&mut FieldRecorder(fields)));
    if later.is_empty() {
        return;
    }
    let mut extensions = span.extensions_mut();
    match extensions.get_mut::<SpanState>() {
        Some(SpanState { fields: Some(fields), .. }) => fields.merge(later),
        Some(state) => state.fields = Some(later),
        None => drop(extensions.replace(SpanState { context: None, fields: Some(later) })),
    }
}

/// Returns the span of the context that the current span of a subscriber carries.
pub(super) fn carried_by_current(dispatch: &Dispatch) -> Option<SpanId> {
    let current = dispatch.current_span();
    let span = dispatch.downcast_ref::<Registry>()?.span(current.id()?)?;
    carried_by(&span)?.span_id()
}
