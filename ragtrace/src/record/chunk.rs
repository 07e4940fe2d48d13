//! Where records lie: those that were made together, side by side, with what they have in common once.
//!
//! A record by itself would be four or five allocations. A chunk is that many for hundreds of records; each of them
//! is a place in it. The chunk goes when the last of its records does, so whoever keeps few of many for long keeps
//! copies ([`Record::alone`]).

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_queue::ArrayQueue;
use uuid::Uuid;

use super::{ErrorInfo, Event, Origin, Record};
use crate::SpanId;
use crate::Value;
use crate::context::Request;
use crate::level::Level;
use crate::stage::{StageDescriptor, StageKind};
use crate::time::Timestamp;

/// A field: its name and its value.
pub(crate) type NamedValue = (Cow<'static, str>, Value);

/// Records that were made together.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(super) origin: Arc<Origin>,
    pub(super) requests: Vec<Arc<Request>>,
    pub(super) threads: Vec<Arc<str>>,
    pub(super) parts: Vec<Parts>,
    /// The fields of all records, each record's in a row: its context, then its metrics.
    pub(super) fields: Vec<NamedValue>,
    /// Where its memory goes when it is not used any more.
    memory: Option<ChunkMemory>,
}

/// Memory of chunks that are gone, to be used by others: it is warm, and the system is not asked for it again.
#[derive(Clone, Debug)]
pub(crate) struct ChunkMemory(Arc<ArrayQueue<(Vec<Parts>, Vec<NamedValue>)>>);

impl ChunkMemory {
    /// Records of a chunk that is as large as it should be: some 64 KiB, which a processor's second cache holds.
    pub(crate) const RECORDS: usize = 256;
    /// So much is kept at most: 2 MiB.
    const CHUNKS: usize = 32;

    fn take(&self) -> (Vec<Parts>, Vec<NamedValue>) {
        self.0.pop().unwrap_or_else(|| (Vec::with_capacity(Self::RECORDS), Vec::with_capacity(2 * Self::RECORDS)))
    }

    fn put(&self, mut parts: Vec<Parts>, mut fields: Vec<NamedValue>) {
        let is_usual = parts.capacity() == Self::RECORDS && fields.capacity() <= 8 * Self::RECORDS;
        if is_usual && !self.0.is_full() {
            parts.clear();
            fields.clear();
            let _ = self.0.push((parts, fields));
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
            memory.put(std::mem::take(&mut self.parts), std::mem::take(&mut self.fields));
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
    pub(crate) fields: FieldRange,
    pub(crate) level: Level,
    pub(crate) event: Event,
    pub(crate) local_root: bool,
    pub(crate) failure: Option<Box<(ErrorInfo, Option<String>)>>,
    /// Estimates in bytes: of the canonical JSON, and of the memory it takes.
    pub(crate) size: u32,
    pub(crate) memory: u32,
    /// A stage's record without any text of its user's.
    pub(crate) is_plain: bool,
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
pub(crate) struct Place(u32);

impl Place {
    pub(crate) const NONE: Self = Self(u32::MAX);

    pub(super) fn of<T>(self, list: &[T]) -> Option<&T> {
        list.get(self.0 as usize)
    }
}

/// Where a record's fields are.
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
            fields: FieldRange::default(),
            level,
            event,
            local_root: false,
            failure: None,
            size: 0,
            memory: 0,
            is_plain: false,
        }
    }
}

/// A chunk that is being made, record by record: first its fields, then [`Draft::add`].
#[derive(Debug)]
pub(crate) struct Draft {
    chunk: Chunk,
    /// Where the fields of the record that is made begin.
    start: usize,
    /// Its metrics, since they lie behind its context.
    metrics: Vec<NamedValue>,
    sizes: Sizes,
}

/// What the fields of a record take.
#[derive(Clone, Copy, Debug, Default)]
struct Sizes {
    /// In its canonical JSON.
    json: usize,
    /// Of memory on the heap, for its texts.
    texts: usize,
}

impl Sizes {
    #[inline]
    fn add(&mut self, name: &str, value: &Value) {
        let text = value.as_str();
        self.json += name.len() + 4 + text.map_or(16, str::len);
        self.texts += text.map_or(0, |text| text.len() + ALLOCATION);
    }
}

/// What the allocator takes for each allocation besides.
const ALLOCATION: usize = 16;
/// What the canonical JSON of a stage's record takes without the texts that its user gives.
const REST: usize = 480;
/// The memory of a field without its text.
const FIELD_MEMORY: usize = size_of::<NamedValue>() * 3 / 2;

impl Draft {
    /// A chunk without records, of the process `origin`.
    pub(crate) fn new(origin: Arc<Origin>) -> Self {
        Self::made_in(origin, (Vec::new(), Vec::new()), None)
    }

    /// The same in memory that is there already.
    pub(crate) fn in_memory(origin: Arc<Origin>, memory: &ChunkMemory) -> Self {
        Self::made_in(origin, memory.take(), Some(memory.clone()))
    }

