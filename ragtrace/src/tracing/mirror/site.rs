//! A callsite that is made at run time, for the span or one event of a stage.

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

/// A callsite. It is never freed, because its metadata may be kept anywhere.
pub(super) struct Site {
    /// The metadata refers to the callsite itself, so it is set once that has an address.
    metadata: OnceLock<Metadata<'static>>,
    interest: AtomicU8,
}

/// The place of a callsite in the source code, which is that of its stage.
pub(super) struct Place {
    pub(super) target: &'static str,
    pub(super) file: &'static str,
    pub(super) line: u32,
}

impl Site {
    /// Creates a callsite, which is disabled until it is registered.
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
        // A target need not be the path of a module, so no module is given.
        let (file, line) = (Some(place.file), Some(place.line));
        site.metadata
            .get_or_init(|| Metadata::new(name, place.target, to_tracing(level), file, line, None, fields, kind));
        site
    }

    /// Registers the callsite with `tracing`, which asks every subscriber for its interest, now and
    /// whenever there is another one. It is called once for each callsite, without a lock of this
    /// crate.
    pub(super) fn register(&'static self) {
        // Levels that are compiled out for the application's own spans and events are left out here
        // too.
        if *self.description().level() <= STATIC_MAX_LEVEL
            && let Err(panic) = contain(|| callsite::register(self))
        {
            // The panic came from a layer.
            dispose(panic);
        }
    }

    /// Returns the metadata of the callsite.
    #[inline]
    pub(super) fn description(&'static self) -> &'static Metadata<'static> {
        self.metadata.get().unwrap_or(&NOTHING)
    }

    /// Returns `true` if any subscriber may be interested.
    #[inline]
    pub(super) fn is_heard(&'static self) -> bool {
        self.interest.load(Ordering::Relaxed) != NEVER && *self.description().level() <= LevelFilter::current()
    }

    /// Returns `true` if the subscriber of `dispatch` enables the next span or event, which has to
    /// follow at once.
    #[inline]
    pub(super) fn is_enabled(&'static self, dispatch: &Dispatch) -> bool {
        self.is_heard() && (self.interest.load(Ordering::Relaxed) == ALWAYS || dispatch.enabled(self.description()))
    }

    /// Returns the address of the callsite, which identifies it.
    #[inline]
    pub(super) fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }
}

impl Callsite for Site {
    // It is called under locks of `tracing`, so it only stores and counts.
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

/// Returns the address of the callsite of a span or an event, comparable to [`Site::address`].
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

/// Metadata that stands in until the callsite's own is set, which happens before anybody sees it.
static NOTHING: Metadata<'static> =
    Metadata::new("", "", Level::TRACE, None, None, None, FieldSet::new(&[], Identifier(&NOBODY)), Kind::SPAN);
static NOBODY: DefaultCallsite = DefaultCallsite::new(&NOTHING);
