//! Routing of entries: to the listener of their request, to the installed queue, or to nobody.
//!
//! A stage first asks whether any recipient exists at all, and does nothing more if there is none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::context::{Request, current};
use crate::entry::RecipientId;
use crate::queue::{self, Admission};
use crate::value::FieldBuffer;

/// The recipient id that stands for a request's listener. No queue has this id.
const LISTENER: RecipientId = RecipientId::MAX;

/// Counts the recipients: the installed telemetry, and each active capture of a test.
static LISTENERS: AtomicUsize = AtomicUsize::new(0);

/// Returns `true` if any recipient of entries exists.
#[inline]
pub(crate) fn is_enabled() -> bool {
    LISTENERS.load(Ordering::Relaxed) != 0
}

/// Returns the recipient of entries of `request`, or `None` if there is none.
#[inline]
pub(crate) fn recipient(request: &Request) -> Option<RecipientId> {
    match request.listener() {
        Some(_) => Some(LISTENER),
        None => queue::installed_id(),
    }
}

/// Returns `true` if entries that originate on this thread have a recipient, given that some
/// recipient exists.
///
/// The answer is always `true` without the feature `testing`. In tests, the only recipient may be
/// the capture of another test.
#[inline]
pub(crate) fn is_enabled_here() -> bool {
    !cfg!(feature = "testing")
        || current::with_request(|request| recipient(request)).unwrap_or_else(queue::installed_id).is_some()
}

/// Sends an entry to the recipient of `request`, and returns `true` if it was accepted.
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

/// Sends an entry to the recipient of `request`, if there is one.
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

/// A guard that counts as a recipient of entries until it is dropped. Stages record only while at
/// least one exists.
#[derive(Debug)]
pub struct ListenerGuard(());

impl ListenerGuard {
    /// Registers a recipient, which enables stages if this is the first one.
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
