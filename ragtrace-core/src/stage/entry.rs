//! What a thread hands to the worker, as 64-bit words: a request's name, a start, a note, an end.
//!
//! An entry is a few words and owns nothing, so a queue of them is plain memory. The first word says, from its lowest
//! bit: 8 bits of `What`, 24 bits for flags, 32 bits of length in words, itself included, which is added where all of its words
//! are known (`with_length`). The words of the head after it follow from it; fields come last, as [`words`] has them.
//!
//! A stage is written as the address of its descriptor. That is the need for `unsafe` here: no safe code makes a
//! reference of a number, and a number that was looked up instead would cost every start a search.
//!
//! [`words`]: crate::stage::words

#![expect(unsafe_code, reason = "a stage goes through the queue as the address of its descriptor; see above")]

use std::num::NonZeroU8;

use crate::SpanId;
use crate::TraceId;
use crate::context::Request;
use crate::event::ErrorInfo;
use crate::stage::StageDescriptor;
use crate::stage::slots::Slots;
use crate::stage::words::{FieldWords, name};
use crate::time::{Anchor, Ticks, Timestamp};
use crate::value::Value;

/// Who accepted a start, and so accepts its end: the number of a queue, or a capture of a test.
pub(crate) type AcceptedBy = NonZeroU8;

/// What an entry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum What {
    Request = 1,
    Start,
    Note,
    End,
}

mod flag {
    /// The run has no parent in this process.
    pub(super) const LOCAL_ROOT: u64 = 1 << 8;
    /// The end repeats what its start said, because that one was not accepted where this one is.
    pub(super) const WHOLE: u64 = 1 << 9;
    pub(super) const FAILED: u64 = 1 << 10;
    pub(super) const CANCELLED: u64 = 1 << 11;
}

/// Stands for the time inside polls of a stage that has none.
const NOT_POLLED: u64 = u64::MAX;

const LENGTH_SHIFT: u32 = 32;

/// The length in words of the entry that begins with `first`.
pub(crate) const fn length(first: u64) -> usize {
    (first >> LENGTH_SHIFT) as usize
}

/// The version of the request whose name an entry is, if it is one.
#[inline]
pub(crate) fn names_a_request(words: &[u64]) -> Option<u64> {
    let [first, version, ..] = words else { return None };
    (first & 0xff == What::Request as u64).then_some(*version)
}

/// The first word of an entry that has so many.
#[inline]
pub(crate) const fn with_length(first: u64, words: usize) -> u64 {
    first | (words as u64) << LENGTH_SHIFT
}

/// The head of a start.
#[inline]
pub(crate) fn start(run: &Run) -> [u64; 5] {
    [What::Start as u64 | root_flag(run), address(run.stage), run.span.as_u64(), run.started.0, parent(run)]
}

/// The head of an end whose start was accepted where this is handed over.
#[inline]
pub(crate) fn end(span: SpanId, ended: &Ended) -> [u64; 4] {
    let busy = ended.busy.unwrap_or(NOT_POLLED);
    [What::End as u64 | outcome_flag(ended.outcome), span.as_u64(), ended.at.0, busy]
}

/// The head of an end whose start was not.
#[inline(never)]
pub(crate) fn whole_end(run: &Run, ended: &Ended) -> [u64; 7] {
    let [first, span, at, busy] = end(run.span, ended);
    [first | flag::WHOLE | root_flag(run), span, at, busy, address(run.stage), run.started.0, parent(run)]
}

/// The head of what a stage's body recorded.
pub(crate) fn note(span: SpanId) -> [u64; 2] {
    [What::Note as u64, span.as_u64()]
}

/// The head of a request's name, which says whose the entries after it are. Its texts are in [`request_fields`].
pub(crate) fn request(request: &Request) -> [u64; 6] {
    let (high, low) = request.trace_id.halves();
    let Anchor { wall, ticks } = request.anchor;
    [What::Request as u64, request.version, high, low, wall.as_micros().cast_unsigned(), ticks.0]
}

#[inline]
fn root_flag(run: &Run) -> u64 {
    if run.local_root { flag::LOCAL_ROOT } else { 0 }
}

#[inline]
fn outcome_flag(outcome: Outcome) -> u64 {
    match outcome {
        Outcome::Completed => 0,
        Outcome::Failed => flag::FAILED,
        Outcome::Cancelled => flag::CANCELLED,
    }
}

