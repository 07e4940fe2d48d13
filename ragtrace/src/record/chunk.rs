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
use ragtrace_core::id::{random, record_id};
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
    pub(super) ids: Ids,
    pub(super) requests: Vec<Arc<Request>>,
    pub(super) threads: Vec<Arc<str>>,
    pub(super) parts: Vec<Parts>,
    /// Fields as stages wrote them. Records of one run may share them.
    pub(super) words: Vec<u64>,
    /// Fields that were changed, or are not a stage's.
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
    places: Vec<Fields>,
}

impl Chunk {
    /// The fields of the record at `at`: of its context, and of its metrics.
    pub(super) fn fields_of(&self, at: usize) -> (&[NamedValue], &[NamedValue]) {
        let parts = &self.parts[at];
        let (fields, place) = if parts.marks.has(Marks::WORDS) {
            let read = self.read.get_or_init(|| self.read_words());
            (&read.fields, read.places.get(at).copied().unwrap_or_default())
        } else {
            (&self.fields, parts.fields)
        };
        (fields.get(place.context()).unwrap_or_default(), fields.get(place.metrics()).unwrap_or_default())
    }

    /// The words of a record's context and metrics, if it has its fields as words.
    pub(super) fn words_of(&self, parts: &Parts) -> Option<(&'static StageDescriptor, &[u64], &[u64])> {
        let stage = parts.stage.filter(|_| parts.marks.has(Marks::WORDS))?;
        let words = |range| self.words.get(range).unwrap_or_default();
        Some((stage, words(parts.fields.context()), words(parts.fields.metrics())))
    }

