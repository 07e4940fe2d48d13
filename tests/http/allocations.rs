//! The cost of a hostile header: baggage beyond the limits is not copied.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use http::{HeaderMap, HeaderValue};
use ragtrace::http::extract;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is forwarded to the system's allocator, and the counters need no allocation.
#[expect(unsafe_code, reason = "an allocator is")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        BYTES.set(BYTES.get() + layout.size());
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

/// Returns the number of allocations, and of allocated bytes, when a header is read.
fn cost(baggage: String) -> (usize, usize) {
    let mut headers = HeaderMap::new();
    headers.insert("baggage", HeaderValue::try_from(baggage).expect("a header's value"));
    let before = (ALLOCATIONS.get(), BYTES.get());
    drop(extract(&headers));
    (ALLOCATIONS.get() - before.0, BYTES.get() - before.1)
}

#[test]
fn baggage_over_the_limits_is_not_copied() {
    let longest = 400_000;
    let hostile = [
        format!("big={}", "v".repeat(longest)),
        format!("a={},{}", "v".repeat(8_187), "k=1,".repeat(longest / 4)),
        format!("a={},{}", "v".repeat(8_000), format!("b={},", "v".repeat(300)).repeat(longest / 303)),
        format!("{},", "v".repeat(300)).repeat(longest / 301),
        "a=1;,".repeat(longest / 5),
    ];
    for baggage in hostile {
        let begin = baggage[..20].to_owned();
        let (allocations, bytes) = cost(baggage);
        assert!(allocations <= 500 && bytes <= 64 << 10, "{allocations} of {bytes} bytes for {begin}…");
    }
}
