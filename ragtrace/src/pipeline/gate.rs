//! Is anybody listening? The one question that a stage asks before it does anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::context::Request;
use crate::pipeline::queue::{self, Severity};
use crate::stage::entry::AcceptedBy;

/// What a capture accepts starts under; no queue has this number.
const CAPTURE: AcceptedBy = AcceptedBy::MAX;

/// How many listen: the installed telemetry, and each capture of a test.
static LISTENERS: AtomicUsize = AtomicUsize::new(0);

/// Whether anybody listens at all.
#[inline]
pub(crate) fn is_open() -> bool {
    LISTENERS.load(Ordering::Relaxed) != 0
}

/// Whether anybody listens to this request.
#[inline]
pub(crate) fn listens_to(request: &Request) -> bool {
    request.capture.is_some() || queue::is_installed()
}

/// Hands an entry to whoever listens to `request`, and says who accepted it.
pub(crate) fn record<const HEAD: usize>(
    request: &Arc<Request>,
    severity: Severity,
    head: &[u64; HEAD],
    fields: &[u64],
) -> Option<AcceptedBy> {
    match &request.capture {
        Some(capture) => capture.push(request, head, fields).then_some(CAPTURE),
        None => queue::push(request, severity, head, fields),
    }
}

/// Whether a start that `accepted_by` accepted is known to whoever listens to `request` now.
#[inline]
pub(crate) fn knows(request: &Request, accepted_by: AcceptedBy) -> bool {
    match &request.capture {
        Some(_) => accepted_by == CAPTURE,
        None => queue::number() == Some(accepted_by),
    }
}

/// Keeps the gate open for as long as it lives.
#[derive(Debug)]
pub(crate) struct Listening(());

impl Listening {
    pub(crate) fn new() -> Self {
        LISTENERS.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        LISTENERS.fetch_sub(1, Ordering::Relaxed);
    }
}
