//! Is anybody listening? The one question that a stage asks before it does anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::context::{Request, current};
use crate::queue::{self, Severity};
use crate::stage::entry::AcceptedBy;
use crate::stage::slots::Slots;

/// What a capture accepts starts under; no queue has this number.
const CAPTURE: AcceptedBy = AcceptedBy::MAX;

/// How many listen: the installed telemetry, and each capture of a test.
static LISTENERS: AtomicUsize = AtomicUsize::new(0);

/// Whether anybody listens at all.
#[inline]
pub(crate) fn is_open() -> bool {
    LISTENERS.load(Ordering::Relaxed) != 0
}

/// Who listens to this request, if anybody does.
#[inline]
pub(crate) fn listener(request: &Request) -> Option<AcceptedBy> {
    match request.capture() {
        Some(_) => Some(CAPTURE),
        None => queue::number(),
    }
}

/// Whether anybody listens to what begins on this thread. Where the gate is open, only a test has to ask: what opened it may
/// be the capture of another.
#[inline]
pub(crate) fn is_heard_here() -> bool {
    !cfg!(feature = "testing")
        || current::with_request(|request| listener(request)).unwrap_or_else(queue::number).is_some()
}

/// Hands an entry to `listener`, who listens to `request`, and says whether it was accepted.
#[inline]
pub(crate) fn record<const HEAD: usize>(
    listener: AcceptedBy,
    request: &Arc<Request>,
    severity: Severity,
    head: [u64; HEAD],
    fields: &Slots,
) -> bool {
    match request.capture() {
        Some(capture) => capture.push(request, &head, &fields.to_words()),
        None => queue::push(listener, request, severity, head, fields),
    }
}

/// The same for what is not known to be listened to.
#[inline(never)]
pub(crate) fn record_if_heard<const HEAD: usize>(
    request: &Arc<Request>,
    severity: Severity,
    head: [u64; HEAD],
    fields: &Slots,
) {
    if let Some(listener) = listener(request) {
        record(listener, request, severity, head, fields);
    }
}

/// Keeps the gate open for as long as it lives.
#[derive(Debug)]
pub struct Listening(());

impl Listening {
    /// Opens the gate.
    pub fn begin() -> Self {
        LISTENERS.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        LISTENERS.fetch_sub(1, Ordering::Relaxed);
    }
}
