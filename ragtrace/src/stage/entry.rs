//! What a thread hands to the worker, as 64-bit words: a request's name, a start, a note, an end.
//!
//! An entry is a few words and owns nothing, so a queue of them is plain memory. The first word says, from its lowest
//! bit: 8 bits of [`What`], 8 bits of flags, 16 bits that are free, 32 bits of length in words, itself included. The words
//! after it depend on both, in the order in which [`Entry::read`] takes them; fields come last, as [`words`] has them.
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
use crate::record::ErrorInfo;
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
    /// The id of a parent follows.
    pub(super) const PARENT: u64 = 1 << 9;
    /// The end repeats what its start said, because that one was not accepted where this one is.
    pub(super) const WHOLE: u64 = 1 << 10;
    /// The stage is a call, which has no polls.
    pub(super) const CALL: u64 = 1 << 11;
    /// The time inside polls follows; without this and `CALL` it is the whole duration.
    pub(super) const BUSY: u64 = 1 << 12;
    pub(super) const FAILED: u64 = 1 << 13;
    pub(super) const CANCELLED: u64 = 1 << 14;
}

const LENGTH_SHIFT: u32 = 32;

/// The length in words of the entry that begins with `first`.
pub(crate) const fn length(first: u64) -> usize {
    (first >> LENGTH_SHIFT) as usize
}

/// The words of an entry before its fields.
#[derive(Debug)]
pub(crate) struct Head {
    words: [u64; 8],
    used: usize,
}

impl Head {
    #[inline]
    fn new(what: What) -> Self {
        Self { words: [what as u64, 0, 0, 0, 0, 0, 0, 0], used: 1 }
    }

    #[inline]
    fn push(&mut self, word: u64) {
        if let Some(place) = self.words.get_mut(self.used) {
            *place = word;
            self.used += 1;
        }
    }

    #[inline]
    fn flag(&mut self, flag: u64) {
        self.words[0] |= flag;
    }

    /// The words, once it is known how many of fields follow.
    #[inline]
    pub(crate) fn words(&mut self, fields: &[u64]) -> &[u64] {
        self.words[0] |= ((self.used + fields.len()) as u64) << LENGTH_SHIFT;
        self.words.get(..self.used).unwrap_or(&[])
    }

    /// What follows from this thread is of `request`; its texts are in [`request_fields`].
    pub(crate) fn request(request: &Request) -> Self {
        let mut head = Self::new(What::Request);
        head.push(request.version);
        let (high, low) = request.trace_id.halves();
        head.push(high);
        head.push(low);
        head.push(request.anchor.wall.as_micros().cast_unsigned());
        head.push(request.anchor.ticks.0);
        head
    }

    /// A stage began.
    #[inline]
    pub(crate) fn start(run: &Run) -> Self {
        let mut head = Self::new(What::Start);
        head.stage(run.stage);
        head.push(run.span.as_u64());
        head.push(run.started.0);
        head.run(run);
        head
    }

    /// A stage's body recorded fields.
    pub(crate) fn note(span: SpanId) -> Self {
        let mut head = Self::new(What::Note);
        head.push(span.as_u64());
        head
    }

    /// A stage ended. `is_whole` says that its start was not accepted where this is handed over.
    #[inline]
    pub(crate) fn end(run: &Run, end: &Ended, is_whole: bool) -> Self {
        let mut head = Self::new(What::End);
        head.push(run.span.as_u64());
        head.push(end.at.0);
        match end.outcome {
            Outcome::Completed => {}
            Outcome::Failed => head.flag(flag::FAILED),
            Outcome::Cancelled => head.flag(flag::CANCELLED),
        }
        match end.busy {
            None => head.flag(flag::CALL),
            Some(busy) if busy == end.at.0.saturating_sub(run.started.0) => {}
            Some(busy) => {
                head.flag(flag::BUSY);
                head.push(busy);
            }
        }
        if is_whole {
            head.flag(flag::WHOLE);
            head.stage(run.stage);
            head.push(run.started.0);
            head.run(run);
        }
        head
    }

    #[inline]
    fn stage(&mut self, stage: &'static StageDescriptor) {
        self.push(std::ptr::from_ref(stage).expose_provenance() as u64);
    }

