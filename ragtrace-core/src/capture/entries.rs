//! Where a test's records go: entries of the requests that carry it, instead of the queue.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::SpanId;
use crate::capture::ManualClock;
use crate::context::Request;
use crate::queue::Taken;
use crate::stage::entry::Entry;
use crate::time::Ticks;

/// Entries of one test, in the order they came.
#[derive(Debug)]
pub struct Capture {
    /// `None` once the test has taken them: what comes later has nobody to read it.
    entries: Mutex<Option<Vec<Caught>>>,
    made_up: Option<MadeUp>,
}

/// Time and ids that are the same in every run of a test.
#[derive(Debug)]
struct MadeUp {
    clock: ManualClock,
    last_span: AtomicU64,
}

#[derive(Debug)]
struct Caught {
    words: Vec<u64>,
    request: Arc<Request>,
    thread: Arc<str>,
}

impl Capture {
    /// A place for entries, with the real clock or with one that the test holds.
    pub fn new(clock: Option<ManualClock>) -> Arc<Self> {
        let made_up = clock.map(|clock| MadeUp { clock, last_span: AtomicU64::new(0) });
        Arc::new(Self { entries: Mutex::new(Some(Vec::new())), made_up })
    }

    /// Keeps one entry, and says whether anybody will read it.
    pub(crate) fn push(&self, request: &Arc<Request>, head: &[u64], fields: &[u64]) -> bool {
        let thread = std::thread::current();
        let thread = if self.made_up.is_some() { "test" } else { thread.name().unwrap_or("unnamed") };
        let caught = Caught { words: [head, fields].concat(), request: Arc::clone(request), thread: thread.into() };
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entries) = entries.as_mut() else { return false };
        entries.push(caught);
        true
    }

    /// The time that the test's stages see.
    pub(crate) fn now(&self) -> Ticks {
        self.made_up.as_ref().map_or_else(Ticks::now, |made_up| made_up.clock.ticks())
    }

    /// An id for a span of the test.
    pub(crate) fn span_id(&self) -> SpanId {
        let next = |made_up: &MadeUp| SpanId::from_u64(made_up.last_span.fetch_add(1, Ordering::Relaxed) + 1);
        self.made_up.as_ref().and_then(next).unwrap_or_else(SpanId::new)
    }

    /// Gives what came so far to `take`, and refuses what comes later.
    pub fn finish(&self, mut take: impl FnMut(Taken<'_>)) {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner).take();
        for Caught { words, request, thread } in entries.into_iter().flatten() {
            take(Taken { entry: Entry::of(&words), request: &request, thread: &thread });
        }
    }
}
