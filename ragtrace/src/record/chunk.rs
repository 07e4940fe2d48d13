//! Where records lie: those that were made together, side by side, with what they have in common once.
//!
//! Fields stay the words that the stage wrote, as long as nobody wants them otherwise: the canonical JSON is written from
//! them, and a sink that looks at no field has none read. Who looks at one has those of all records of the chunk read.
//!
//! A record by itself would be four or five allocations. A chunk is that many for hundreds of records; each of them
//! is a place in it. The chunk goes when the last of its records does, so whoever keeps few of many for long keeps
//! copies ([`Record::alone`]).

use std::borrow::Cow;
use std::mem;
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crossbeam_queue::ArrayQueue;
use ragtrace_core::context::Request;
use ragtrace_core::stage::words::{RawFields, RawValue, name};
use ragtrace_core::{ErrorInfo, Event, Level, Timestamp};
use ragtrace_core::{StageDescriptor, StageKind};
use uuid::Uuid;

use super::{Origin, Record};
use crate::SpanId;
use crate::Value;

/// A field: its name and its value.
pub(crate) type NamedValue = (Cow<'static, str>, Value);

/// Records that were made together.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(super) origin: Arc<Origin>,
    pub(super) requests: Vec<Arc<Request>>,
    pub(super) threads: Vec<Arc<str>>,
    pub(super) parts: Vec<Parts>,
    /// Fields as stages wrote them, each record's in a row: its context, then its metrics.
    pub(super) words: Vec<u64>,
    /// Fields that were changed, or are not a stage's, in the same order.
    pub(super) fields: Vec<NamedValue>,
    /// What `words` say, once somebody asked.
    pub(super) read: OnceLock<Read>,
    /// Where its memory goes when it is not used any more.
    pub(super) memory: Option<ChunkMemory>,
}

/// The fields of a chunk whose records have words.
#[derive(Debug)]
pub(super) struct Read {
    fields: Vec<NamedValue>,
    /// Those of each record, in the order of the records.
    ranges: Vec<FieldRange>,
}

impl Chunk {
    /// The fields of the record at `at`: of its context, and of its metrics.
    pub(super) fn fields_of(&self, at: usize) -> (&[NamedValue], &[NamedValue]) {
        let fields = self.parts[at].fields;
        let (fields, range) = if fields.words().is_some() {
            let read = self.read.get_or_init(|| self.read_words());
            (&read.fields, read.ranges.get(at).copied().unwrap_or_default())
        } else {
            (&self.fields, fields.named())
        };
        (fields.get(range.context()).unwrap_or_default(), fields.get(range.metrics()).unwrap_or_default())
    }

    /// The words of a record's context and metrics, if it has its fields as words.
    pub(super) fn words_of(&self, parts: &Parts) -> Option<(&'static StageDescriptor, &[u64], &[u64])> {
        let (Some(range), Subject::Stage(stage)) = (parts.fields.words(), &parts.subject) else { return None };
        let words = |range| self.words.get(range).unwrap_or_default();
        Some((stage, words(range.context()), words(range.metrics())))
    }

    #[cold]
    fn read_words(&self) -> Read {
        let mut read = Read { fields: Vec::new(), ranges: Vec::with_capacity(self.parts.len()) };
        for parts in &self.parts {
            let range =
                self.words_of(parts).map(|(stage, context, metrics)| named(stage, context, metrics, &mut read.fields));
            read.ranges.push(range.unwrap_or_default());
        }
        read
    }
}

/// Adds the fields that words say to `fields`, and says where they are.
pub(super) fn named(
    stage: &'static StageDescriptor,
    context: &[u64],
    metrics: &[u64],
    fields: &mut Vec<NamedValue>,
) -> FieldRange {
    let start = fields.len();
    fields.extend(named_words(stage, context).map(|(name, value)| (Cow::Borrowed(name), value.to_value())));
    let middle = fields.len();
    fields.extend(named_words(stage, metrics).map(|(name, value)| (Cow::Borrowed(name), value.to_value())));
    FieldRange::new(start, middle - start, fields.len() - middle)
}

/// The fields that words say, with their names.
#[inline]
pub(super) fn named_words<'a>(
    stage: &'static StageDescriptor,
    words: &'a [u64],
) -> impl Iterator<Item = (&'static str, RawValue<'a>)> {
    RawFields(words).filter_map(move |field| Some((field_name(stage, field.name)?, field.value)))
}

