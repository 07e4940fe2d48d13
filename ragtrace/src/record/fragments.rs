//! Cached fragments of canonical JSON.
//!
//! Most of a stage's record is the same as in other records of its stage, its request or its
//! process. Each thread that writes records caches these parts as fragments, each with the comma
//! before it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use ragtrace_core::context::Request;
use ragtrace_core::json::{self, Object};
use ragtrace_core::{Event, Level, StageDescriptor, Timestamp};

use super::origin::Origin;
use super::sections::{write_origin, write_request, write_source, write_subject};
use crate::hash::FastHash;

thread_local! {
    static CACHE: RefCell<FragmentCache> = RefCell::new(FragmentCache::default());
}

#[derive(Default)]
struct FragmentCache {
    /// Fragments by the address of the stage's descriptor, the event and the level.
    stages: HashMap<u64, StageFragments, FastHash>,
    // Only the last of each is kept, because records of one request usually come one after the
    // other. The `Arc` keeps the address from being reused.
    request: Option<(Arc<Request>, RequestFragments)>,
    origin: Option<(Arc<Origin>, Vec<u8>)>,
    thread: Option<(Arc<str>, Vec<u8>)>,
    /// The text of the second that was written last.
    second: Option<(i64, [u8; 27])>,
}

/// The fragments that the records of a stage and event have in common.
pub(super) struct StageFragments {
    /// The members from `level` to `kind`.
    pub(super) head: Vec<u8>,
    /// The member `source`.
    pub(super) source: Vec<u8>,
    /// The names of the fields, each up to its colon.
    pub(super) names: Vec<Vec<u8>>,
}

/// The fragments that the records of a request have in common.
pub(super) struct RequestFragments {
    /// The member `trace_id`.
    pub(super) trace: Vec<u8>,
    /// The members from `request_id` to `request_type`.
    pub(super) ids: Vec<u8>,
}

/// The fragments of one record.
pub(super) struct RecordFragments<'a> {
    pub(super) stage: &'a StageFragments,
    pub(super) request: Option<&'a RequestFragments>,
    /// The members from `service` to `instance`.
    pub(super) origin: &'a [u8],
    pub(super) thread: &'a [u8],
    /// The timestamp in RFC 3339 form.
    pub(super) timestamp: [u8; 27],
}

/// The parts of a record that its fragments are made of.
#[derive(Clone, Copy)]
pub(super) struct FragmentKey<'a> {
    pub(super) stage: &'static StageDescriptor,
    pub(super) event: Event,
    pub(super) level: Level,
    pub(super) timestamp: Timestamp,
    pub(super) request: Option<&'a Arc<Request>>,
    pub(super) origin: &'a Arc<Origin>,
    pub(super) thread: Option<&'a Arc<str>>,
}

/// Calls `write` with the fragments of a record and returns `true`, or returns `false` in a thread
/// that is ending, whose cache is gone.
pub(super) fn with_fragments(key: FragmentKey<'_>, write: impl FnOnce(RecordFragments<'_>)) -> bool {
    CACHE
        .try_with(|cache| {
            let Ok(mut cache) = cache.try_borrow_mut() else { return false };
            write(cache.fragments(key));
            true
        })
        .unwrap_or(false)
}

impl FragmentCache {
    fn fragments(&mut self, key: FragmentKey<'_>) -> RecordFragments<'_> {
        let FragmentKey { stage, event, level, timestamp, request, origin, thread } = key;
        let stage_key = (std::ptr::from_ref(stage).addr() as u64) << 8 | (event as u64) << 4 | level as u64;
        let of_thread = |thread: &str| fragment(|object| object.text("thread", thread));
        RecordFragments {
            stage: self.stages.entry(stage_key).or_insert_with(|| StageFragments::new(stage, event, level)),
            request: request.map(|request| cached(&mut self.request, request, RequestFragments::new)),
            origin: &cached(&mut self.origin, origin, |origin| fragment(|object| write_origin(object, origin)))[..],
            thread: match thread {
                Some(thread) => &cached(&mut self.thread, thread, of_thread)[..],
                None => &[],
            },
            timestamp: rfc3339(&mut self.second, timestamp),
        }
    }
}

/// The first second of the year 10,000, counted from 1970.
const YEAR_10000: i64 = 253_402_300_800;

/// Returns the RFC 3339 form of a time, reusing the text of the same second.
fn rfc3339(last: &mut Option<(i64, [u8; 27])>, time: Timestamp) -> [u8; 27] {
    let (second, micros) = (time.as_micros().div_euclid(1_000_000), time.as_micros().rem_euclid(1_000_000));
    match last {
        Some((last, text)) if *last == second => {
            let (mut text, mut rest) = (*text, micros);
            for digit in text[20..26].iter_mut().rev() {
                *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
                rest /= 10;
            }
            text
        }
        last => {
            let text = time.rfc3339();
            // A time beyond the year 9999 is printed as the last one of that year.
            *last = (0..YEAR_10000).contains(&second).then_some((second, text));
            text
        }
    }
}

/// Returns the value cached for `one`, which is made again if the last one was for another.
fn cached<'a, T: ?Sized, P>(last: &'a mut Option<(Arc<T>, P)>, one: &Arc<T>, make: impl FnOnce(&T) -> P) -> &'a P {
    let is_cached = last.as_ref().is_some_and(|(last, _)| Arc::ptr_eq(last, one));
    if !is_cached {
        *last = None;
    }
    &last.get_or_insert_with(|| (Arc::clone(one), make(one))).1
}

impl StageFragments {
    fn new(stage: &'static StageDescriptor, event: Event, level: Level) -> Self {
        Self {
            head: fragment(|object| write_subject(object, stage, event, level)),
            source: fragment(|object| write_source(object, stage.file(), stage.line())),
            names: stage.fields().iter().map(|field| json::key_of(field.name())).collect(),
        }
    }
}

impl RequestFragments {
    fn new(request: &Request) -> Self {
        Self {
            trace: fragment(|object| object.uuid("trace_id", request.trace_id.as_uuid())),
            ids: fragment(|object| write_request(object, request)),
        }
    }
}

fn fragment(write: impl FnOnce(&mut Object<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut Object::continued(&mut out));
    out
}
