//! Keeps memory for reuse.

use std::sync::{Mutex, PoisonError};

/// A limited number of reusable things of one kind.
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

    /// Keeps a thing for reuse, unless there are enough already.
    pub(super) fn give(&self, thing: T) {
        let mut things = self.things.lock().unwrap_or_else(PoisonError::into_inner);
        if things.len() < self.most {
            things.push(thing);
        }
    }
}