/// Zero, which is no id, stands for none.
#[inline]
fn parent(run: &Run) -> u64 {
    run.parent.map_or(0, SpanId::as_u64)
}

#[inline]
fn address(stage: &'static StageDescriptor) -> u64 {
    std::ptr::from_ref(stage).expose_provenance() as u64
}

/// The texts of a request, as the fields of its entry.
pub(crate) fn request_fields(request: &Request) -> Slots {
    let mut fields = Slots::begin();
    let Request { request_id, user_id, tenant_id, session_id, request_type, .. } = request;
    let texts = [
        (name::REQUEST_ID, request_id),
        (name::USER_ID, user_id),
        (name::TENANT_ID, tenant_id),
        (name::SESSION_ID, session_id),
        (name::REQUEST_TYPE, request_type),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            fields.text(name, text);
        }
    }
    fields
}

/// Reads the request's name that `words` are.
pub(crate) fn read_request(words: &[u64]) -> Option<Request> {
    let ([first, version, high, low, wall, ticks], fields) = words.split_first_chunk()?;
    if first & 0xff != What::Request as u64 {
        return None;
    }
    let trace_id = TraceId::from_halves(*high, *low)?;
    let anchor = Anchor { wall: Timestamp::from_micros(wall.cast_signed()), ticks: Ticks(*ticks) };
    let mut request = Request { version: *version, anchor, ..Request::new(trace_id) };
    for (index, value) in FieldWords(fields) {
        let Value::Text(text) = value else { continue };
        let text = Some(text.into_owned().into_boxed_str());
        match index {
            name::REQUEST_ID => request.request_id = text,
            name::USER_ID => request.user_id = text,
            name::TENANT_ID => request.tenant_id = text,
            name::SESSION_ID => request.session_id = text,
            name::REQUEST_TYPE => request.request_type = text,
            _ => {}
        }
    }
    Some(request)
}

/// An entry that was handed over. Only what reads a queue or a test's capture has one, so its words are what the functions above
/// wrote.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a>(&'a [u64]);

impl<'a> Entry<'a> {
    /// The entry whose words these are, as it was handed over.
    #[inline]
    pub(crate) const fn of(words: &'a [u64]) -> Self {
        Self(words)
    }

    /// Reads it as a note: whose it is, and its fields.
    pub fn note(self) -> Option<(SpanId, &'a [u64])> {
        let ([first, span], fields) = self.0.split_first_chunk()?;
        (first & 0xff == What::Note as u64).then_some((SpanId::from_u64(*span)?, fields))
    }

    /// Reads it as a start: the run and its fields.
    #[inline]
    pub fn start(self) -> Option<(Run, &'a [u64])> {
        let ([first, stage, span, started, parent], fields) = self.0.split_first_chunk()?;
        if first & 0xff != What::Start as u64 {
            return None;
        }
        Some((run(first & flag::LOCAL_ROOT != 0, [*stage, *span, *started, *parent])?, fields))
    }

    /// Reads it as an end: with the run, if it says what its start would have said, and its fields.
    #[inline]
    pub fn end(self) -> Option<(SpanId, Ended, Option<Run>, &'a [u64])> {
        let ([first, span, at, busy], mut fields) = self.0.split_first_chunk()?;
        let has = |flag: u64| first & flag != 0;
        if first & 0xff != What::End as u64 {
            return None;
        }
        let mut whole = None;
        if has(flag::WHOLE) {
            let ([stage, started, parent], rest) = fields.split_first_chunk()?;
            whole = Some(run(has(flag::LOCAL_ROOT), [*stage, *span, *started, *parent])?);
            fields = rest;
        }
        let outcome = match () {
            () if has(flag::FAILED) => Outcome::Failed,
            () if has(flag::CANCELLED) => Outcome::Cancelled,
            () => Outcome::Completed,
        };
        let ended = Ended { at: Ticks(*at), busy: Some(*busy).filter(|busy| *busy != NOT_POLLED), outcome };
        Some((SpanId::from_u64(*span)?, ended, whole, fields))
    }
}

