//! Detection of processes created by `fork`.
//!
//! A forked process has its parent's memory and a single thread. Locks that other threads held stay
//! locked, the worker thread is gone, and random number generators repeat the parent's sequence.
//! Asking the system for the process id at every entry would cost more than the entry, so the C
//! library reports a fork through `pthread_atfork`. That call is the reason for `unsafe` in this
//! module.

#![cfg_attr(all(unix, not(miri)), expect(unsafe_code, reason = "only a call of POSIX reports forks; see above"))]

use std::sync::atomic::{AtomicU32, Ordering};

/// Counts the forks between the first process and this one.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// The identity of a process.
///
/// Processes are distinguished by their system id and by their fork count, because the ids of two
/// processes can be equal when each is the first in its container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    id: u32,
    forks: u32,
}

impl Process {
    /// Returns the current process.
    pub fn current() -> Self {
        Self { id: std::process::id(), forks: FORKS.load(Ordering::Relaxed) }
    }

    /// Returns `true` if this is not the current process.
    pub fn is_another(self) -> bool {
        self != Self::current()
    }

    /// Returns a number that identifies the process and is never zero.
    pub(crate) fn to_bits(self) -> u64 {
        u64::from(self.id) << 32 | u64::from(self.forks)
    }
}

/// Registers `in_child` to be called in every process that is forked from this one or from its
/// descendants, before other code runs there.
///
/// The function may only touch atomics and the thread's own memory, because any lock may have been
/// held by another of the parent's threads at the time of the fork.
#[cfg(all(unix, not(miri)))]
pub(crate) fn watch(in_child: extern "C" fn()) {
    use std::ffi::c_int;

    type Handler = Option<extern "C" fn()>;

    // SAFETY: the declaration matches POSIX (IEEE Std 1003.1-2017, "pthread_atfork"), and the C
    // library of every Unix provides the function.
    unsafe extern "C" {
        fn pthread_atfork(prepare: Handler, parent: Handler, child: Handler) -> c_int;
    }

    // SAFETY: the handler is a function of this program, and a C library that can unload code
    // removes handlers of unloaded code from its list. If registration fails for lack of memory, a
    // fork is noticed later, when the current process is next compared.
    let _ = unsafe { pthread_atfork(None, None, Some(in_child)) };
}

/// Does nothing: this target has no `fork`, or Miri does not support it.
#[cfg(not(all(unix, not(miri))))]
pub(crate) fn watch(_: extern "C" fn()) {}

/// Records that this is a newly forked process.
pub(crate) fn note() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}
