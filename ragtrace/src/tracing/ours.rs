//! The threads of the pipeline, whose events are ignored.

use std::cell::Cell;

use ragtrace_core::queue::{SINK_THREAD, is_excluded};

thread_local! {
    static HAS_OUR_NAME: Cell<Option<bool>> = const { Cell::new(None) };
}

/// Returns `true` if this is a thread of the pipeline.
#[inline]
pub(super) fn is_this_thread() -> bool {
    is_excluded() || HAS_OUR_NAME.get().unwrap_or_else(read_name)
}

#[cold]
fn read_name() -> bool {
    let has_our_name = std::thread::current().name().is_some_and(|name| name.starts_with(SINK_THREAD));
    HAS_OUR_NAME.set(Some(has_our_name));
    has_our_name
}