/// The name of a field that a stage wrote, unless it has a place of its own in a record.
#[inline]
pub(crate) fn field_name(stage: &'static StageDescriptor, index: u16) -> Option<&'static str> {
    match index {
        name::FIRST_ITEM => Some("first_item_ms"),
        index => stage.fields().get(usize::from(index)).map(crate::FieldDescriptor::name),
    }
}

/// Memory of chunks that are gone, to be used by others: it is warm, and the system is not asked for it again.
#[derive(Clone, Debug)]
pub(crate) struct ChunkMemory(Arc<ArrayQueue<Lists>>);

/// The lists of a chunk.
#[derive(Debug, Default)]
pub(super) struct Lists {
    pub(super) parts: Vec<Parts>,
    pub(super) words: Vec<u64>,
    pub(super) fields: Vec<NamedValue>,
}

impl ChunkMemory {
    /// Records of a chunk that is as large as it should be: some 64 KiB, which a processor's second cache holds.
    pub(crate) const RECORDS: usize = 256;
    /// So much is kept at most: 2 MiB.
    const CHUNKS: usize = 32;

    pub(super) fn take(&self) -> Lists {
        self.0.pop().unwrap_or_else(|| Lists {
            parts: Vec::with_capacity(Self::RECORDS),
            words: Vec::with_capacity(4 * Self::RECORDS),
            fields: Vec::new(),
        })
    }

    pub(super) fn put(&self, mut lists: Lists) {
        let Lists { parts, words, fields } = &mut lists;
        let is_usual = parts.capacity() == Self::RECORDS
            && words.capacity() <= 64 * Self::RECORDS
            && fields.capacity() <= 8 * Self::RECORDS;
        if is_usual && !self.0.is_full() {
            parts.clear();
            words.clear();
            fields.clear();
            let _ = self.0.push(lists);
        }
    }
}

impl Default for ChunkMemory {
    fn default() -> Self {
        Self(Arc::new(ArrayQueue::new(Self::CHUNKS)))
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        if let Some(memory) = &self.memory {
            let Self { parts, words, fields, .. } = self;
            memory.put(Lists { parts: mem::take(parts), words: mem::take(words), fields: mem::take(fields) });
        }
    }
}

/// What a record has for itself.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) id: Uuid,
    pub(crate) timestamp: Timestamp,
    pub(crate) subject: Subject,
    pub(crate) span_id: Option<SpanId>,
    pub(crate) parent_span_id: Option<SpanId>,
    pub(crate) duration: Time,
    pub(crate) busy: Time,
    pub(crate) count: Option<u64>,
    /// Its place among the chunk's requests and threads, if it has any.
    pub(crate) request: Place,
    pub(crate) thread: Place,
    pub(crate) fields: Fields,
    pub(crate) level: Level,
    pub(crate) event: Event,
    pub(crate) local_root: bool,
    pub(crate) failure: Option<Box<(ErrorInfo, Option<String>)>>,
    /// Estimates in bytes: of the canonical JSON, and of the memory it takes.
    pub(crate) size: u32,
    pub(crate) memory: u32,
    /// A stage's record that may leave as it is.
    pub(crate) is_clean: bool,
}

/// A duration in one word, if there is one: up to 584 years in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time(u64);

impl Time {
    const NONE: Self = Self(u64::MAX);

    pub(super) fn get(self) -> Option<Duration> {
        (self != Self::NONE).then(|| Duration::from_nanos(self.0))
    }
}

impl From<Option<Duration>> for Time {
    #[inline]
    fn from(duration: Option<Duration>) -> Self {
        duration.map_or(Self::NONE, |duration| Self(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX - 1)))
    }
}

/// A place in a list, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(pub(super) u32);

impl Place {
    pub(crate) const NONE: Self = Self(u32::MAX);

    pub(super) fn of<T>(self, list: &[T]) -> Option<&T> {
        list.get(self.0 as usize)
    }
}

/// Where a record's fields are, and what.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fields {
    range: FieldRange,
    /// They are in the chunk's words, and counted in words; the record is a stage's. Else they are in the chunk's fields.
    are_words: bool,
}

impl Fields {
    #[inline]
    pub(super) fn of_words(range: FieldRange) -> Self {
        Self { range, are_words: true }
    }

    #[inline]
    pub(super) fn of_named(range: FieldRange) -> Self {
        Self { range, are_words: false }
    }

    /// Their words, if they are words.
    #[inline]
    pub(super) fn words(self) -> Option<FieldRange> {
        self.are_words.then_some(self.range)
    }

    /// Where those are that have names.
    #[inline]
    pub(super) fn named(self) -> FieldRange {
        if self.are_words { FieldRange::default() } else { self.range }
    }

    /// Not less than how many there are.
    #[inline]
    pub(super) fn at_most(self) -> usize {
        self.range.len()
    }

    /// Whether there are metrics.
    #[inline]
    pub(super) fn has_metrics(self) -> bool {
        self.range.metrics != 0
    }

    /// Whether there is context.
    #[inline]
    pub(super) fn has_context(self) -> bool {
        self.range.context != 0
    }
}

/// A record's part of a list: its context and then its metrics.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FieldRange {
    start: u32,
    context: u16,
    metrics: u16,
}