    fn made_in(
        origin: Arc<Origin>,
        (parts, fields): (Vec<Parts>, Vec<NamedValue>),
        memory: Option<ChunkMemory>,
    ) -> Self {
        let chunk = Chunk { origin, requests: Vec::new(), threads: Vec::new(), parts, fields, memory };
        Self { chunk, start: 0, metrics: Vec::new(), sizes: Sizes::default() }
    }

    /// Whether the chunk is as large as it should be, with room for as much again.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.chunk.parts.len() >= ChunkMemory::RECORDS / 2
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chunk.parts.is_empty()
    }

    /// The place of `request`.
    #[inline]
    pub(crate) fn request(&mut self, request: &Arc<Request>) -> Place {
        place(&mut self.chunk.requests, request)
    }

    /// The place of `thread`.
    #[inline]
    pub(crate) fn thread(&mut self, thread: &Arc<str>) -> Place {
        place(&mut self.chunk.threads, thread)
    }

    /// Adds a field to the context of the record that is being made.
    #[inline]
    pub(crate) fn context(&mut self, name: Cow<'static, str>, value: Value) {
        self.sizes.add(&name, &value);
        self.chunk.fields.push((name, value));
    }

    /// Adds a field to its metrics.
    #[inline]
    pub(crate) fn metric(&mut self, name: Cow<'static, str>, value: Value) {
        self.sizes.add(&name, &value);
        self.metrics.push((name, value));
    }

    /// The number of this name that the record has already, or anything else of this name.
    pub(crate) fn earlier(&mut self, name: &str, is_number: bool) -> Option<&mut Value> {
        let fields = if is_number { &mut self.metrics[..] } else { self.chunk.fields.get_mut(self.start..)? };
        fields.iter_mut().find(|(earlier, _)| earlier == name).map(|(_, value)| value)
    }

    /// Adds the record, whose fields are those since the last one.
    #[inline]
    pub(crate) fn add(&mut self, parts: Parts) {
        let Sizes { json, texts } = std::mem::take(&mut self.sizes);
        let context = self.chunk.fields.len() - self.start;
        let metrics = self.metrics.len();
        self.chunk.fields.append(&mut self.metrics);
        let is_plain = texts == 0 && parts.failure.is_none() && matches!(parts.subject, Subject::Stage(_));
        let fields = FieldRange { start: cut_u32(self.start), context: cut_u16(context), metrics: cut_u16(metrics) };
        let (size, memory) = (cut_u32(REST + json), cut_u32(Parts::MEMORY + fields.len() * FIELD_MEMORY + texts));
        self.chunk.parts.push(Parts { fields, size, memory, is_plain, ..parts });
        self.start = self.chunk.fields.len();
    }

    /// Takes back the fields since the last record, which belong to none.
    pub(crate) fn forget(&mut self) {
        self.chunk.fields.truncate(self.start);
        self.metrics.clear();
        self.sizes = Sizes::default();
    }

    /// The records that have texts or more than `fields` fields, one after the other, to be changed.
    pub(crate) fn each_to_refine(&mut self, fields: usize, mut change: impl FnMut(&mut Drafted<'_>)) {
        let Chunk { parts, fields: all, .. } = &mut self.chunk;
        for parts in parts.iter_mut().filter(|parts| !parts.is_plain || parts.fields.len() > fields) {
            change(&mut Drafted { parts, fields: all });
            parts.estimate(all);
        }
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.chunk.origin
    }

    /// The requests of all records, to be changed.
    pub(crate) fn requests_mut(&mut self) -> &mut [Arc<Request>] {
        &mut self.chunk.requests
    }

    /// The records.
    pub(crate) fn finish(mut self) -> Vec<Record> {
        let Chunk { parts, fields, memory, .. } = &mut self.chunk;
        // What waits for a sink is counted by its records, so few of them must not hold the memory of many.
        if parts.len() < parts.capacity() / 2
            && let Some(memory) = memory.take()
        {
            let (mut few, mut of_few) = (Vec::with_capacity(parts.len()), Vec::with_capacity(fields.len()));
            few.append(parts);
            of_few.append(fields);
            memory.put(std::mem::replace(parts, few), std::mem::replace(fields, of_few));
        }
        let (records, chunk) = (self.chunk.parts.len(), Arc::new(self.chunk));
        (0..records).map(|at| Record { chunk: Arc::clone(&chunk), at: cut_u32(at) }).collect()
    }
}

fn cut_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn cut_u16(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

#[inline]
fn place<T: ?Sized>(known: &mut Vec<Arc<T>>, one: &Arc<T>) -> Place {
    if known.last().is_none_or(|last| !Arc::ptr_eq(last, one)) {
        known.push(Arc::clone(one));
    }
    Place(cut_u32(known.len() - 1))
}

/// A record of a chunk that is being made.
pub(crate) struct Drafted<'a> {
    pub(crate) parts: &'a mut Parts,
    fields: &'a mut Vec<NamedValue>,
}

