//! Where a test's records go: entries of the requests that carry it, instead of the queue.

use std::sync::{Arc, Mutex, PoisonError};

use crate::context::Request;
use crate::pipeline::Taken;
use crate::stage::entry::Entry;

/// Entries of one test, in the order they came.
#[derive(Debug, Default)]
pub(crate) struct Capture {
    /// `None` once the test has taken them: what comes later has nobody to read it.
    entries: Mutex<Option<Vec<Caught>>>,
}

#[derive(Debug)]
struct Caught {
    entry: Entry,
    request: Arc<Request>,
    thread: Arc<str>,
}

impl Capture {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { entries: Mutex::new(Some(Vec::new())) })
    }

    /// Keeps one entry, and says whether anybody will read it.
    pub(crate) fn push(&self, request: &Arc<Request>, entry: Entry) -> bool {
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("unnamed").into();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entries) = entries.as_mut() else { return false };
        entries.push(Caught { entry, request: Arc::clone(request), thread });
        true
    }

    /// Gives what came so far to `take`, and refuses what comes later.
    pub(crate) fn finish(&self, mut take: impl FnMut(Taken<'_>)) {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner).take();
        for Caught { entry, request, thread } in entries.into_iter().flatten() {
            take(Taken { entry, request: &request, thread: &thread });
        }
    }
}
