//! The queue from the application's threads to the worker. It is bounded over all threads, and
//! entries pass through it without locks.
//!
//! Each thread writes to its own chain of blocks (`block`), so an entry costs a few words of memory
//! that no other core uses. The bound counts blocks beyond each thread's first (`memory`). A chain
//! outlives its thread: the worker reads it to the end and then drops it. The module `installed`
//! holds the process's one queue and each thread's producer in it.
//!
//! Types shared between threads come from `sync`, so that the model checker `loom` can try every
//! order of events on the real code (`model`, run by `scripts/test-loom`).

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