    #[cold]
    fn read_words(&self) -> Read {
        let mut read = Read { fields: Vec::new(), places: Vec::with_capacity(self.parts.len()) };
        for parts in &self.parts {
            let place =
                self.words_of(parts).map(|(stage, context, metrics)| named(stage, context, metrics, &mut read.fields));
            read.places.push(place.unwrap_or_default());
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
) -> Fields {
    let start = fields.len();
    fields.extend(named_words(stage, context).map(|(name, value)| (Cow::Borrowed(name), value.to_value())));
    let middle = fields.len();
    fields.extend(named_words(stage, metrics).map(|(name, value)| (Cow::Borrowed(name), value.to_value())));
    Fields::new(start, middle - start, middle, fields.len() - middle)
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
    /// Records of a chunk that is as large as it should be: some 32 KiB, which a processor's second cache holds.
    pub(crate) const RECORDS: usize = 256;
    /// So much is kept at most: 1 MiB.
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

/// What a record has for itself. Two or three of them are made for each stage that runs, so it is kept small: 96 bytes.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    /// `None` for what is no stage's of this process: then `more` says what it is about.
    pub(crate) stage: Option<&'static StageDescriptor>,
    pub(crate) more: Option<Box<More>>,
    pub(crate) timestamp: Timestamp,
    pub(crate) span_id: Option<SpanId>,
    pub(crate) parent_span_id: Option<SpanId>,
    /// In nanoseconds, as `busy` is.
    pub(crate) duration: Maybe,
    pub(crate) busy: Maybe,
    pub(crate) count: Maybe,
    pub(crate) fields: Fields,
    /// Its place among the chunk's requests and threads, if it has any.
    pub(crate) request: Place,
    pub(crate) thread: Place,
    /// Estimates in bytes: of the canonical JSON, and of the memory it takes.
    pub(crate) size: u32,
    pub(crate) memory: u32,
    pub(crate) level: Level,
    pub(crate) event: Event,
    pub(crate) marks: Marks,
}

const _: () = assert!(size_of::<Parts>() <= 96);

/// What only some records have.
#[derive(Clone, Debug, Default)]
pub(crate) struct More {
    /// `None` if it follows from the place of the record.
    pub(crate) id: Option<Uuid>,
    pub(crate) other: Other,
    pub(crate) failure: Option<(ErrorInfo, Option<String>)>,
}

/// What is true of a record, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks(u8);

impl Marks {
    /// A stage's record that may leave as it is.
    pub(crate) const CLEAN: Self = Self(1);
    /// Its stage has no parent in this process.
    pub(crate) const LOCAL_ROOT: Self = Self(2);
    /// Its fields are in the chunk's words, and the record is a stage's. Else they are in the chunk's fields.
    pub(crate) const WORDS: Self = Self(4);

    #[inline]
    pub(crate) fn has(self, mark: Self) -> bool {
        self.0 & mark.0 != 0
    }

    /// The same, with `mark` if `is_so`.
    #[inline]
    pub(crate) fn with(self, mark: Self, is_so: bool) -> Self {
        Self(self.0 | if is_so { mark.0 } else { 0 })
    }

    pub(crate) fn without(self, mark: Self) -> Self {
        Self(self.0 & !mark.0)
    }
}

/// A number in one word, if there is one: the largest that there is stands for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Maybe(u64);

impl Maybe {
    pub(crate) const NONE: Self = Self(u64::MAX);

    /// `number`, or the next to it if it is the largest.
    #[inline]
    pub(crate) fn of(number: u64) -> Self {
        Self(number.min(u64::MAX - 1))
    }

    #[inline]
    pub(crate) fn get(self) -> Option<u64> {
        (self != Self::NONE).then_some(self.0)
    }

    /// The duration of so many nanoseconds.
    pub(super) fn duration(self) -> Option<Duration> {
        self.get().map(Duration::from_nanos)
    }
}

impl From<Option<u64>> for Maybe {
    #[inline]
    fn from(number: Option<u64>) -> Self {
        number.map_or(Self::NONE, Self::of)
    }
}

impl From<Option<Duration>> for Maybe {
    fn from(duration: Option<Duration>) -> Self {
        duration.map_or(Self::NONE, |duration| Self::of(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
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

/// Where a record's fields are: its context, and its metrics, which may lie elsewhere. They are counted in words where they
/// are words, and a record has no more than 65,535 of either.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fields {
    context_at: u32,
    metrics_at: u32,
    context: u16,
    metrics: u16,
}

/// Words that were laid down: where, and how many.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Laid {
    pub(super) at: u32,
    pub(super) length: u32,
}

impl Fields {
    /// Of words. There are no more of either than a record may have.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "see above")]
    pub(super) fn of_words(context: Laid, metrics: Laid) -> Self {
        let (context_at, metrics_at) = (context.at, metrics.at);
        Self { context_at, metrics_at, context: context.length as u16, metrics: metrics.length as u16 }
    }

    /// So many of context from `context_at` on, and of metrics from `metrics_at` on.
    #[inline]
    pub(super) fn new(context_at: usize, context: usize, metrics_at: usize, metrics: usize) -> Self {
        let cut = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        let (context_at, metrics_at) = (cut_u32(context_at), cut_u32(metrics_at));
        Self { context_at, metrics_at, context: cut(context), metrics: cut(metrics) }
    }

    #[inline]
    pub(super) fn context(self) -> Range<usize> {
        let start = self.context_at as usize;
        start..start + usize::from(self.context)
    }

    #[inline]
    pub(super) fn metrics(self) -> Range<usize> {
        let start = self.metrics_at as usize;
        start..start + usize::from(self.metrics)
    }

    /// How many there are.
    #[inline]
    pub(super) fn len(self) -> usize {
        usize::from(self.context) + usize::from(self.metrics)
    }

    /// Whether there are metrics.
    #[inline]
    pub(super) fn has_metrics(self) -> bool {
        self.metrics != 0
    }

    /// Whether there is context.
    #[inline]
    pub(super) fn has_context(self) -> bool {
        self.context != 0
    }
}

/// What a record is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject<'a> {
    Stage(&'static StageDescriptor),
    /// What was read from its JSON, or is no stage's.
    Other(&'a Other),
}

#[derive(Clone, Debug)]
pub(crate) struct Other {
    pub(crate) logger: Cow<'static, str>,
    /// `None` for a stage's record, whose message follows from stage and event.
    pub(crate) message: Option<Cow<'static, str>>,
    pub(crate) stage: Option<Cow<'static, str>>,
    pub(crate) kind: Option<StageKind>,
    pub(crate) source: Option<(Cow<'static, str>, u32)>,
}

impl Other {
    const NOTHING: Self = Self { logger: Cow::Borrowed(""), message: None, stage: None, kind: None, source: None };
}

impl Default for Other {
    fn default() -> Self {
        Self::NOTHING
    }
}

impl Parts {
    /// A record of `stage`, or of nothing yet, without anything else.
    #[inline]
    pub(crate) fn new(
        timestamp: Timestamp,
        event: Event,
        level: Level,
        stage: Option<&'static StageDescriptor>,
    ) -> Self {
        Self {
            stage,
            more: None,
            timestamp,
            span_id: None,
            parent_span_id: None,
            duration: Maybe::NONE,
            busy: Maybe::NONE,
            count: Maybe::NONE,
            fields: Fields::default(),
            request: Place::NONE,
            thread: Place::NONE,
            size: 0,
            memory: 0,
            level,
            event,
            marks: Marks::default(),
        }
    }

    /// A record with the id `id` that is about `other`, without anything else.
    pub(crate) fn of_other(id: Uuid, timestamp: Timestamp, event: Event, level: Level, other: Other) -> Self {
        let more = More { id: Some(id), other, failure: None };
        Self { more: Some(Box::new(more)), ..Self::new(timestamp, event, level, None) }
    }

    pub(super) fn subject(&self) -> Subject<'_> {
        static NOTHING: Other = Other::NOTHING;
        match (self.stage, &self.more) {
            (Some(stage), _) => Subject::Stage(stage),
            (None, Some(more)) => Subject::Other(&more.other),
            (None, None) => Subject::Other(&NOTHING),
        }
    }

    /// The error that failed the stage, and a backtrace.
    #[inline]
    pub(super) fn failure(&self) -> Option<&(ErrorInfo, Option<String>)> {
        self.more.as_deref()?.failure.as_ref()
    }

    #[inline]
    pub(crate) fn failure_mut(&mut self) -> Option<&mut (ErrorInfo, Option<String>)> {
        self.more.as_deref_mut()?.failure.as_mut()
    }
}

/// Where the ids of a chunk's records come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ids {
    /// From a random number and a record's place.
    Random(u64),
    /// In tests that compare records with what was written down: they are numbers, from this one on.
    Numbered(u64),
}

impl Ids {
    pub(super) fn random() -> Self {
        Self::Random(random())
    }

    /// Those of the records of one process. Its own id tells them from those of a process that was forked with the same
    /// random numbers to come.
    pub(crate) fn of(origin: &Origin) -> Self {
        let (_, instance) = origin.instance.as_u64_pair();
        Self::Random(random() ^ instance)
    }

    /// Those of a chunk that begins with the record at `at` of this one's.
    pub(crate) fn from(self, at: usize) -> Self {
        match self {
            Self::Random(first) => Self::Random(first.wrapping_add(at as u64)),
            Self::Numbered(first) => Self::Numbered(first + at as u64),
        }
    }

    /// The id of the first record, which was made at `timestamp`.
    pub(super) fn first(self, timestamp: Timestamp) -> Uuid {
        match self {
            Self::Random(number) => record_id(timestamp, number),
            Self::Numbered(number) => Uuid::from_u128(u128::from(number)),
        }
    }
}

/// What the fields of a record take. A text counts as 4 GiB at most.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sizes {
    /// In its canonical JSON.
    json: u32,
    /// Of memory on the heap, for its texts.
    texts: u32,
    /// How many there are.
    pub(super) fields: u32,
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
        RawFields(words).for_each(|field| sizes.add_raw(|| field_name(stage, field.name), field.value, &stays));
        sizes
    }

    /// Adds a field, whose `name` matters only to a text.
    #[inline]
    pub(crate) fn add_raw(
        &mut self,
        name: impl FnOnce() -> Option<&'static str>,
        value: RawValue<'_>,
        stays: impl Fn(&'static str, &str) -> bool,
    ) {
        self.fields += 1;
        if let RawValue::Text(text) = value {
            self.add_text(text.length());
            self.changes = self.changes || !name().is_none_or(|name| stays(name, &text.as_str()));
        }
    }

    pub(super) fn add(&mut self, name: &str, value: &Value) {
        self.fields += 1;
        self.json = self.json.saturating_add(cut_u32(name.len()));
        if let Some(text) = value.as_str() {
            self.add_text(text.len());
        }
    }

    fn add_text(&mut self, bytes: usize) {
        self.json = self.json.saturating_add(cut_u32(bytes));
        self.texts = self.texts.saturating_add(cut_u32(bytes + ALLOCATION));
    }

    /// Whether there are texts.
    pub(super) fn has_texts(&self) -> bool {
        self.texts != 0
    }

    /// About how many bytes the canonical JSON of a record with these fields takes. Names that were not added have up to
    /// `name` bytes.
    #[inline]
    pub(super) fn size(&self, name: u8) -> u32 {
        (REST + (NUMBER + u32::from(name)) * self.fields).saturating_add(self.json)
    }

    /// About how many bytes of memory it takes.
    #[inline]
    pub(super) fn memory(&self) -> u32 {
        (Parts::MEMORY + FIELD_MEMORY * self.fields).saturating_add(self.texts)
    }
}

/// What the allocator takes for each allocation besides.
const ALLOCATION: usize = 16;
/// What the canonical JSON of a number takes without its name, or that of a text without the text.
const NUMBER: u32 = 20;
/// What the canonical JSON of a stage's record takes without the texts that its user gives.
const REST: u32 = 480;
/// The memory of a field without its text.
#[expect(clippy::cast_possible_truncation, reason = "some bytes")]
const FIELD_MEMORY: u32 = size_of::<NamedValue>() as u32 * 3 / 2;

pub(super) fn cut_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Parts {
    /// The memory of a record without fields and texts, with a request of its own, since a chunk may have one a record.
    /// Half as much again, because vectors grow by doubling.
    #[expect(clippy::cast_possible_truncation, reason = "some hundred bytes")]
    const MEMORY: u32 =
        (size_of::<Self>() * 3 / 2 + size_of::<Record>() + size_of::<Request>() + 2 * ALLOCATION) as u32;

    pub(super) fn estimate(&mut self, fields: &[NamedValue]) {
        let sizes = self.sizes(fields);
        (self.size, self.memory) = (sizes.size(0), sizes.memory());
    }

    /// About how many bytes the canonical JSON takes.
    pub(super) fn size_of(&self, fields: &[NamedValue]) -> usize {
        self.sizes(fields).size(0) as usize
    }

    /// The texts besides the fields.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let message = match self.subject() {
            Subject::Stage(_) => None,
            Subject::Other(other) => other.message.as_deref(),
        };
        let failure = self.failure().into_iter().flat_map(|(error, stack_trace)| {
            let long = error.chain().iter().chain(stack_trace).map(String::as_str);
            std::iter::once(error.message()).chain(long)
        });
        message.into_iter().chain(failure)
    }

    /// What it takes beyond what all records do.
    fn sizes(&self, fields: &[NamedValue]) -> Sizes {
        let mut sizes = Sizes::default();
        for range in [self.fields.context(), self.fields.metrics()] {
            for (name, value) in fields.get(range).unwrap_or_default() {
                sizes.add(name, value);
            }
        }
        self.add_texts(&mut sizes);
        sizes
    }

    /// Adds what its texts take besides the fields.
    pub(super) fn add_texts(&self, sizes: &mut Sizes) {
        self.texts().for_each(|text| sizes.add_text(text.len()));
    }
}
