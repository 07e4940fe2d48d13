//! Lines of the crate `log` that are copies of events.
//!
//! With its feature `log-always`, `tracing` also writes each event to `log`, before or after the
//! subscriber gets it, and so it does with the life of spans. A `LogTracer` brings all these lines
//! back as events. A copy has the place in the source code, the target and the level of its
//! callsite, and callsites are known before they are reached for the first time. Lines about a span
//! that is entered, left or closed have targets of their own.
//!
//! So a line that an application writes to `log` at the place of a callsite, by one macro that does
//! both, is mistaken for a copy. And a copy is not recognized if a filter in front of all layers,
//! which is asked before this layer, permanently leaves out its callsite by something other than
//! target and level, such as its name.

use std::ptr;
use std::sync::OnceLock;

use tracing_core::Metadata;

/// The targets of the lines that `tracing` writes about spans.
const OF_SPANS: [&str; 2] = ["tracing::span", "tracing::span::active"];

/// The number of lists in the table of places. A program has some thousands of callsites.
const LISTS: usize = 1024;

type Link = OnceLock<&'static Place>;

/// The places of callsites, by line. The table only grows, as callsites do, and is read without a
/// lock.
static PLACES: [Link; LISTS] = [const { Link::new() }; LISTS];

struct Place {
    metadata: &'static Metadata<'static>,
    next: Link,
}

/// Adds a callsite of the application.
pub(super) fn note(metadata: &'static Metadata<'static>) {
    // The callsites of mirrored stages have no module, and no copies.
    let Some(line) = metadata.line().filter(|_| metadata.module_path().is_some()) else { return };
    let mut link = list_of(line);
    loop {
        let place = link.get_or_init(|| Box::leak(Box::new(Place { metadata, next: Link::new() })));
        if ptr::eq(place.metadata, metadata) {
            return;
        }
        link = &place.next;
    }
}

/// Returns `true` if a line of `log` with this metadata is a copy.
pub(super) fn is_copy(line: &Metadata<'_>) -> bool {
    if OF_SPANS.contains(&line.target()) {
        return true;
    }
    let Some(number) = line.line() else { return false };
    let mut link = list_of(number);
    while let Some(Place { metadata, next }) = link.get() {
        if metadata.line() == Some(number)
            && metadata.level() == line.level()
            && (metadata.file(), metadata.target()) == (line.file(), line.target())
        {
            return true;
        }
        link = next;
    }
    false
}

fn list_of(line: u32) -> &'static Link {
    &PLACES[usize::try_from(line).unwrap_or(0) % LISTS]
}
