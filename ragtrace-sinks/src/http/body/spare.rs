//! Memory that was used and will be again.

use std::sync::{Mutex, PoisonError};

/// Things of one kind that wait for their next use, so many at most.
pub(super) struct Spare<T> {
    things: Mutex<Vec<T>>,
    most: usize,
}

impl<T> Spare<T> {
    pub(super) fn new(most: usize) -> Self {
        Self { things: Mutex::new(Vec::new()), most }
    }

    pub(super) fn take(&self) -> Option<T> {
        self.things.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Keeps a thing, if there is room.
    pub(super) fn give(&self, thing: T) {
        let mut things = self.things.lock().unwrap_or_else(PoisonError::into_inner);
        if things.len() < self.most {
            things.push(thing);
        }
    }
}
