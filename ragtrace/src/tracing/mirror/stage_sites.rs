//! The callsites of a stage: one for its span, and one for each of its events, because a level
//! belongs to a callsite.
//!
//! They are made from the stage's descriptor: for all stages of the catalog when the first
//! subscriber wants stages, and for a stage that is added at run time when it is added. So
//! generated code contains nothing for them.

use std::collections::HashMap;
use std::ptr;
use std::sync::{PoisonError, RwLock};

use ragtrace_core::{Event, FieldSource, Level, StageDescriptor};
use tracing_core::metadata::Kind;

use super::site::{Place, Site};
use crate::hash::FastHash;
use crate::record::message_of;

/// The fields of a started event.
const STARTED: &[&str] = &["message"];
/// The fields of a completed or cancelled event.
pub(super) const ENDED: &[&str] = &["message", "duration_ms"];
/// The fields of a failed event.
pub(super) const FAILED: &[&str] = &["message", "error", "error.type", "duration_ms"];

/// The callsites of a stage.
pub(super) struct StageSites {
    pub(super) span: &'static Site,
    pub(super) started: &'static Site,
    pub(super) completed: &'static Site,
    pub(super) failed: &'static Site,
    pub(super) cancelled: &'static Site,
    pub(super) names: SpanNames,
    pub(super) messages: Messages,
    /// The `otel.kind` of the span, if it is not an internal one.
    pub(super) otel_kind: Option<&'static str>,
}

/// The messages of a stage's events, which are those of its records.
pub(super) struct Messages {
    pub(super) started: &'static str,
    pub(super) completed: &'static str,
    pub(super) failed: &'static str,
    pub(super) cancelled: &'static str,
}

/// The names of a span's fields: all that it may ever have, because a subscriber gets no others.
pub(super) struct SpanNames {
    /// The position of each field that the stage declares.
    declared: Box<[usize]>,
    pub(super) trace_id: usize,
    pub(super) count: usize,
    pub(super) first_item_ms: usize,
    pub(super) error_type: usize,
    pub(super) otel_kind: usize,
    pub(super) otel_status_code: usize,
    pub(super) otel_status_description: usize,
}

/// The callsites by the address of their stage.
static SITES: RwLock<HashMap<usize, &'static StageSites, FastHash>> =
    RwLock::new(HashMap::with_hasher(FastHash::new()));

/// Returns the callsites of `stage`, which are made at the first call.
pub(super) fn of(stage: &'static StageDescriptor) -> &'static StageSites {
    let key = ptr::from_ref(stage).addr();
    let known = SITES.read().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
    known.unwrap_or_else(|| make(key, stage))
}

#[cold]
fn make(key: usize, stage: &'static StageDescriptor) -> &'static StageSites {
    let mut sites = SITES.write().unwrap_or_else(PoisonError::into_inner);
    // Another thread may have made them in the meantime.
    if let Some(known) = sites.get(&key) {
        return known;
    }
    let made: &'static StageSites = Box::leak(Box::new(StageSites::new(stage)));
    sites.insert(key, made);
    // Subscribers are asked after the lock is released.
    drop(sites);
    for site in made.all() {
        site.register();
    }
    made
}

impl StageSites {
    fn new(stage: &'static StageDescriptor) -> Self {
        let place = Place { target: stage.target(), file: stage.file(), line: stage.line() };
        let (names, all_names) = SpanNames::new(stage);
        let span = Site::new(stage.name(), stage.level(), &place, all_names, Kind::SPAN);
        let message = |event| -> &'static str { message_of(stage, event).concat().leak() };
        let messages = Messages {
            started: message(Event::Started),
            completed: message(Event::Completed),
            failed: message(Event::Failed),
            cancelled: message(Event::Cancelled),
        };
        let event = |name, level, fields| Site::new(name, level, &place, fields, Kind::EVENT);
        Self {
            span,
            started: event(messages.started, stage.level(), STARTED),
            completed: event(messages.completed, stage.level(), ENDED),
            failed: event(messages.failed, Level::Error, FAILED),
            cancelled: event(messages.cancelled, Level::Warn, ENDED),
            names,
            messages,
            otel_kind: stage.has_http_messages().then_some("server"),
        }
    }

    fn all(&self) -> [&'static Site; 5] {
        [self.span, self.started, self.completed, self.failed, self.cancelled]
    }

    /// Returns `true` if any subscriber may be interested in any of the callsites.
    #[inline]
    pub(super) fn are_heard(&'static self) -> bool {
        self.all().into_iter().any(Site::is_heard)
    }
}

impl SpanNames {
    /// Creates the names of the spans of `stage`: the position of each, and all in order.
    fn new(stage: &StageDescriptor) -> (Self, &'static [&'static str]) {
        let mut all = Vec::new();
        // A name that the stage declares twice, or that is also built in, has one position.
        let mut place = |name: &'static str| {
            all.iter().position(|known| *known == name).unwrap_or_else(|| {
                all.push(name);
                all.len() - 1
            })
        };
        let is_shown = |source| !matches!(source, FieldSource::Used | FieldSource::Generated);
        let names = Self {
            declared: stage
                .fields()
                .iter()
                .map(|field| if is_shown(field.source()) { place(field.name()) } else { usize::MAX })
                .collect(),
            trace_id: place("trace_id"),
            count: place("count"),
            first_item_ms: place("first_item_ms"),
            error_type: place("error.type"),
            otel_kind: place("otel.kind"),
            otel_status_code: place("otel.status_code"),
            otel_status_description: place("otel.status_description"),
        };
        (names, Box::leak(all.into_boxed_slice()))
    }

    /// Returns the position of the field that the stage declares at `index`, or `None` for items,
    /// which are not shown.
    #[inline]
    pub(super) fn declared(&self, index: u16) -> Option<usize> {
        self.declared.get(usize::from(index)).copied().filter(|place| *place != usize::MAX)
    }
}
