//! Entries: the messages that a thread sends to the worker, encoded as 64-bit words. An entry is
//! the identity of a request, the start of a run, a note, the end of a run, a log line, or a score.
//!
//! An entry is a few words long and owns nothing, so a queue of entries is plain memory. Its first
//! word contains, from the lowest bit, 8 bits of `EntryKind`, 24 bits of flags, and 32 bits of the
//! entry's length in words, including the first one. The length is added by `with_length` once all
//! words are known. The kind and the flags determine which words of the head follow. Fields come
//! last, in the form described in [`encoding`].
//!
//! Stages and log lines are written as the addresses of their descriptors. This needs `unsafe`,
//! because safe code cannot turn a number into a reference, and looking a number up would make
//! every start more expensive.
//!
//! [`encoding`]: crate::value::encoding

#![expect(unsafe_code, reason = "a descriptor goes through the queue as its address; see above")]

use std::num::NonZeroU8;

use crate::catalog::{FieldDescriptor, LogDescriptor, StageDescriptor};
use crate::context::{Request, RequestId, SpanLink};
use crate::id::{SpanId, TraceId};
use crate::time::{Anchor, Ticks, Timestamp};
use crate::value::encoding::{self, EncodedFields, EncodedValue, Tag, field_id};
use crate::value::{FieldBuffer, Value};

/// Identifies the recipient that accepted a start, and that therefore accepts its end: a queue, by
/// its number, or the listener of a request.
pub(crate) type RecipientId = NonZeroU8;

/// The kinds of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum EntryKind {
    Request = 1,
    Start,
    Note,
    End,
    Log,
    Score,
}

mod flag {
    /// The run has no parent in this process.
    pub(super) const LOCAL_ROOT: u64 = 1 << 8;
    /// The end repeats the contents of its start, because this recipient did not accept the start.
    pub(super) const REPEATS_START: u64 = 1 << 9;
    pub(super) const FAILED: u64 = 1 << 10;
    pub(super) const CANCELLED: u64 = 1 << 11;
    /// The request's trace id was received without a parent span.
    pub(super) const GIVEN_TRACE_ID: u64 = 1 << 12;
    /// The request is the placeholder for log lines outside of any request.
    pub(super) const NOBODY: u64 = 1 << 13;
    /// The request's id is a generated one, whose bits are the last two words of the head.
    pub(super) const FRESH_REQUEST_ID: u64 = 1 << 14;
}

/// The ids of a score's fields.
pub mod score_field {
    pub const NAME: u16 = 0;
    pub const VALUE: u16 = 1;
    pub const BY: u16 = 2;
    pub const COMMENT: u16 = 3;
}

/// The busy time of a run that has no polls.
const NO_BUSY_TIME: u64 = u64::MAX;

const LENGTH_SHIFT: u32 = 32;

/// Returns the length in words of the entry whose first word is `first`.
pub(crate) const fn length(first: u64) -> usize {
    (first >> LENGTH_SHIFT) as usize
}

/// Returns the request's version if the entry is the identity of a request.
#[inline]
pub(crate) fn request_version(words: &[u64]) -> Option<u64> {
    let [first, version, ..] = words else { return None };
    (first & 0xff == EntryKind::Request as u64).then_some(*version)
}

/// Adds the entry's length in words to its first word.
#[inline]
pub(crate) const fn with_length(first: u64, words: usize) -> u64 {
    first | (words as u64) << LENGTH_SHIFT
}

/// Returns the id of the field that counts items left out of an entry for lack of room, given its
/// first word.
pub(crate) const fn dropped_items(first: u64) -> u16 {
    if first & 0xff == EntryKind::Start as u64 { field_id::USED_DROPPED } else { field_id::GENERATED_DROPPED }
}

/// Encodes the head of a start.
#[inline]
pub(crate) fn start(run: &Run) -> [u64; 5] {
    [EntryKind::Start as u64 | root_flag(run), address(run.stage), run.span.as_u64(), run.started.0, parent(run)]
}

/// Encodes the head of an end whose start was accepted by the same recipient.
#[inline]
pub(crate) fn end(span: SpanId, ended: &RunEnd) -> [u64; 4] {
    let busy = ended.busy.unwrap_or(NO_BUSY_TIME);
    [EntryKind::End as u64 | outcome_flag(ended.outcome), span.as_u64(), ended.at.0, busy]
}

/// Encodes the head of an end whose start was not accepted by the same recipient. It repeats the
/// contents of the start.
#[inline(never)]
pub(crate) fn end_with_start(run: &Run, ended: &RunEnd) -> [u64; 7] {
    let [first, span, at, busy] = end(run.span, ended);
    [first | flag::REPEATS_START | root_flag(run), span, at, busy, address(run.stage), run.started.0, parent(run)]
}

