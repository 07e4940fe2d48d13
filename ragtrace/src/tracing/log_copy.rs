//! Lines of the crate `log` that came as events already.
//!
//! With its feature `log-always`, `tracing` writes each event to `log`, too, before or after the
//! subscriber has it, and so it does with what becomes of spans; and a `LogTracer` brings all of it
//! back. A copy has the place in the source code, the target and the level of the callsite it is
//! of, and callsites are known before they are reached for the first time. What is written of a
//! span that is entered, left or closed has a target of its own.
//!
//! So a line that an application writes to `log` at the place of a callsite, by one macro that does
//! both, is taken for a copy. And a copy is not known for one if a filter in front of all layers
//! leaves out its callsite for good by something else than target and level, such as its name, and
//! is asked before this layer.

use std::ptr;
use std::sync::OnceLock;

use tracing_core::Metadata;

/// The targets of what `tracing` writes of spans.
const OF_SPANS: [&str; 2] = ["tracing::span", "tracing::span::active"];

/// Lists in the table of places. A program has some thousands of callsites.
const LISTS: usize = 1024;

type Link = OnceLock<&'static Place>;

/// The places of callsites, by line. It only grows, as callsites do, and is read without a lock.
static PLACES: [Link; LISTS] = [const { Link::new() }; LISTS];

struct Place {
    metadata: &'static Metadata<'static>,
    next: Link,
}

/// Notes a callsite of an application's.
pub(super) fn note(metadata: &'static Metadata<'static>) {
    // Those of mirrored stages are in no module, and have no copy.
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

/// Returns whether a line of `log` with this description is a copy.
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
