//! Where a test's records go: entries of the requests that carry it, instead of the queue.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::SpanId;
use crate::capture::ManualClock;
use crate::context::{Listener, Request};
use crate::entry::Entry;
use crate::queue::QueuedEntry;
use crate::time::Ticks;

/// Entries of one test, in the order they came.
#[derive(Debug)]
pub struct CapturedEntries {
    /// `None` once the test has taken them: what comes later has nobody to read it.
    entries: Mutex<Option<Vec<KeptEntry>>>,
    reproducible: Option<Reproducible>,
}

/// Time and ids that are the same in every run of a test.
#[derive(Debug)]
struct Reproducible {
    clock: ManualClock,
    last_span: AtomicU64,
}

#[derive(Debug)]
struct KeptEntry {
    words: Vec<u64>,
    request: Arc<Request>,
    thread: Arc<str>,
}

impl CapturedEntries {
    /// Makes a list without entries, with the real clock or with one that the test holds.
    pub fn new(clock: Option<ManualClock>) -> Arc<Self> {
        let reproducible = clock.map(|clock| Reproducible { clock, last_span: AtomicU64::new(0) });
        Arc::new(Self { entries: Mutex::new(Some(Vec::new())), reproducible })
    }

    /// Gives what came so far to `take`, and refuses what comes later.
    pub fn finish(&self, mut take: impl FnMut(QueuedEntry<'_>)) {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner).take();
        for KeptEntry { words, request, thread } in entries.into_iter().flatten() {
            take(QueuedEntry { entry: Entry::of(&words), request: &request, thread: &thread });
        }
    }
}

impl Listener for CapturedEntries {
    fn accept(&self, request: &Arc<Request>, head: &[u64], fields: &[u64]) -> bool {
        let thread = std::thread::current();
        let thread = if self.reproducible.is_some() { "test" } else { thread.name().unwrap_or("unnamed") };
        let kept = KeptEntry { words: [head, fields].concat(), request: Arc::clone(request), thread: thread.into() };
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entries) = entries.as_mut() else { return false };
        entries.push(kept);
        true
    }

    fn now(&self) -> Ticks {
        self.reproducible.as_ref().map_or_else(Ticks::now, |reproducible| reproducible.clock.ticks())
    }

    fn new_span_id(&self) -> SpanId {
        let next = |of: &Reproducible| SpanId::from_u64(of.last_span.fetch_add(1, Ordering::Relaxed) + 1);
        self.reproducible.as_ref().and_then(next).unwrap_or_else(SpanId::new)
    }
}
