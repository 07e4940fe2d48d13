//! A listener that collects entries for a test.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::SpanId;
use crate::capture::ManualClock;
use crate::context::{Listener, Request};
use crate::entry::Entry;
use crate::queue::QueuedEntry;
use crate::time::Ticks;

/// The entries of one test, in the order of their arrival.
#[derive(Debug)]
pub struct CapturedEntries {
    /// `None` once the test has taken the entries. Later entries are refused.
    entries: Mutex<Option<Vec<KeptEntry>>>,
    reproducible: Option<Reproducible>,
}

/// A clock and span ids that are the same in every run of a test.
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
    /// Creates an empty collection that uses the system's clock and random ids or, given a clock,
    /// that clock and ids that count up from 1.
    pub fn new(clock: Option<ManualClock>) -> Arc<Self> {
        let reproducible = clock.map(|clock| Reproducible { clock, last_span: AtomicU64::new(0) });
        Arc::new(Self { entries: Mutex::new(Some(Vec::new())), reproducible })
    }

    /// Passes all entries received so far to `take`, and refuses entries from now on.
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
