//! Lines of the crate `log` that came as events already.
//!
//! With its feature `log-always`, `tracing` writes each event to `log`, too, right after the subscriber has had it, and so it does
//! with what becomes of spans; and a `LogTracer` brings all of it back. A copy has the place in the source code and the target of
//! the event or span that this thread has seen last. What is written of a span that is entered, left or closed has a target of
//! its own.

use std::cell::Cell;

use tracing_core::Metadata;

/// The targets of what `tracing` writes of spans.
const OF_SPANS: [&str; 2] = ["tracing::span", "tracing::span::active"];

thread_local! {
    static SEEN: Cell<Option<&'static Metadata<'static>>> = const { Cell::new(None) };
}

/// Notes that an event or a span was seen.
#[inline]
pub(super) fn note(seen: &'static Metadata<'static>) {
    SEEN.set(Some(seen));
}

/// Returns whether a line of `log` with this description is a copy.
pub(super) fn is_copy(line: &Metadata<'_>) -> bool {
    if OF_SPANS.contains(&line.target()) {
        return true;
    }
    let Some(seen) = SEEN.get() else { return false };
    seen.line().is_some()
        && (seen.line(), seen.file(), seen.target()) == (line.line(), line.file(), line.target())
        && seen.level() == line.level()
}
