//! The queue from the application's threads to the worker: bounded over all threads, without a lock
//! on the way.
//!
//! Each thread writes to a chain of blocks of its own (`block`), so an entry costs a few words of
//! memory that no other core wants. The bound counts blocks beyond each thread's first (`memory`).
//! A thread's chain outlives it: the worker reads it to its end and lets go of it then. `installed`
//! is the process's one queue and each thread's producer in it.
//!
//! What threads share is taken from `sync`, so that the model checker `loom` tries every order of
//! events on this very code (`model`, run by `scripts/test-loom`).

mod block;
mod consumer;
mod installed;
mod limits;
mod memory;
#[cfg(all(test, ragtrace_loom))]
mod model;
mod producer;
mod shared;
mod sync;

pub use consumer::{Consumer, QueuedEntry, RequestCache};
pub use installed::{SINK_THREAD, exclude_this_thread, install, is_excluded, lost_in_child, uninstall};
pub(crate) use installed::{installed_id, push};
pub use limits::QueueLimits;
pub(crate) use memory::Admission;
pub use shared::Queue;