/// Encodes the head of a note, which carries fields recorded by a stage's body.
pub(crate) fn note(span: SpanId) -> [u64; 2] {
    [EntryKind::Note as u64, span.as_u64()]
}

/// Encodes the head of a request's identity. Entries after it belong to this request. Its texts are
/// encoded by [`encode_request_fields`].
#[inline]
pub(crate) fn request(request: &Request) -> [u64; 8] {
    let (high, low) = request.trace_id.halves();
    let (wall, ticks) = (request.anchor.wall.as_micros().cast_unsigned(), request.anchor.ticks.0);
    let fresh_id = request.request_id.as_ref().and_then(RequestId::bits);
    let flag_if = |is_so: bool, flag: u64| if is_so { flag } else { 0 };
    let first = EntryKind::Request as u64
        | flag_if(request.has_given_trace_id, flag::GIVEN_TRACE_ID)
        | flag_if(request.is_nobody, flag::NOBODY)
        | flag_if(fresh_id.is_some(), flag::FRESH_REQUEST_ID);
    let [id_high, id_low] = fresh_id.unwrap_or_default();
    [first, request.version, high, low, wall, ticks, id_high, id_low]
}

/// Encodes the head of a log line.
pub(crate) fn log(line: &LogLine) -> [u64; 4] {
    let span = line.span.map_or(0, SpanId::as_u64);
    [EntryKind::Log as u64, address(line.descriptor), span, line.at.0]
}

/// Encodes the head of a score.
pub(crate) fn score(score: &ScoreEntry) -> [u64; 3] {
    [EntryKind::Score as u64, score.span.map_or(0, SpanId::as_u64), score.at.0]
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

/// Encodes the parent's id, or zero, which is not a valid id, if there is none.
#[inline]
fn parent(run: &Run) -> u64 {
    run.parent.map_or(0, SpanId::as_u64)
}

#[inline]
fn address<T>(descriptor: &'static T) -> u64 {
    std::ptr::from_ref(descriptor).expose_provenance() as u64
}

/// Encodes the texts of a request as the fields of its identity, and passes each word to `put`.
#[inline]
pub(crate) fn encode_request_fields(request: &Request, put: &mut impl FnMut(u64)) {
    if let Some(id) = request.request_id.as_ref().and_then(RequestId::given) {
        encode_request_text(field_id::REQUEST_ID, id, put);
    }
    let texts = [
        (field_id::USER_ID, &request.user_id),
        (field_id::TENANT_ID, &request.tenant_id),
        (field_id::SESSION_ID, &request.session_id),
        (field_id::REQUEST_TYPE, &request.request_type),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            encode_request_text(name, text, put);
        }
    }
    if request.langsmith_parent.is_some() || !request.links.is_empty() {
        encode_rare_request_fields(request, put);
    }
}

#[cold]
#[inline(never)]
fn encode_rare_request_fields(request: &Request, put: &mut impl FnMut(u64)) {
    if let Some(parent) = &request.langsmith_parent {
        encode_request_text(field_id::LANGSMITH_PARENT, parent, put);
    }
    for link in &request.links {
        let text = format!("{}{}", link.trace_id.to_hex(), link.span_id);
        encode_request_text(field_id::LINK, &text, put);
    }
}

// Not inlined, because most requests have only some of the texts.
#[inline(never)]
fn encode_request_text(name: u16, text: &str, put: &mut impl FnMut(u64)) {
    encoding::encode_text_field(name, Tag::Text, text, put);
}

/// Decodes a link in a request's identity.
fn decode_link(text: &str) -> Option<SpanLink> {
    let (trace_id, span_id) = text.split_at_checked(32)?;
    Some(SpanLink::new(trace_id.parse().ok()?, span_id.parse().ok()?))
}

