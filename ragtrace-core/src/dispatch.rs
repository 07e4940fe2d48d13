//! Where an entry goes: to the listener of its request, to the installed queue, or nowhere.
//!
//! Whether anybody is there at all is the one question that a stage asks before it does anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::context::{Request, current};
use crate::entry::RecipientId;
use crate::queue::{self, Admission};
use crate::value::FieldBuffer;

/// Stands for the listener of a request, whichever it is; no queue has this number.
const LISTENER: RecipientId = RecipientId::MAX;

/// How many are there: the installed telemetry, and each capture of a test.
static LISTENERS: AtomicUsize = AtomicUsize::new(0);

/// Returns whether anybody is there to receive entries.
#[inline]
pub(crate) fn is_enabled() -> bool {
    LISTENERS.load(Ordering::Relaxed) != 0
}

/// Returns who receives the entries of `request`, if anybody does.
#[inline]
pub(crate) fn recipient(request: &Request) -> Option<RecipientId> {
    match request.listener() {
        Some(_) => Some(LISTENER),
        None => queue::installed_id(),
    }
}

/// Returns whether anybody receives what begins on this thread, where somebody is there at all.
/// Only a test has to ask: the one who is there may be the capture of another.
#[inline]
pub(crate) fn is_enabled_here() -> bool {
    !cfg!(feature = "testing")
        || current::with_request(|request| recipient(request)).unwrap_or_else(queue::installed_id).is_some()
}

/// Hands an entry to the recipient of `request`, and returns whether it was accepted.
#[inline]
pub(crate) fn send<const HEAD: usize>(
    recipient: RecipientId,
    request: &Arc<Request>,
    admission: Admission,
    head: [u64; HEAD],
    fields: &FieldBuffer,
) -> bool {
    match request.listener() {
        Some(listener) => listener.accept(request, &head, &fields.to_encoded()),
        None => queue::push(recipient, request, admission, head, fields),
    }
}

/// Hands an entry to the recipient of `request`, if there is one.
#[inline(never)]
pub(crate) fn send_if_enabled<const HEAD: usize>(
    request: &Arc<Request>,
    admission: Admission,
    head: [u64; HEAD],
    fields: &FieldBuffer,
) {
    if let Some(recipient) = recipient(request) {
        send(recipient, request, admission, head, fields);
    }
}

/// Counts as one who receives entries for as long as it lives.
#[derive(Debug)]
pub struct ListenerGuard(());

impl ListenerGuard {
    /// Enables stages, if nobody has before.
    pub fn begin() -> Self {
        LISTENERS.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for ListenerGuard {
    fn drop(&mut self) {
        LISTENERS.fetch_sub(1, Ordering::Relaxed);
    }
}
