//! The entry that is cached for a callsite: its descriptor and its verdict. It is made when the
//! callsite's first event or span occurs, and never freed, because callsites are not freed either.
//!
//! The entries are in a table of lists, which only grow. So a known callsite is found without a
//! lock, and two threads that meet a new one at the same time make only one entry.

use std::ptr;
use std::sync::OnceLock;

use ragtrace_core::{FieldDescriptor, Level, LogDescriptor};
use tracing_core::Metadata;

use super::demand::Verdict;

/// The number of lists in the table. A program has some thousands of callsites, and reaches a part
/// of them.
const LISTS: usize = 1024;

/// The link to the next callsite of a list, once there is one.
type Link = OnceLock<&'static CallSite>;

static TABLE: [Link; LISTS] = [const { Link::new() }; LISTS];

/// The callsite of an event or a span.
#[derive(Debug)]
pub(super) struct CallSite {
    metadata: &'static Metadata<'static>,
    pub(super) descriptor: LogDescriptor,
    /// Set if its events come through the crate `log`, with their own target and place among their
    /// fields.
    pub(super) is_of_log: bool,
    verdict: Verdict,
    next: Link,
}

impl CallSite {
    /// Returns the entry of the callsite with this metadata.
    #[inline]
    pub(super) fn of(metadata: &'static Metadata<'static>) -> &'static Self {
        let mut link = list_of(metadata);
        while let Some(site) = link.get() {
            if ptr::eq(site.metadata, metadata) {
                return site;
            }
            link = &site.next;
        }
        Self::add(link, metadata)
    }

    #[cold]
    #[inline(never)]
    fn add(end: &'static Link, metadata: &'static Metadata<'static>) -> &'static Self {
        let mut link = end;
        loop {
            let site = *link.get_or_init(|| Box::leak(Box::new(Self::new(metadata))));
            // Another thread may have added an entry at the same place.
            if ptr::eq(site.metadata, metadata) {
                return site;
            }
            link = &site.next;
        }
    }

    fn new(metadata: &'static Metadata<'static>) -> Self {
        let fields: Vec<_> =
            metadata.fields().iter().map(|field| FieldDescriptor::start(plain(field.name()))).collect();
        let (file, line) = (metadata.file().unwrap_or_default(), metadata.line().unwrap_or(0));
        let descriptor = LogDescriptor::at(metadata.name(), metadata.target(), file, line)
            .with_level(level_of(*metadata.level()))
            .with_fields(Vec::leak(fields));
        Self {
            metadata,
            descriptor,
            is_of_log: metadata.target() == "log" && metadata.fields().field("log.target").is_some(),
            verdict: Verdict::default(),
            next: Link::new(),
        }
    }

    /// Returns `true` if some sink takes events with its level and target.
    #[inline]
    pub(super) fn is_taken(&self) -> bool {
        self.verdict.takes(self.descriptor.level(), self.descriptor.target())
    }
}

/// Returns the list that a callsite is in. The addresses of metadata are at least a hundred bytes
/// apart.
#[inline]
fn list_of(metadata: &'static Metadata<'static>) -> &'static Link {
    // The multiplier of a Fibonacci hash: 2^64 divided by the golden ratio (Knuth, The Art of
    // Computer Programming, volume 3, section 6.4).
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let address = ptr::from_ref(metadata).addr() as u64;
    let hash = (address >> 3).wrapping_mul(GOLDEN) >> (u64::BITS - LISTS.trailing_zeros());
    &TABLE[usize::try_from(hash).unwrap_or(0) % LISTS]
}

/// Returns a field's name without the prefix of a raw identifier, as in `r#type`.
fn plain(name: &'static str) -> &'static str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// Converts a level of `tracing`.
pub(super) fn level_of(level: tracing_core::Level) -> Level {
    match level {
        tracing_core::Level::TRACE => Level::Trace,
        tracing_core::Level::DEBUG => Level::Debug,
        tracing_core::Level::INFO => Level::Info,
        tracing_core::Level::WARN => Level::Warn,
        tracing_core::Level::ERROR => Level::Error,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use tracing_core::field::FieldSet;
    use tracing_core::metadata::Kind;
    use tracing_core::{Callsite, Interest, identify_callsite};

    use super::*;

    struct Anything;

    static ANYTHING: Anything = Anything;

    impl Callsite for Anything {
        fn set_interest(&self, _: Interest) {}

        fn metadata(&self) -> &Metadata<'_> {
            describe("anything")
        }
    }

    fn describe(name: &'static str) -> &'static Metadata<'static> {
        let fields = FieldSet::new(&["message", "rows"], identify_callsite!(&ANYTHING));
        let place = (Some("src/a.rs"), Some(7));
        Box::leak(Box::new(Metadata::new(
            name,
            "a::target",
            tracing_core::Level::WARN,
            place.0,
            place.1,
            None,
            fields,
            Kind::EVENT,
        )))
    }

    #[test]
    fn a_callsite_is_kept_once_however_many_threads_meet_it_first() {
        let described: Vec<_> = (0..5_000).map(|_| describe("an event")).collect();
        let barrier = Barrier::new(4);
        let found: Vec<Vec<usize>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        described.iter().map(|metadata| ptr::from_ref(CallSite::of(metadata)).addr()).collect()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("it does not panic")).collect()
        });
        assert!(found.iter().all(|of_thread| *of_thread == found[0]));
        let site = CallSite::of(described[0]);
        let fields: Vec<_> = site.descriptor.fields().iter().map(FieldDescriptor::name).collect();
        assert_eq!(
            (site.descriptor.level(), site.descriptor.target(), fields),
            (Level::Warn, "a::target", vec!["message", "rows"])
        );
        assert_eq!((site.descriptor.file(), site.descriptor.line(), site.is_of_log), ("src/a.rs", 7, false));
    }
}
