//! Log lines from an application's `tracing` events, in the context of the running stage or outside
//! of any request.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use crate::catalog::LogDescriptor;
use crate::context::{Request, RequestContext, carried, current};
use crate::dispatch;
use crate::entry::{self, LogLine};
use crate::id::{SpanId, TraceId};
use crate::queue::Admission;
use crate::time::Ticks;
use crate::value::FieldBuffer;
use crate::value::encoding::{EncodedField, EncodedFields, EncodedValue};

/// The time for which log lines outside of any request share a reading of the wall clock.
const ANCHOR_AGE: Duration = Duration::from_secs(10);

thread_local! {
    static NOBODY: RefCell<Option<Arc<Request>>> = const { RefCell::new(None) };
}

/// Returns `true` if log lines of this thread have a recipient.
#[inline]
pub fn is_enabled() -> bool {
    dispatch::is_enabled() && dispatch::is_enabled_here()
}

/// Returns `true` if a test captures the log lines of this thread, whatever their level.
#[inline]
pub fn is_captured() -> bool {
    cfg!(feature = "testing") && current::with_request(|request| request.listener().is_some()).unwrap_or(false)
}

/// Returns the trace id of the thread's current context, if there is one.
pub fn current_trace() -> Option<TraceId> {
    current::with_request(|request| request.trace_id)
}

/// Logs a line with the fields that `record` sets, in the thread's current context or, without one,
/// outside of any request.
pub fn emit(descriptor: &'static LogDescriptor, record: impl FnOnce(&mut FieldBuffer)) {
    let mut fields = FieldBuffer::begin();
    record(&mut fields);
    let span = current::span();
    let is_sent = current::with_request(|request| send(request, span, descriptor, &fields)).is_some();
    if !is_sent {
        send(&nobody(), span, descriptor, &fields);
    }
}

/// Logs a line as [`emit`] does, but in `context` instead of the thread's current one.
///
/// If `context` is outside of any stage and the thread is in a stage of the same trace, the line
/// belongs to that stage.
#[cold]
pub fn emit_in(context: &RequestContext, descriptor: &'static LogDescriptor, record: impl FnOnce(&mut FieldBuffer)) {
    let mut fields = FieldBuffer::begin();
    record(&mut fields);
    let stage = carried::stage_within(context);
    let RequestContext { request, span } = stage.as_ref().unwrap_or(context);
    send(request, *span, descriptor, &fields);
}

fn send(request: &Arc<Request>, span: Option<SpanId>, descriptor: &'static LogDescriptor, fields: &FieldBuffer) {
    let line = LogLine { descriptor, span, at: request.now() };
    dispatch::send_if_enabled(request, Admission::Droppable(descriptor.level()), entry::log(&line), fields);
}

/// Returns this thread's placeholder for log lines outside of any request.
fn nobody() -> Arc<Request> {
    let recent = |kept: &RefCell<Option<Arc<Request>>>| {
        let mut kept = kept.try_borrow_mut().ok()?;
        let is_recent = |request: &Arc<Request>| Ticks::now().since(request.anchor.ticks) < ANCHOR_AGE;
        if !kept.as_ref().is_some_and(is_recent) {
            *kept = Some(Arc::new(Request::nobody()));
        }
        kept.clone()
    };
    NOBODY.try_with(recent).ok().flatten().unwrap_or_else(|| Arc::new(Request::nobody()))
}

/// The fields of a `tracing` span, kept for the lines that are logged in it.
#[derive(Clone, Debug)]
pub struct LogFields {
    descriptor: &'static LogDescriptor,
    words: Vec<u64>,
}

impl LogFields {
    /// Encodes the fields that `record` sets. `descriptor` declares their names.
    pub fn record(descriptor: &'static LogDescriptor, record: impl FnOnce(&mut FieldBuffer)) -> Self {
        let mut fields = FieldBuffer::begin();
        record(&mut fields);
        Self { descriptor, words: fields.to_encoded() }
    }

    /// Adds fields that were recorded later. A later field replaces an earlier one with the same
    /// name.
    pub fn add(&mut self, record: impl FnOnce(&mut FieldBuffer)) {
        self.merge(Self::record(self.descriptor, record));
    }

    /// Adds fields of the same descriptor that were recorded later, as [`LogFields::add`] does.
    /// Each field is kept only once, however often fields are added.
    pub fn merge(&mut self, later: Self) {
        let mut words = later.words;
        let is_later = |name| EncodedFields(&words).any(|field| field.name == name);
        let kept: Vec<_> = EncodedFields(&self.words).filter(|field| !is_later(field.name)).collect();
        let kept: Vec<_> = kept.into_iter().flat_map(|field| field.words).copied().collect();
        words.extend(kept);
        self.words = words;
    }

    /// Replaces each text for which `shorten` returns a shorter one. It is called with the field's
    /// name and its text.
    pub fn shorten(&mut self, shorten: impl Fn(&str, &str) -> Option<String>) {
        let declared = self.descriptor.fields();
        let shorter = |field: &EncodedField<'_>| {
            let EncodedValue::Text(text) = field.value else { return None };
            shorten(declared.get(usize::from(field.name))?.name(), &text.as_str())
        };
        if !EncodedFields(&self.words).any(|field| shorter(&field).is_some()) {
            return;
        }
        let mut fields = FieldBuffer::begin();
        for field in EncodedFields(&self.words) {
            match shorter(&field) {
                Some(text) => fields.text(field.name, &text),
                None => fields.append(field.words),
            }
        }
        self.words = fields.to_encoded();
    }

    /// Returns `true` if there are no fields.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

impl FieldBuffer {
    /// Adds the fields of a span around a log line, after the line's own fields.
    pub fn add(&mut self, fields: &LogFields) {
        if !fields.is_empty() {
            self.of_descriptor(fields.descriptor);
            self.append(&fields.words);
        }
    }
}
