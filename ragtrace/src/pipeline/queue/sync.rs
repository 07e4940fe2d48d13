//! What the queue shares between threads: of the standard library, or of `loom` where that tries every order of events.

#[cfg(not(ragtrace_loom))]
mod real {
    pub(in super::super) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
    pub(in super::super) use std::sync::{Arc, Mutex, OnceLock};

    pub(in super::super) use crossbeam_queue::ArrayQueue;
}

#[cfg(ragtrace_loom)]
mod modelled {
    pub(in super::super) use loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
    pub(in super::super) use loom::sync::{Arc, Mutex};

    /// `OnceLock`, as far as it is used here.
    #[derive(Debug)]
    pub(in super::super) struct OnceLock<T>(Mutex<Option<T>>);

    impl<T: Clone> OnceLock<T> {
        pub(in super::super) fn new() -> Self {
            Self(Mutex::new(None))
        }

        pub(in super::super) fn get(&self) -> Option<T> {
            self.0.lock().expect("no panic in a model").clone()
        }

        pub(in super::super) fn set(&self, value: T) -> Result<(), T> {
            *self.0.lock().expect("no panic in a model") = Some(value);
            Ok(())
        }

        pub(in super::super) fn take(&mut self) -> Option<T> {
            self.0.get_mut().expect("no panic in a model").take()
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