/// Decodes the identity of a request.
pub(crate) fn decode_request(words: &[u64]) -> Option<Request> {
    let ([first, version, high, low, wall, ticks, id_high, id_low], fields) = words.split_first_chunk()?;
    let has = |flag: u64| first & flag != 0;
    if first & 0xff != EntryKind::Request as u64 {
        return None;
    }
    let trace_id = TraceId::from_halves(*high, *low)?;
    let anchor = Anchor { wall: Timestamp::from_micros(wall.cast_signed()), ticks: Ticks(*ticks) };
    let mut request = Request::begun_at(anchor, trace_id);
    request.version = *version;
    (request.has_given_trace_id, request.is_nobody) = (has(flag::GIVEN_TRACE_ID), has(flag::NOBODY));
    request.request_id = has(flag::FRESH_REQUEST_ID).then(|| RequestId::from_bits([*id_high, *id_low]));
    let mut links = Vec::new();
    for field in EncodedFields(fields) {
        let EncodedValue::Text(text) = field.value else { continue };
        let text = text.as_str();
        if field.name == field_id::LINK {
            links.extend(decode_link(&text));
            continue;
        }
        let text: Box<str> = text.into();
        match field.name {
            field_id::REQUEST_ID => request.request_id = Some(RequestId::from(text)),
            field_id::USER_ID => request.user_id = Some(text),
            field_id::TENANT_ID => request.tenant_id = Some(text),
            field_id::SESSION_ID => request.session_id = Some(text),
            field_id::REQUEST_TYPE => request.request_type = Some(text),
            field_id::LANGSMITH_PARENT => request.langsmith_parent = Some(text),
            _ => {}
        }
    }
    if !links.is_empty() {
        request.links = links.into();
    }
    Some(request)
}

/// An entry as its reader receives it. Only this crate creates entries, from words that the
/// functions above have encoded.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a>(&'a [u64]);

impl<'a> Entry<'a> {
    /// Wraps the words of an entry, which the functions above have encoded.
    #[inline]
    pub(crate) const fn of(words: &'a [u64]) -> Self {
        Self(words)
    }

    /// Decodes a log line and its fields, or returns `None` for another kind of entry.
    pub fn log(self) -> Option<(LogLine, LogFieldWords<'a>)> {
        let ([first, descriptor, span, at], fields) = self.0.split_first_chunk()?;
        if first & 0xff != EntryKind::Log as u64 {
            return None;
        }
        let descriptor = log_descriptor(*descriptor)?;
        let line = LogLine { descriptor, span: SpanId::from_u64(*span), at: Ticks(*at) };
        Some((line, LogFieldWords { descriptor, words: fields }))
    }

    /// Decodes a score and its fields, whose ids are in [`score_field`], or returns `None` for
    /// another kind of entry.
    pub fn score(self) -> Option<(ScoreEntry, &'a [u64])> {
        let ([first, span, at], fields) = self.0.split_first_chunk()?;
        let is_score = first & 0xff == EntryKind::Score as u64;
        is_score.then_some((ScoreEntry { span: SpanId::from_u64(*span), at: Ticks(*at) }, fields))
    }

    /// Decodes a note, as the id of its span and its fields, or returns `None` for another kind of
    /// entry.
    pub fn note(self) -> Option<(SpanId, &'a [u64])> {
        let ([first, span], fields) = self.0.split_first_chunk()?;
        (first & 0xff == EntryKind::Note as u64).then_some((SpanId::from_u64(*span)?, fields))
    }

    /// Decodes a start, as the run and its fields, or returns `None` for another kind of entry.
    #[inline]
    pub fn start(self) -> Option<(Run, &'a [u64])> {
        let ([first, stage, span, started, parent], fields) = self.0.split_first_chunk()?;
        if first & 0xff != EntryKind::Start as u64 {
            return None;
        }
        Some((run(first & flag::LOCAL_ROOT != 0, [*stage, *span, *started, *parent])?, fields))
    }

    /// Decodes an end, as the id of its span, the end, the run if the end repeats its start, and
    /// the fields. Returns `None` for another kind of entry.
    #[inline]
    pub fn end(self) -> Option<(SpanId, RunEnd, Option<Run>, &'a [u64])> {
        let ([first, span, at, busy], mut fields) = self.0.split_first_chunk()?;
        let has = |flag: u64| first & flag != 0;
        if first & 0xff != EntryKind::End as u64 {
            return None;
        }
        let mut whole = None;
        if has(flag::REPEATS_START) {
            let ([stage, started, parent], rest) = fields.split_first_chunk()?;
            whole = Some(run(has(flag::LOCAL_ROOT), [*stage, *span, *started, *parent])?);
            fields = rest;
        }
        let outcome = match () {
            () if has(flag::FAILED) => Outcome::Failed,
            () if has(flag::CANCELLED) => Outcome::Cancelled,
            () => Outcome::Completed,
        };
        let ended = RunEnd { at: Ticks(*at), busy: Some(*busy).filter(|busy| *busy != NO_BUSY_TIME), outcome };
        Some((SpanId::from_u64(*span)?, ended, whole, fields))
    }
}