    #[inline]
    fn run(&mut self, run: &Run) {
        if run.local_root {
            self.flag(flag::LOCAL_ROOT);
        }
        if let Some(parent) = run.parent {
            self.flag(flag::PARENT);
            self.push(parent.as_u64());
        }
    }
}

/// The texts of a request, as the fields of its entry.
pub(crate) fn request_fields(request: &Request) -> Slots {
    let mut fields = Slots::new();
    let Request { request_id, user_id, tenant_id, request_type, .. } = request;
    let texts = [
        (name::REQUEST_ID, request_id),
        (name::USER_ID, user_id),
        (name::TENANT_ID, tenant_id),
        (name::REQUEST_TYPE, request_type),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            fields.text(name, text);
        }
    }
    fields
}

/// An entry that is read again.
#[derive(Debug)]
pub(crate) enum Entry<'a> {
    Request { version: u64, head: &'a [u64], fields: FieldWords<'a> },
    Start(Run, FieldWords<'a>),
    Note { span: SpanId, fields: FieldWords<'a> },
    End { span: SpanId, ended: Ended, run: Option<Run>, fields: FieldWords<'a> },
}

impl<'a> Entry<'a> {
    /// Reads the entry that `words` are. `None` for what [`Head`] does not write.
    pub(crate) fn read(words: &'a [u64]) -> Option<Self> {
        let (first, rest) = words.split_first()?;
        let mut words = Words(rest);
        let has = |flag: u64| first & flag != 0;
        match first & 0xff {
            what if what == What::Start as u64 => {
                let (stage, span, started) = (words.stage()?, words.span()?, words.ticks()?);
                let run = words.run(*first, stage, span, started)?;
                Some(Self::Start(run, FieldWords(words.0)))
            }
            what if what == What::End as u64 => {
                let (span, at) = (words.span()?, words.ticks()?);
                let outcome = match () {
                    () if has(flag::FAILED) => Outcome::Failed,
                    () if has(flag::CANCELLED) => Outcome::Cancelled,
                    () => Outcome::Completed,
                };
                let busy = match () {
                    () if has(flag::CALL) => None,
                    () if has(flag::BUSY) => Some(words.next()?),
                    () => Some(u64::MAX),
                };
                let run = if has(flag::WHOLE) {
                    let (stage, started) = (words.stage()?, words.ticks()?);
                    Some(words.run(*first, stage, span, started)?)
                } else {
                    None
                };
                Some(Self::End { span, ended: Ended { at, busy, outcome }, run, fields: FieldWords(words.0) })
            }
            what if what == What::Note as u64 => {
                let span = words.span()?;
                Some(Self::Note { span, fields: FieldWords(words.0) })
            }
            what if what == What::Request as u64 => {
                let (version, head) = (words.next()?, words.0.get(..4)?);
                Some(Self::Request { version, head, fields: FieldWords(&words.0[4..]) })
            }
            _ => None,
        }
    }
}

/// The request that an [`Entry::Request`] names.
pub(crate) fn read_request(version: u64, head: &[u64], fields: FieldWords<'_>) -> Option<Request> {
    let [high, low, wall, ticks] = *head else { return None };
    let trace_id = TraceId::from_halves(high, low)?;
    let anchor = Anchor { wall: Timestamp::from_micros(wall.cast_signed()), ticks: Ticks(ticks) };
    let mut request = Request { version, anchor, ..Request::new(trace_id) };
    for (index, value) in fields {
        let Value::Text(text) = value else { continue };
        let text = Some(text.into_owned().into_boxed_str());
        match index {
            name::REQUEST_ID => request.request_id = text,
            name::USER_ID => request.user_id = text,
            name::TENANT_ID => request.tenant_id = text,
            name::REQUEST_TYPE => request.request_type = text,
            _ => {}
        }
    }
    Some(request)
}

/// The words of an entry after its first, taken one by one.
struct Words<'a>(&'a [u64]);

impl Words<'_> {
    fn next(&mut self) -> Option<u64> {
        let (word, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*word)
    }

    fn span(&mut self) -> Option<SpanId> {
        self.next().and_then(SpanId::from_u64)
    }

    fn ticks(&mut self) -> Option<Ticks> {
        self.next().map(Ticks)
    }

    fn stage(&mut self) -> Option<&'static StageDescriptor> {
        let address = usize::try_from(self.next()?).ok()?;
        // SAFETY: `Head` alone writes entries, and where it writes a stage it writes the address of a `&'static`, whose
        // provenance it exposes. `Entry::read` takes it from the same place: which words there are, and in which
        // order, follows from the first one for both. Words reach the reader as they were written (see the queue).
        Some(unsafe { &*std::ptr::with_exposed_provenance::<StageDescriptor>(address) })
    }

    fn run(&mut self, first: u64, stage: &'static StageDescriptor, span: SpanId, started: Ticks) -> Option<Run> {
        let parent = if first & flag::PARENT != 0 { Some(self.span()?) } else { None };
        Some(Run { stage, span, parent, started, local_root: first & flag::LOCAL_ROOT != 0 })
    }
}