#[inline]
fn run(local_root: bool, [stage, span, started, parent]: [u64; 4]) -> Option<Run> {
    let address = usize::try_from(stage).ok()?;
    // SAFETY: the functions above alone write entries, and where they write a stage they write the address of a
    // `&'static`, whose provenance they expose. An [`Entry`] is made in this crate alone, of what they wrote, and takes the
    // address from the same place: which words there are, and in which order, follows from the first one for both. Words
    // reach the reader as they were written (see the queue).
    let stage = unsafe { &*std::ptr::with_exposed_provenance::<StageDescriptor>(address) };
    let (span, parent) = (SpanId::from_u64(span)?, SpanId::from_u64(parent));
    Some(Run { stage, span, parent, started: Ticks(started), local_root })
}

/// One run of a stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run {
    pub stage: &'static StageDescriptor,
    pub span: SpanId,
    pub parent: Option<SpanId>,
    pub started: Ticks,
    /// No parent in this process; `parent` may name one elsewhere.
    pub local_root: bool,
}

/// The end of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ended {
    pub at: Ticks,
    /// Nanoseconds inside polls; `None` for a call, which has no polls.
    pub busy: Option<u64>,
    pub outcome: Outcome,
}

/// How a stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Completed,
    Failed,
    Cancelled,
}

/// Why a stage failed.
#[derive(Debug, Default)]
pub struct Failure {
    pub(crate) error: ErrorInfo,
    pub(crate) stack_trace: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    static STAGE: StageDescriptor = StageDescriptor::new("parse", "test");

    fn run(parent: Option<SpanId>, local_root: bool) -> Run {
        Run { stage: &STAGE, span: SpanId::new(), parent, started: Ticks(5), local_root }
    }

    fn written(head: &[u64], fields: &Slots) -> Vec<u64> {
        let mut words = [head, &fields.to_words()].concat();
        words[0] = with_length(words[0], words.len());
        assert_eq!(length(words[0]), words.len());
        words
    }

    #[test]
    fn a_start_is_read_as_it_was_written() {
        let mut fields = Slots::begin();
        fields.set(3, "a text of some length");
        for run in [run(None, true), run(Some(SpanId::new()), true), run(Some(SpanId::new()), false)] {
            let words = written(&start(&run), &fields);
            let (read, fields) = Entry::of(&words).start().expect("a start");
            assert_eq!(read, run);
            assert_eq!(FieldWords(fields).next(), Some((3, Value::Text("a text of some length".into()))));
            assert!(
                Entry::of(&words).end().is_none()
                    && Entry::of(&words).note().is_none()
                    && read_request(&words).is_none()
            );
        }
    }

    #[test]
    fn an_end_is_read_as_it_was_written_with_its_start_or_without() {
        let mut fields = Slots::begin();
        fields.count(9);
        for (busy, outcome) in [(None, Outcome::Completed), (Some(3), Outcome::Failed), (Some(7), Outcome::Cancelled)] {
            let run = run(Some(SpanId::new()), false);
            let expected = Ended { at: Ticks(12), busy, outcome };
            let lean = written(&end(run.span, &expected), &fields);
            let whole = written(&whole_end(&run, &expected), &fields);
            for (words, expected_run) in [(lean, None), (whole, Some(run))] {
                let (span, ended, read, fields) = Entry::of(&words).end().expect("an end");
                assert_eq!((span, ended, read), (run.span, expected, expected_run));
                assert_eq!(FieldWords(fields).next(), Some((name::COUNT, Value::U64(9))));
                assert!(Entry::of(&words).start().is_none());
            }
        }
    }

    #[test]
    fn a_request_is_read_as_it_was_written() {
        let mut written_request = Request::new(TraceId::new());
        let request = &mut written_request;
        request.user_id = Some("alice".into());
        request.tenant_id = Some("a tenant of a longer name".into());
        let fields = request_fields(request);
        let words = written(&super::request(request), &fields);
        assert_eq!(names_a_request(&words), Some(request.version));
        let read = read_request(&words).expect("whole");
        assert!(read == *request);
        assert_eq!((read.version, read.anchor.wall), (request.version, request.anchor.wall));
    }

    #[test]
    fn what_is_no_entry_is_not_read() {
        for words in [&[][..], &[0], &[What::Start as u64], &[What::End as u64, 0, 0, 0], &[What::Note as u64, 0]] {
            assert!(Entry::of(words).start().is_none() && Entry::of(words).end().is_none());
            assert!(Entry::of(words).note().is_none() && read_request(words).is_none());
        }
    }
}
