//! Ready-made pieces of canonical JSON.
//!
//! Most of what a stage's record says is what other records of its stage, its request or its process say too. Each thread
//! that writes records keeps these pieces, each with the comma before it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use ragtrace_core::context::Request;
use ragtrace_core::json::{self, Object};
use ragtrace_core::{Event, Level, StageDescriptor, Timestamp};

use super::Origin;
use super::encode::{write_origin, write_request, write_source, write_subject};
use crate::hash::Quick;

thread_local! {
    static PIECES: RefCell<Pieces> = RefCell::new(Pieces::default());
}

#[derive(Default)]
struct Pieces {
    /// By the address of the stage's descriptor, the event and the level.
    stages: HashMap<u64, StagePieces, Quick>,
    // The last of each: records come a request after the other. Who is kept here keeps its address.
    request: Option<(Arc<Request>, RequestPieces)>,
    origin: Option<(Arc<Origin>, Vec<u8>)>,
    thread: Option<(Arc<str>, Vec<u8>)>,
    /// The text of the last second.
    second: Option<(i64, [u8; 27])>,
}

/// What the records of a stage and event have in common.
pub(super) struct StagePieces {
    /// From `level` to `kind`.
    pub(super) head: Vec<u8>,
    /// `source`.
    pub(super) source: Vec<u8>,
    /// The names of its fields, up to the colon.
    pub(super) names: Vec<Vec<u8>>,
}

/// What the records of a request have in common.
pub(super) struct RequestPieces {
    /// `trace_id`.
    pub(super) trace: Vec<u8>,
    /// From `request_id` to `request_type`.
    pub(super) ids: Vec<u8>,
}

/// The pieces of one record.
pub(super) struct Common<'a> {
    pub(super) stage: &'a StagePieces,
    pub(super) request: Option<&'a RequestPieces>,
    /// From `service` to `instance`.
    pub(super) origin: &'a [u8],
    pub(super) thread: &'a [u8],
    /// The RFC 3339 form.
    pub(super) timestamp: [u8; 27],
}

/// What the pieces of a record are of.
#[derive(Clone, Copy)]
pub(super) struct Of<'a> {
    pub(super) stage: &'static StageDescriptor,
    pub(super) event: Event,
    pub(super) level: Level,
    pub(super) timestamp: Timestamp,
    pub(super) request: Option<&'a Arc<Request>>,
    pub(super) origin: &'a Arc<Origin>,
    pub(super) thread: Option<&'a Arc<str>>,
}

/// Lets `write` have the pieces. Says whether it had: a thread at its end has none.
pub(super) fn with(of: Of<'_>, write: impl FnOnce(Common<'_>)) -> bool {
    PIECES
        .try_with(|pieces| {
            let Ok(mut pieces) = pieces.try_borrow_mut() else { return false };
            write(pieces.of(of));
            true
        })
        .unwrap_or(false)
}

impl Pieces {
    fn of(&mut self, of: Of<'_>) -> Common<'_> {
        let Of { stage, event, level, timestamp, request, origin, thread } = of;
        let Self { stages, request: of_request, origin: of_origin, thread: of_thread, second } = self;
        let key = (std::ptr::from_ref(stage).addr() as u64) << 8 | (event as u64) << 4 | level as u64;
        Common {
            stage: stages.entry(key).or_insert_with(|| StagePieces::new(stage, event, level)),
            request: request.map(|request| last(of_request, request, RequestPieces::new)),
            origin: &last(of_origin, origin, |origin| piece(|object| write_origin(object, origin)))[..],
            thread: match thread {
                Some(thread) => &last(of_thread, thread, |thread| piece(|object| object.text("thread", thread)))[..],
                None => &[],
            },
            timestamp: rfc3339(second, timestamp),
        }
    }
}

/// Its first second, counted from 1970.
const YEAR_10000: i64 = 253_402_300_800;

/// The RFC 3339 form of a time, most of which is that of the time before.
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
            // A time beyond the year 9999 is printed as the last one of it.
            *last = (0..YEAR_10000).contains(&second).then_some((second, text));
            text
        }
    }
}

/// What was made of `one`, made anew if the last was another.
fn last<'a, T: ?Sized, P>(known: &'a mut Option<(Arc<T>, P)>, one: &Arc<T>, make: impl FnOnce(&T) -> P) -> &'a P {
    let is_known = known.as_ref().is_some_and(|(last, _)| Arc::ptr_eq(last, one));
    if !is_known {
        *known = None;
    }
    &known.get_or_insert_with(|| (Arc::clone(one), make(one))).1
}

impl StagePieces {
    fn new(stage: &'static StageDescriptor, event: Event, level: Level) -> Self {
        Self {
            head: piece(|object| write_subject(object, stage, event, level)),
            source: piece(|object| write_source(object, stage.file(), stage.line())),
            names: stage.fields().iter().map(|field| json::key_of(field.name())).collect(),
        }
    }
}

impl RequestPieces {
    fn new(request: &Request) -> Self {
        Self {
            trace: piece(|object| object.uuid("trace_id", request.trace_id.as_uuid())),
            ids: piece(|object| write_request(object, request)),
        }
    }
}

fn piece(write: impl FnOnce(&mut Object<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut Object::continued(&mut out));
    out
}
