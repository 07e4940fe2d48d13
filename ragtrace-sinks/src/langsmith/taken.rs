//! Remembers feedback that LangSmith has already accepted, for batches that are sent again.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use ragtrace::uuid::Uuid;

/// The largest number of ids kept, more than the batches in progress contain. Feedback whose id is
/// not kept is sent again, which changes nothing.
const LIMIT: usize = 10_000;

/// The ids of feedback that is not sent again. If the run of one score is late, its whole batch is
/// sent again, including everything that LangSmith has accepted.
#[derive(Debug, Default)]
pub(super) struct Taken(Mutex<HashSet<Uuid>>);

impl Taken {
    pub(super) fn contains(&self, id: Uuid) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&id)
    }

    /// Keeps the ids of feedback whose batch is sent again.
    pub(super) fn keep(&self, ids: Vec<Uuid>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() + ids.len() > LIMIT {
            kept.clear();
        }
        kept.extend(ids);
    }

    /// Forgets the ids of a finished batch.
    pub(super) fn forget(&self, ids: impl Iterator<Item = Uuid>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.is_empty() {
            for id in ids {
                kept.remove(&id);
            }
        }
    }
}
