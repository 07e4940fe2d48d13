//! A callsite that is made at run time: one span, or one event, of one stage.

use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use ::tracing::level_filters::STATIC_MAX_LEVEL;
use ragtrace_core::guard::{contain, dispose};
use tracing_core::callsite::{self, Callsite, DefaultCallsite, Identifier};
use tracing_core::field::FieldSet;
use tracing_core::metadata::{Kind, LevelFilter};
use tracing_core::subscriber::Interest;
use tracing_core::{Dispatch, Level, Metadata};

use super::listeners;

const NEVER: u8 = 0;
const SOMETIMES: u8 = 1;
const ALWAYS: u8 = 2;

/// A callsite. It is never freed: whoever has seen it may keep a reference.
pub(super) struct Site {
    /// It refers to the site itself, so it is set when that has an address.
    metadata: OnceLock<Metadata<'static>>,
    interest: AtomicU8,
}

/// The place of a callsite, which is its stage's.
pub(super) struct Place {
    pub(super) target: &'static str,
    pub(super) file: &'static str,
    pub(super) line: u32,
}

impl Site {
    /// Makes a callsite, which nobody hears until it is registered.
    pub(super) fn new(
        name: &'static str,
        level: ragtrace_core::Level,
        place: &Place,
        fields: &'static [&'static str],
        kind: Kind,
    ) -> &'static Self {
        let site: &'static Self =
            Box::leak(Box::new(Self { metadata: OnceLock::new(), interest: AtomicU8::new(NEVER) }));
        let fields = FieldSet::new(fields, Identifier(site));
        // A target is no module's path for certain, so none is given.
        let (file, line) = (Some(place.file), Some(place.line));
        site.metadata
            .get_or_init(|| Metadata::new(name, place.target, to_tracing(level), file, line, None, fields, kind));
        site
    }

    /// Has `tracing` ask every subscriber, now and whenever there is another one, whether it
    /// listens. Called once a site, and under no lock of ours.
    pub(super) fn register(&'static self) {
        // What is compiled out for the application's own spans and events is not there for these,
        // either.
        if *self.description().level() <= STATIC_MAX_LEVEL
            && let Err(panic) = contain(|| callsite::register(self))
        {
            // A layer's.
            dispose(panic);
        }
    }

    /// Returns what the site says of itself.
    #[inline]
    pub(super) fn description(&'static self) -> &'static Metadata<'static> {
        self.metadata.get().unwrap_or(&NOTHING)
    }

    /// Returns whether any subscriber may listen.
    #[inline]
    pub(super) fn is_heard(&'static self) -> bool {
        self.interest.load(Ordering::Relaxed) != NEVER && *self.description().level() <= LevelFilter::current()
    }

    /// Returns whether the subscriber of `dispatch` listens to what comes next, and does at once.
    #[inline]
    pub(super) fn is_enabled(&'static self, dispatch: &Dispatch) -> bool {
        self.is_heard() && (self.interest.load(Ordering::Relaxed) == ALWAYS || dispatch.enabled(self.description()))
    }

    /// Returns the site's address, which tells it from all others.
    #[inline]
    pub(super) fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }
}

impl Callsite for Site {
    // Called under locks of `tracing`'s, so it stores and counts, and does nothing else.
    fn set_interest(&self, interest: Interest) {
        let interest = match () {
            () if interest.is_never() => NEVER,
            () if interest.is_always() => ALWAYS,
            () => SOMETIMES,
        };
        match (self.interest.swap(interest, Ordering::Relaxed), interest) {
            (NEVER, SOMETIMES | ALWAYS) => listeners::add_site(),
            (SOMETIMES | ALWAYS, NEVER) => listeners::remove_site(),
            _ => {}
        }
    }

    fn metadata(&self) -> &Metadata<'_> {
        self.metadata.get().unwrap_or(&NOTHING)
    }
}

/// Returns the address of the site of a span or an event, as [`Site::address`] does for ours.
#[inline]
pub(super) fn address_of(metadata: &Metadata<'_>) -> usize {
    ptr::from_ref(metadata.callsite().0).cast::<()>().addr()
}

fn to_tracing(level: ragtrace_core::Level) -> Level {
    match level {
        ragtrace_core::Level::Trace => Level::TRACE,
        ragtrace_core::Level::Debug => Level::DEBUG,
        ragtrace_core::Level::Info => Level::INFO,
        ragtrace_core::Level::Warn => Level::WARN,
        ragtrace_core::Level::Error => Level::ERROR,
    }
}

/// Stands for what a site is until that is set, which is before anybody sees it.
static NOTHING: Metadata<'static> =
    Metadata::new("", "", Level::TRACE, None, None, None, FieldSet::new(&[], Identifier(&NOBODY)), Kind::SPAN);
static NOBODY: DefaultCallsite = DefaultCallsite::new(&NOTHING);