impl Drafted<'_> {
    /// Its fields, context and metrics.
    pub(crate) fn fields(&mut self) -> &mut [NamedValue] {
        self.fields.get_mut(self.parts.fields.all()).unwrap_or_default()
    }

    /// How many fields of context and metrics there are.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.parts.fields.context().len(), self.parts.fields.metrics().len())
    }

    /// Keeps the first `context` and `metrics` of its fields, and adds one to the context.
    pub(crate) fn keep(&mut self, context: usize, metrics: usize, more: NamedValue) {
        let (of_context, of_metrics) = (self.parts.fields.context(), self.parts.fields.metrics());
        let start = self.fields.len();
        let take = |fields: &mut Vec<NamedValue>, range: Range<usize>| {
            for at in range {
                let field = std::mem::replace(&mut fields[at], (Cow::Borrowed(""), Value::Null));
                fields.push(field);
            }
        };
        take(self.fields, of_context.start..of_context.start + context);
        self.fields.push(more);
        take(self.fields, of_metrics.start..of_metrics.start + metrics);
        self.parts.fields =
            FieldRange { start: cut_u32(start), context: cut_u16(context + 1), metrics: cut_u16(metrics) };
    }

    /// About how many bytes the canonical JSON takes.
    pub(crate) fn size(&self) -> usize {
        self.parts.size_of(self.fields)
    }

    /// The texts besides the fields: message, error, stack trace.
    pub(crate) fn texts(&mut self, mut change: impl FnMut(Text<'_>)) {
        if let Subject::Other(other) = &mut self.parts.subject
            && let Some(message) = &mut other.message
        {
            change(Text::Message(message));
        }
        if let Some((error, stack_trace)) = self.parts.failure.as_deref_mut() {
            let texts = std::iter::once(&mut error.message).chain(&mut error.chain).chain(stack_trace);
            texts.for_each(|text| change(Text::Owned(text)));
        }
    }
}

/// A text of a record.
pub(crate) enum Text<'a> {
    Message(&'a mut Cow<'static, str>),
    Owned(&'a mut String),
}

impl Text<'_> {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Message(text) => text,
            Self::Owned(text) => text,
        }
    }

    pub(crate) fn replace(self, with: String) {
        match self {
            Self::Message(text) => *text = Cow::Owned(with),
            Self::Owned(text) => *text = with,
        }
    }
}

impl Parts {
    /// The memory of a record without fields and texts, with a request of its own, since a chunk may have one a record.
    /// Half as much again, because vectors grow by doubling.
    const MEMORY: usize = size_of::<Self>() * 3 / 2 + size_of::<Record>() + size_of::<Request>() + 2 * ALLOCATION;

    fn estimate(&mut self, fields: &[NamedValue]) {
        self.size = cut_u32(self.size_of(fields));
        self.memory = cut_u32(self.memory_of(fields));
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        let message = match &self.subject {
            Subject::Stage(_) => None,
            Subject::Other(other) => other.message.as_deref(),
        };
        let failure = self.failure.as_deref().into_iter().flat_map(|(error, stack_trace)| {
            std::iter::once(&error.message).chain(&error.chain).chain(stack_trace).map(String::as_str)
        });
        message.into_iter().chain(failure)
    }

    fn sizes(&self, fields: &[NamedValue]) -> Sizes {
        let mut sizes = Sizes::default();
        fields.get(self.fields.all()).unwrap_or_default().iter().for_each(|(name, value)| sizes.add(name, value));
        sizes
    }

    fn size_of(&self, fields: &[NamedValue]) -> usize {
        REST + self.sizes(fields).json + self.texts().map(str::len).sum::<usize>()
    }

    fn memory_of(&self, fields: &[NamedValue]) -> usize {
        let texts: usize = self.texts().map(|text| text.len() + ALLOCATION).sum();
        Self::MEMORY + self.fields.len() * FIELD_MEMORY + self.sizes(fields).texts + texts
    }
}

impl Record {
    /// The same record in a chunk of its own, so that keeping it keeps no other.
    pub(crate) fn alone(&self) -> Self {
        let mut draft = Draft::new(Arc::clone(&self.chunk.origin));
        let parts = self.parts();
        let mut copy = parts.clone();
        copy.request = self.request().map_or(Place::NONE, |request| draft.request(request));
        copy.thread = self.thread_name().map_or(Place::NONE, |thread| draft.thread(thread));
        let (context, metrics) = (self.context_fields(), self.metrics_fields());
        for (name, value) in context {
            draft.context(name.clone(), value.clone());
        }
        for (name, value) in metrics {
            draft.metric(name.clone(), value.clone());
        }
        draft.add(copy);
        draft.finish().pop().unwrap_or_else(|| self.clone())
    }
}
