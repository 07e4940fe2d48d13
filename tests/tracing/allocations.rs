//! An event without texts makes its thread allocate nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use ragtrace::{RequestContext, traced_stage};
use ragtrace_tests_tracing::{Kept, finish, quiet};
use tracing_subscriber::prelude::*;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is forwarded to the system's allocator, and the counters need no allocation.
#[expect(unsafe_code, reason = "an allocator is")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller fulfils the same contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Returns the number of allocations of ten calls of `work`. A block of the queue does not count,
/// nor do the callsite and the scratch buffer, which are made once. So the result is the median of
/// several rounds.
fn allocations(work: impl Fn()) -> usize {
    let turn = || {
        let before = ALLOCATIONS.get();
        (0..10).for_each(|_| work());
        ALLOCATIONS.get() - before
    };
    let mut turns: Vec<_> = (0..21).map(|_| turn()).collect();
    turns.sort_unstable();
    turns.get(turns.len() / 2).copied().unwrap_or(usize::MAX)
}

#[traced_stage("allocations.work")]
fn in_a_stage(work: impl Fn()) -> usize {
    allocations(work)
}

fn main() {
    tracing_subscriber::registry().with(ragtrace::layer().mirror_stages(false)).init();
    let kept = Kept::default();
    let telemetry = quiet().sink(kept.clone()).install().expect("the only one");
    let event = || tracing::info!(rows = 3, ratio = 0.5, whole = true, "done");
    assert_eq!(allocations(event), 0, "outside of any request");
    RequestContext::new().sync_scope(|| {
        assert_eq!(in_a_stage(event), 0, "in a stage");
        let span = tracing::info_span!("around", job = 7);
        span.in_scope(|| assert_eq!(in_a_stage(event), 0, "in a span with fields"));
    });
    assert_eq!(allocations(|| tracing::debug!(rows = 3, "hidden")), 0, "one that nobody takes");
    finish(telemetry);
    assert_eq!(kept.lines().len(), 630);
    println!("allocations: none, as it should be");
}
