//! The traces that were read last, for the requests that follow a page of a trace: its panels and
//! searches.
//!
//! The page itself, and what follows a running trace, always read anew. A trace is kept for the
//! role that read it, so that it never reaches a visitor whose own role did not.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ragtrace::TraceId;
use ragtrace_store::Trace;

/// The largest number of traces.
const TRACES: usize = 8;
/// The largest number of records in all of them.
const RECORDS: usize = 150_000;
/// The time for which a trace is kept.
const AGE: Duration = Duration::from_mins(1);

#[derive(Default)]
pub(super) struct Cache(Mutex<VecDeque<Entry>>);

struct Entry {
    role: Option<String>,
    trace: Arc<Trace>,
    read_at: Instant,
}

impl Cache {
    pub(super) fn get(&self, role: Option<&str>, id: TraceId) -> Option<Arc<Trace>> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_wanted = |entry: &&Entry| {
            entry.role.as_deref() == role && entry.trace.trace_id() == id && entry.read_at.elapsed() < AGE
        };
        entries.iter().find(is_wanted).map(|entry| Arc::clone(&entry.trace))
    }

    /// Keeps a trace for a minute, and then frees its memory.
    pub(super) fn put(self: &Arc<Self>, role: Option<&str>, trace: &Arc<Trace>) {
        let cache = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(AGE + Duration::from_secs(1)).await;
            cache.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|entry| entry.read_at.elapsed() < AGE);
        });
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = trace.trace_id();
        entries.retain(|entry| {
            entry.read_at.elapsed() < AGE && (entry.trace.trace_id() != id || entry.role.as_deref() != role)
        });
        entries.push_front(Entry {
            role: role.map(ToOwned::to_owned),
            trace: Arc::clone(trace),
            read_at: Instant::now(),
        });
        let records = |entries: &VecDeque<Entry>| entries.iter().map(|entry| entry.trace.logs().len()).sum::<usize>();
        while entries.len() > TRACES || (entries.len() > 1 && records(&entries) > RECORDS) {
            entries.pop_back();
        }
    }
}
