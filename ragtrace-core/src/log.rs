//! Lines that are logged: by an application's `tracing`, in the context of the running stage, or outside of any request.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use crate::catalog::LogDescriptor;
use crate::context::{Request, current};
use crate::dispatch;
use crate::entry::{self, LogLine};
use crate::queue::Admission;
use crate::time::Ticks;
use crate::value::FieldBuffer;
use crate::value::encoding::EncodedFields;

/// How long lines outside of any request share a reading of the wall clock.
const ANCHOR_AGE: Duration = Duration::from_secs(10);

thread_local! {
    static NOBODY: RefCell<Option<Arc<Request>>> = const { RefCell::new(None) };
}

/// Returns whether anybody receives what is logged on this thread.
#[inline]
pub fn is_enabled() -> bool {
    dispatch::is_enabled() && dispatch::is_enabled_here()
}

/// Returns whether a test captures what is logged on this thread, whatever its level.
#[inline]
pub fn is_captured() -> bool {
    cfg!(feature = "testing") && current::with_request(|request| request.listener().is_some()).unwrap_or(false)
}

/// Logs a line with the fields that `record` sets, in the thread's current context or in none.
pub fn emit(descriptor: &'static LogDescriptor, record: impl FnOnce(&mut FieldBuffer)) {
    let mut fields = FieldBuffer::begin();
    record(&mut fields);
    let admission = Admission::Droppable(descriptor.level());
    let span = current::span();
    let send = |request: &Arc<Request>| {
        let line = LogLine { descriptor, span, at: request.now() };
        dispatch::send_if_enabled(request, admission, entry::log(&line), &fields);
    };
    if current::with_request(send).is_none() {
        send(&nobody());
    }
}

/// Returns what stands for no request on this thread.
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

/// Fields of a span that lines are logged in, kept for these.
#[derive(Clone, Debug)]
pub struct LogFields {
    descriptor: &'static LogDescriptor,
    words: Vec<u64>,
}

impl LogFields {
    /// Keeps the fields that `record` sets, whose names are those that `descriptor` declares.
    pub fn record(descriptor: &'static LogDescriptor, record: impl FnOnce(&mut FieldBuffer)) -> Self {
        let mut fields = FieldBuffer::begin();
        record(&mut fields);
        Self { descriptor, words: fields.to_encoded() }
    }

    /// Adds fields that were recorded later. Of a name that is there twice, the later one counts.
    pub fn add(&mut self, record: impl FnOnce(&mut FieldBuffer)) {
        self.merge(Self::record(self.descriptor, record));
    }

    /// Adds fields of the same descriptor that were recorded later, as [`LogFields::add`]. However often that is done, each
    /// field is kept once.
    pub fn merge(&mut self, later: Self) {
        let mut words = later.words;
        let is_later = |name| EncodedFields(&words).any(|field| field.name == name);
        let kept: Vec<_> = EncodedFields(&self.words).filter(|field| !is_later(field.name)).collect();
        let kept: Vec<_> = kept.into_iter().flat_map(|field| field.words).copied().collect();
        words.extend(kept);
        self.words = words;
    }

    /// Returns true if there is none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

impl FieldBuffer {
    /// Adds the fields of a span to those of a line that is logged in it, after the line's own.
    pub fn add(&mut self, fields: &LogFields) {
        if !fields.is_empty() {
            self.of_descriptor(fields.descriptor);
            self.append(&fields.words);
        }
    }
}
