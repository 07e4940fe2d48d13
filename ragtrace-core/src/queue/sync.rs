//! What the queue shares between threads: of the standard library, or of `loom` where that tries every order of events.

#[cfg(not(ragtrace_loom))]
mod real {
    pub(in super::super) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
    pub(in super::super) use std::sync::{Arc, Mutex};

    pub(in super::super) use crossbeam_queue::ArrayQueue;

    /// A reference to what comes after, which is set once.
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
            // Nobody sets it twice.
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

    /// A reference to what comes after, which is set once.
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

    /// `ArrayQueue`, as far as it is used here.
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