/// One run of a stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Run {
    pub(crate) stage: &'static StageDescriptor,
    pub(crate) span: SpanId,
    pub(crate) parent: Option<SpanId>,
    pub(crate) started: Ticks,
    /// No parent in this process; `parent` may name one elsewhere.
    pub(crate) local_root: bool,
}

/// The end of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ended {
    pub(crate) at: Ticks,
    /// Nanoseconds inside polls, at most the whole duration; `None` for a call, which has no polls.
    pub(crate) busy: Option<u64>,
    pub(crate) outcome: Outcome,
}

/// How a stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
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

    fn written(mut head: Head, fields: &Slots) -> Vec<u64> {
        let words = [head.words(fields.words()), fields.words()].concat();
        assert_eq!(length(words[0]), words.len());
        words
    }

    #[test]
    fn a_start_is_read_as_it_was_written() {
        let mut fields = Slots::new();
        fields.set(3, "a text of some length");
        for run in [run(None, true), run(Some(SpanId::new()), true), run(Some(SpanId::new()), false)] {
            let words = written(Head::start(&run), &fields);
            let Some(Entry::Start(read, mut read_fields)) = Entry::read(&words) else { panic!("no start") };
            assert_eq!(read, run);
            assert_eq!(read_fields.next(), Some((3, Value::Text("a text of some length".into()))));
        }
    }

    #[test]
    fn an_end_is_read_as_it_was_written_with_its_start_or_without() {
        let mut fields = Slots::new();
        fields.count(9);
        for (busy, outcome) in [(None, Outcome::Completed), (Some(3), Outcome::Failed), (Some(7), Outcome::Cancelled)] {
            for is_whole in [false, true] {
                let run = run(Some(SpanId::new()), false);
                let end = Ended { at: Ticks(12), busy, outcome };
                let words = written(Head::end(&run, &end, is_whole), &fields);
                let Some(Entry::End { span, ended, run: read, fields: mut read_fields }) = Entry::read(&words) else {
                    panic!("no end")
                };
                // All of the duration is written as nothing.
                let expected = busy.map(|busy| if busy == 7 { u64::MAX } else { busy });
                assert_eq!((span, ended), (run.span, Ended { busy: expected, ..end }));
                assert_eq!(read, is_whole.then_some(run));
                assert_eq!(read_fields.next(), Some((name::COUNT, Value::U64(9))));
            }
        }
    }

    #[test]
    fn a_request_is_read_as_it_was_written() {
        let mut request = Request::new(TraceId::new());
        request.user_id = Some("alice".into());
        request.tenant_id = Some("a tenant of a longer name".into());
        let words = written(Head::request(&request), &request_fields(&request));
        let Some(Entry::Request { version, head, fields }) = Entry::read(&words) else { panic!("no request") };
        let read = read_request(version, head, fields).expect("whole");
        assert!(read == request);
        assert_eq!((read.version, read.anchor.wall), (request.version, request.anchor.wall));
    }

    #[test]
    fn what_is_no_entry_is_not_read() {
        assert!(Entry::read(&[]).is_none());
        assert!(Entry::read(&[0]).is_none());
        assert!(Entry::read(&[What::Start as u64]).is_none());
    }
}