/// What a record is about.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    Stage(&'static StageDescriptor),
    /// What was read from its JSON, or is no stage's.
    Other(Box<Other>),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Other {
    pub(crate) logger: Cow<'static, str>,
    /// `None` for a stage's record, whose message follows from stage and event.
    pub(crate) message: Option<Cow<'static, str>>,
    pub(crate) stage: Option<Cow<'static, str>>,
    pub(crate) kind: Option<StageKind>,
    pub(crate) source: Option<(Cow<'static, str>, u32)>,
}

impl FieldRange {
    /// Of the fields from `start` on, so many of context and then of metrics. A record has no more than 65,535 of each.
    #[inline]
    pub(super) fn new(start: usize, context: usize, metrics: usize) -> Self {
        let cut = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        Self { start: cut_u32(start), context: cut(context), metrics: cut(metrics) }
    }

    pub(super) fn context(self) -> Range<usize> {
        let start = self.start as usize;
        start..start + usize::from(self.context)
    }

    pub(super) fn metrics(self) -> Range<usize> {
        let start = self.context().end;
        start..start + usize::from(self.metrics)
    }

    pub(super) fn all(self) -> Range<usize> {
        self.context().start..self.metrics().end
    }

    pub(super) fn len(self) -> usize {
        usize::from(self.context) + usize::from(self.metrics)
    }
}

impl Parts {
    /// A record of `subject` without anything else.
    #[inline]
    pub(crate) fn new(id: Uuid, timestamp: Timestamp, event: Event, level: Level, subject: Subject) -> Self {
        Self {
            id,
            timestamp,
            subject,
            span_id: None,
            parent_span_id: None,
            duration: Time::NONE,
            busy: Time::NONE,
            count: None,
            request: Place::NONE,
            thread: Place::NONE,
            fields: Fields::default(),
            level,
            event,
            local_root: false,
            failure: None,
            size: 0,
            memory: 0,
            is_clean: false,
        }
    }
}

/// What the fields of a record take.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sizes {
    /// In its canonical JSON.
    pub(super) json: usize,
    /// Of memory on the heap, for its texts.
    pub(super) texts: usize,
    /// How many there are.
    pub(super) fields: usize,
    /// Whether one of the texts must not leave as it is.
    pub(super) changes: bool,
}

impl Sizes {
    /// What fields take that a stage wrote; `stays` says of a name and a text whether that may leave as it is.
    #[inline]
    pub(crate) fn of(
        stage: &'static StageDescriptor,
        words: &[u64],
        stays: impl Fn(&'static str, &str) -> bool,
    ) -> Self {
        let mut sizes = Self::default();
        named_words(stage, words).for_each(|(name, value)| sizes.add_raw(name, value, &stays));
        sizes
    }

    #[inline]
    pub(super) fn add_raw(
        &mut self,
        name: &'static str,
        value: RawValue<'_>,
        stays: impl Fn(&'static str, &str) -> bool,
    ) {
        self.fields += 1;
        self.json += name.len() + 4;
        match value {
            RawValue::Text(text) => {
                self.json += text.length();
                self.texts += text.length() + ALLOCATION;
                self.changes = self.changes || !stays(name, &text.as_str());
            }
            _ => self.json += 16,
        }
    }

    #[inline]
    pub(super) fn add(&mut self, name: &str, value: &Value) {
        self.fields += 1;
        let text = value.as_str();
        self.json += name.len() + 4 + text.map_or(16, str::len);
        self.texts += text.map_or(0, |text| text.len() + ALLOCATION);
    }
}

/// What the allocator takes for each allocation besides.
const ALLOCATION: usize = 16;
/// What the canonical JSON of a stage's record takes without the texts that its user gives.
pub(super) const REST: usize = 480;
/// The memory of a field without its text.
pub(super) const FIELD_MEMORY: usize = size_of::<NamedValue>() * 3 / 2;

pub(super) fn cut_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Parts {
    /// The memory of a record without fields and texts, with a request of its own, since a chunk may have one a record.
    /// Half as much again, because vectors grow by doubling.
    pub(super) const MEMORY: usize =
        size_of::<Self>() * 3 / 2 + size_of::<Record>() + size_of::<Request>() + 2 * ALLOCATION;

    pub(super) fn estimate(&mut self, fields: &[NamedValue]) {
        self.size = cut_u32(self.size_of(fields));
        self.memory = cut_u32(self.memory_of(fields));
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        let message = match &self.subject {
            Subject::Stage(_) => None,
            Subject::Other(other) => other.message.as_deref(),
        };
        let failure = self.failure.as_deref().into_iter().flat_map(|(error, stack_trace)| {
            let long = error.chain().iter().chain(stack_trace).map(String::as_str);
            std::iter::once(error.message()).chain(long)
        });
        message.into_iter().chain(failure)
    }

    fn sizes(&self, fields: &[NamedValue]) -> Sizes {
        let mut sizes = Sizes::default();
        fields
            .get(self.fields.named().all())
            .unwrap_or_default()
            .iter()
            .for_each(|(name, value)| sizes.add(name, value));
        sizes
    }

    pub(super) fn size_of(&self, fields: &[NamedValue]) -> usize {
        REST + self.sizes(fields).json + self.texts().map(str::len).sum::<usize>()
    }

    fn memory_of(&self, fields: &[NamedValue]) -> usize {
        let texts: usize = self.texts().map(|text| text.len() + ALLOCATION).sum();
        Self::MEMORY + self.fields.named().len() * FIELD_MEMORY + self.sizes(fields).texts + texts
    }
}
