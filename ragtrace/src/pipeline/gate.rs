//! Is anybody listening? The one question that a stage asks before it does anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::context::Request;
use crate::pipeline::queue::{self, Severity};
use crate::stage::entry::Entry;

/// How many listen: the installed telemetry, and each capture of a test.
static LISTENERS: AtomicUsize = AtomicUsize::new(0);

/// Whether anybody listens at all.
#[inline]
pub(crate) fn is_open() -> bool {
    LISTENERS.load(Ordering::Relaxed) != 0
}

/// Whether anybody listens to this request.
pub(crate) fn listens_to(request: &Request) -> bool {
    request.capture.is_some() || queue::is_installed()
}

/// Hands what `make` makes to whoever listens to `request`, and says whether it was accepted.
#[inline]
pub(crate) fn record(request: &Arc<Request>, severity: Severity, make: impl FnOnce() -> Entry) -> bool {
    match &request.capture {
        Some(capture) => capture.push(request, make()),
        None => queue::push(request, severity, make),
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
