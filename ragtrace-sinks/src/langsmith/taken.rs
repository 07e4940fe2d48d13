//! Feedback that LangSmith has, in batches that come again.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use ragtrace::uuid::Uuid;

/// More than the batches under way have; without them, feedback is sent again, which changes
/// nothing.
const LIMIT: usize = 10_000;

/// The ids of feedback that is not sent again: one score whose run is late brings its batch back,
/// with all that LangSmith took of it.
#[derive(Debug, Default)]
pub(super) struct Taken(Mutex<HashSet<Uuid>>);

impl Taken {
    pub(super) fn contains(&self, id: Uuid) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&id)
    }

    /// Keeps the ids of feedback whose batch comes again.
    pub(super) fn keep(&self, ids: Vec<Uuid>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() + ids.len() > LIMIT {
            kept.clear();
        }
        kept.extend(ids);
    }

    /// Forgets the ids of a batch that is done.
    pub(super) fn forget(&self, ids: impl Iterator<Item = Uuid>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.is_empty() {
            for id in ids {
                kept.remove(&id);
            }
        }
    }
}
