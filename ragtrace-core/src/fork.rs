//! Processes that `fork` makes: which one this is, and who hears that it is a new one.
//!
//! A forked process has the memory of its parent and one thread of it. Locks that others held stay
//! locked, the worker is gone, and what is random repeats what the parent's is. Nothing of that is
//! seen by asking the system at each entry, which would cost more than the entry; so the system
//! says it (`pthread_atfork`), which is the need for `unsafe` here.

#![cfg_attr(
    all(unix, not(miri)),
    expect(unsafe_code, reason = "POSIX alone says that a process was forked; see above")
)]

use std::sync::atomic::{AtomicU32, Ordering};

/// How many forks there were from the first process to this one.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// A process. Two are told apart by their system id, and by the number of forks where each is the
/// first of its container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    id: u32,
    forks: u32,
}

impl Process {
    /// Returns this process.
    pub fn current() -> Self {
        Self { id: std::process::id(), forks: FORKS.load(Ordering::Relaxed) }
    }

    /// Returns whether this is not the process that the code runs in.
    pub fn is_another(self) -> bool {
        self != Self::current()
    }

    /// Returns the process as a number, which is never zero.
    pub(crate) fn to_bits(self) -> u64 {
        u64::from(self.id) << 32 | u64::from(self.forks)
    }
}

/// Has `in_child` called in each process that is forked from this one or its children, before
/// anything else runs there. It may do nothing but work on atomics and the thread's own memory: the
/// parent's other threads may have held any lock.
#[cfg(all(unix, not(miri)))]
pub(crate) fn watch(in_child: extern "C" fn()) {
    use std::ffi::c_int;

    type Handler = Option<extern "C" fn()>;

    // SAFETY: the declaration is that of POSIX (IEEE Std 1003.1-2017, "pthread_atfork"), which
    // every Unix has in its C library.
    unsafe extern "C" {
        fn pthread_atfork(prepare: Handler, parent: Handler, child: Handler) -> c_int;
    }

    // SAFETY: the handler is a function of this program, which a C library that unloads code takes
    // off its list. Where there is no memory for it, forked processes are found out later, when
    // somebody asks for the current process.
    let _ = unsafe { pthread_atfork(None, None, Some(in_child)) };
}

/// Nothing forks here.
#[cfg(not(all(unix, not(miri))))]
pub(crate) fn watch(_: extern "C" fn()) {}

/// Notes that this is a new process.
pub(crate) fn note() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}