/// Returns the descriptor at an address found in a log line or its fields.
fn log_descriptor(address: u64) -> Option<&'static LogDescriptor> {
    let address = usize::try_from(address).ok().filter(|address| *address != 0)?;
    // SAFETY: as in `run`. Where `log` and `FieldBuffer::of_descriptor` write a descriptor, they
    // write the address of a `&'static LogDescriptor` and expose its provenance. Nothing else is
    // written with the tag of the latter. Words reach this function only from an `Entry` through
    // `LogFieldWords`, which code outside of this file cannot create. Zero, which stands for a
    // missing word, is not an address.
    Some(unsafe { &*std::ptr::with_exposed_provenance::<LogDescriptor>(address) })
}

impl FieldBuffer {
    /// Makes the following fields those that `descriptor` declares.
    pub(crate) fn of_descriptor(&mut self, descriptor: &'static LogDescriptor) {
        self.descriptor(address(descriptor));
    }
}

/// The encoded fields of a log line, returned by [`Entry::log`].
#[derive(Clone, Copy, Debug)]
pub struct LogFieldWords<'a> {
    descriptor: &'static LogDescriptor,
    words: &'a [u64],
}

/// An iterator over the fields of a log line: first its own, then those of the spans around it.
#[derive(Clone, Debug)]
pub struct DecodedLogFields<'a> {
    descriptor: &'static LogDescriptor,
    fields: EncodedFields<'a>,
    is_own: bool,
}

/// A field of a log line.
#[derive(Clone, Debug)]
pub struct LogField {
    pub declared: &'static FieldDescriptor,
    pub value: Value,
    /// True for the line's own field, false for a field of a span around it.
    pub is_own: bool,
}

impl<'a> DecodedLogFields<'a> {
    /// Creates an iterator over the fields of a line.
    pub fn new(fields: LogFieldWords<'a>) -> Self {
        let LogFieldWords { descriptor, words } = fields;
        Self { descriptor, fields: EncodedFields(words), is_own: true }
    }
}

impl Iterator for DecodedLogFields<'_> {
    type Item = LogField;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let field = self.fields.next()?;
            if let EncodedValue::Descriptor(address) = field.value {
                self.descriptor = log_descriptor(address)?;
                self.is_own = false;
            } else if let Some(declared) = self.descriptor.fields().get(usize::from(field.name)) {
                return Some(LogField { declared, value: field.value.to_value(), is_own: self.is_own });
            }
        }
    }
}

#[inline]
fn run(local_root: bool, [stage, span, started, parent]: [u64; 4]) -> Option<Run> {
    let address = usize::try_from(stage).ok()?;
    // SAFETY: only the functions above write entries, and where they write a stage they write the
    // address of a `&'static` descriptor and expose its provenance. An [`Entry`] is created only in
    // this crate, from words that they wrote, and the address is read from the position where it
    // was written: for both, the first word determines which words follow and in which order. The
    // queue delivers the words unchanged.
    let stage = unsafe { &*std::ptr::with_exposed_provenance::<StageDescriptor>(address) };
    let (span, parent) = (SpanId::from_u64(span)?, SpanId::from_u64(parent));
    Some(Run { stage, span, parent, started: Ticks(started), local_root })
}

/// A run of a stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run {
    pub stage: &'static StageDescriptor,
    pub span: SpanId,
    pub parent: Option<SpanId>,
    pub started: Ticks,
    /// True if the run has no parent in this process. `parent` may name one in another process.
    pub local_root: bool,
}

/// The end of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunEnd {
    pub at: Ticks,
    /// The nanoseconds spent in polls, or `None` for a synchronous call, which has no polls.
    pub busy: Option<u64>,
    pub outcome: Outcome,
}

/// A log line as it is logged.
#[derive(Clone, Copy, Debug)]
pub struct LogLine {
    pub descriptor: &'static LogDescriptor,
    /// The span in which the line was logged.
    pub span: Option<SpanId>,
    pub at: Ticks,
}

/// A score's target and time, without its value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreEntry {
    /// The span that is scored, or `None` if the whole trace is.
    pub span: Option<SpanId>,
    pub at: Ticks,
}

/// An entry that is created for an immediate reader, without passing through a queue.
#[derive(Debug)]
pub struct OwnedEntry(Vec<u64>);

impl OwnedEntry {
    /// Encodes a log line with the fields that `record` sets.
    pub fn log(line: &LogLine, record: impl FnOnce(&mut FieldBuffer)) -> Self {
        let mut fields = FieldBuffer::begin();
        record(&mut fields);
        let mut words = [&log(line)[..], &fields.to_encoded()].concat();
        words[0] = with_length(words[0], words.len());
        Self(words)
    }

    /// Returns the entry.
    pub fn as_entry(&self) -> Entry<'_> {
        Entry::of(&self.0)
    }
}

/// The outcome of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Completed,
    Failed,
    Cancelled,
}

#[cfg(test)]
mod tests;
