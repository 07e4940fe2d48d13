//! The synchronization primitives of the queue: from the standard library, or from `loom` in its
//! model checks.

#[cfg(not(ragtrace_loom))]
mod real {
    pub(in super::super) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
    pub(in super::super) use std::sync::{Arc, Mutex};

    pub(in super::super) use crossbeam_queue::ArrayQueue;

    /// Returns words that are no longer written as plain memory. A model copies them to `copy`
    /// first.
    ///
    /// # Safety
    ///
    /// The words must not be written while the result is alive, and previous writes to them must be
    /// visible on this thread.
    #[inline]
    #[expect(unsafe_code, reason = "atomics have no safe way to be read as a slice")]
    pub(in super::super) unsafe fn as_plain_memory<'a>(words: &'a [AtomicU64], _copy: &'a mut Vec<u64>) -> &'a [u64] {
        // SAFETY: an atomic has the size of its number and at least its alignment (on every target
        // with 64-bit atomics, `u64` requires no larger one), and the caller guarantees that there
        // is no writer.
        unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), words.len()) }
    }

    /// A reference to the next block, which is set once.
    #[derive(Debug)]
    pub(in super::super) struct Link<T>(std::sync::OnceLock<Arc<T>>);

    impl<T> Link<T> {
        pub(in super::super) const fn new() -> Self {
            Self(std::sync::OnceLock::new())
        }

        pub(in super::super) fn get(&self) -> Option<Arc<T>> {
            self.0.get().map(Arc::clone)
        }

        pub(in super::super) fn set(&self, next: Arc<T>) {
            // This is the only call, so it cannot fail.
            let _ = self.0.set(next);
        }

        pub(in super::super) fn take(&mut self) -> Option<Arc<T>> {
            self.0.take()
        }
    }
}

#[cfg(ragtrace_loom)]
mod modelled {
    pub(in super::super) use loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
    pub(in super::super) use loom::sync::{Arc, Mutex};

    /// A reference to the next block, which is set once.
    #[derive(Debug)]
    pub(in super::super) struct Link<T>(Mutex<Option<Arc<T>>>);

    impl<T> Link<T> {
        pub(in super::super) fn new() -> Self {
            Self(Mutex::new(None))
        }

        pub(in super::super) fn get(&self) -> Option<Arc<T>> {
            self.0.lock().expect("no panic in a model").clone()
        }

        pub(in super::super) fn set(&self, next: Arc<T>) {
            *self.0.lock().expect("no panic in a model") = Some(next);
        }
    }

    // Loading the words lets a model check that they were written before they are read. That they
    // are not written at the same time follows from the ownership of blocks, and the tests of
    // `block` try it with threads.
    #[expect(unsafe_code, reason = "has the signature of the function that it replaces")]
    pub(in super::super) unsafe fn as_plain_memory<'a>(words: &'a [AtomicU64], copy: &'a mut Vec<u64>) -> &'a [u64] {
        copy.clear();
        copy.extend(words.iter().map(|word| word.load(Ordering::Relaxed)));
        copy
    }

    /// The part of `ArrayQueue` that is used here.
    #[derive(Debug)]
    pub(in super::super) struct ArrayQueue<T> {
        most: usize,
        items: Mutex<Vec<T>>,
    }

    impl<T> ArrayQueue<T> {
        pub(in super::super) fn new(most: usize) -> Self {
            Self { most, items: Mutex::new(Vec::new()) }
        }

        pub(in super::super) fn capacity(&self) -> usize {
            self.most
        }

        pub(in super::super) fn len(&self) -> usize {
            self.items.lock().expect("no panic in a model").len()
        }

        pub(in super::super) fn push(&self, item: T) -> Result<(), T> {
            let mut items = self.items.lock().expect("no panic in a model");
            if items.len() == self.most {
                return Err(item);
            }
            items.push(item);
            Ok(())
        }

        pub(in super::super) fn pop(&self) -> Option<T> {
            self.items.lock().expect("no panic in a model").pop()
        }
    }
}

#[cfg(ragtrace_loom)]
pub(super) use modelled::*;
#[cfg(not(ragtrace_loom))]
pub(super) use real::*;
