//! An event without texts costs its thread no allocation.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use ragtrace::{RequestContext, traced_stage};
use ragtrace_tests_tracing::{Kept, finish, quiet};
use tracing_subscriber::prelude::*;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: it hands on to the system's, and counts in memory that needs no allocation.
#[expect(unsafe_code, reason = "an allocator is")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise is the system's, too.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl Fn()) -> usize {
    // The first of them makes the thread, the callsite and the scratch buffer known.
    for _ in 0..100 {
        work();
    }
    let before = ALLOCATIONS.get();
    for _ in 0..100 {
        work();
    }
    ALLOCATIONS.get() - before
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
    assert_eq!(kept.lines().len(), 600);
    println!("allocations: none, as it should be");
}
