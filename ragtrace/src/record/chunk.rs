//! Where records lie: those that were made together, side by side, with what they have in common once.
//!
//! A record by itself would be four or five allocations. A chunk is that many for hundreds of records; each of them
//! is a place in it. The chunk goes when the last of its records does, so whoever keeps few of many for long keeps
//! copies ([`Record::alone`]).

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

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
}

/// What a record has for itself.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) id: Uuid,
    pub(crate) timestamp: Timestamp,
    pub(crate) subject: Subject,
    pub(crate) span_id: Option<SpanId>,
    pub(crate) parent_span_id: Option<SpanId>,
    pub(crate) duration: Option<Duration>,
    pub(crate) busy: Option<Duration>,
    pub(crate) count: Option<u64>,
    /// Its place among the chunk's requests and threads, if it has any.
    pub(crate) request: Option<u32>,
    pub(crate) thread: Option<u32>,
    pub(crate) fields: FieldRange,
    pub(crate) level: Level,
    pub(crate) event: Event,
    pub(crate) local_root: bool,
    pub(crate) failure: Option<Box<(ErrorInfo, Option<String>)>>,
    /// Estimates in bytes: of the canonical JSON, and of the memory it takes.
    pub(crate) size: u32,
    pub(crate) memory: u32,
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
    pub(crate) fn new(id: Uuid, timestamp: Timestamp, event: Event, level: Level, subject: Subject) -> Self {
        Self {
            id,
            timestamp,
            subject,
            span_id: None,
            parent_span_id: None,
            duration: None,
            busy: None,
            count: None,
            request: None,
            thread: None,
            fields: FieldRange::default(),
            level,
            event,
            local_root: false,
            failure: None,
            size: 0,
            memory: 0,
        }
    }
}

/// A chunk that is being made.
#[derive(Debug)]
pub(crate) struct Draft(Chunk);

impl Draft {
    /// A chunk without records, of the process `origin`.
    pub(crate) fn new(origin: Arc<Origin>) -> Self {
        Self::with_capacity(origin, 0)
    }

    /// The same with room for so many records of a few fields.
    pub(crate) fn with_capacity(origin: Arc<Origin>, records: usize) -> Self {
        let (parts, fields) = (Vec::with_capacity(records), Vec::with_capacity(2 * records));
        Self(Chunk { origin, requests: Vec::new(), threads: Vec::new(), parts, fields })
    }

    pub(crate) fn len(&self) -> usize {
        self.0.parts.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.parts.is_empty()
    }

    /// The place of `request`.
    #[inline]
    pub(crate) fn request(&mut self, request: &Arc<Request>) -> Option<u32> {
        place(&mut self.0.requests, request)
    }

    /// The place of `thread`.
    #[inline]
    pub(crate) fn thread(&mut self, thread: &Arc<str>) -> Option<u32> {
        place(&mut self.0.threads, thread)
    }

    /// Adds a field to the record that is added next.
    #[inline]
    pub(crate) fn field(&mut self, name: Cow<'static, str>, value: Value) {
        self.0.fields.push((name, value));
    }

    /// Adds a record whose fields are the last `context` and `metrics`.
    #[inline]
    pub(crate) fn add(&mut self, mut parts: Parts, context: usize, metrics: usize) {
        parts.fields = self.last_fields(context, metrics);
        self.0.parts.push(parts);
    }

    fn last_fields(&self, context: usize, metrics: usize) -> FieldRange {
        let cut = |length: usize| u16::try_from(length).unwrap_or(u16::MAX);
        let start = self.0.fields.len() - context - metrics;
        FieldRange { start: u32::try_from(start).unwrap_or(u32::MAX), context: cut(context), metrics: cut(metrics) }
    }

    /// How many fields there are: what [`Draft::add`] counts from.
    pub(crate) fn fields_len(&self) -> usize {
        self.0.fields.len()
    }

    /// Takes back the fields from `start` on, whose record is not added.
    pub(crate) fn forget(&mut self, start: usize) {
        self.0.fields.truncate(start);
    }

    /// The fields from `start` on.
    pub(crate) fn fields_from(&mut self, start: usize) -> &mut [NamedValue] {
        self.0.fields.get_mut(start..).unwrap_or_default()
    }

    /// Appends fields that were gathered elsewhere.
    pub(crate) fn append(&mut self, fields: &mut Vec<NamedValue>) {
        self.0.fields.append(fields);
    }

    /// One record after the other, to be changed.
    pub(crate) fn each(&mut self, mut change: impl FnMut(&mut Drafted<'_>)) {
        let Chunk { parts, fields, .. } = &mut self.0;
        for parts in parts {
            change(&mut Drafted { parts, fields });
        }
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// The requests of all records, to be changed.
    pub(crate) fn requests_mut(&mut self) -> &mut [Arc<Request>] {
        &mut self.0.requests
    }

    /// The records.
    pub(crate) fn finish(mut self) -> Vec<Record> {
        let records = self.0.parts.len();
        if records == 0 {
            return Vec::new();
        }
        let Chunk { parts, fields, .. } = &mut self.0;
        for parts in parts {
            parts.estimate(fields);
        }
        let chunk = Arc::new(self.0);
        (0..records).map(|at| Record { chunk: Arc::clone(&chunk), at: u32::try_from(at).unwrap_or(u32::MAX) }).collect()
    }
}

#[inline]
fn place<T: ?Sized>(known: &mut Vec<Arc<T>>, one: &Arc<T>) -> Option<u32> {
    if known.last().is_none_or(|last| !Arc::ptr_eq(last, one)) {
        known.push(Arc::clone(one));
    }
    u32::try_from(known.len() - 1).ok()
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
        let start = u32::try_from(start).unwrap_or(u32::MAX);
        let cut = |length: usize| u16::try_from(length).unwrap_or(u16::MAX);
        self.parts.fields = FieldRange { start, context: cut(context + 1), metrics: cut(metrics) };
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
    fn estimate(&mut self, fields: &[NamedValue]) {
        let cut = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
        self.size = cut(self.size_of(fields));
        self.memory = cut(self.memory_of(fields));
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

    fn size_of(&self, fields: &[NamedValue]) -> usize {
        // What a stage's record takes without the texts that its user gives.
        const REST: usize = 480;
        let fields = fields.get(self.fields.all()).unwrap_or_default();
        let fields: usize =
            fields.iter().map(|(name, value)| name.len() + 4 + value.as_str().map_or(16, str::len)).sum();
        REST + fields + self.texts().map(str::len).sum::<usize>()
    }

    /// With a request of its own, since a chunk may have one a record.
    fn memory_of(&self, fields: &[NamedValue]) -> usize {
        /// What the allocator takes for each allocation besides.
        const ALLOCATION: usize = 16;
        let text = |text: &str| text.len() + ALLOCATION;
        let texts = fields.get(self.fields.all()).unwrap_or_default().iter().filter_map(|(_, value)| value.as_str());
        let texts: usize = texts.chain(self.texts()).map(text).sum();
        // Half as much again, because vectors grow by doubling.
        let own = size_of::<Self>() + size_of::<Record>() + self.fields.len() * size_of::<NamedValue>();
        own + own / 2 + size_of::<Request>() + 2 * ALLOCATION + texts
    }
}

impl Record {
    /// The same record in a chunk of its own, so that keeping it keeps no other.
    pub(crate) fn alone(&self) -> Self {
        let mut draft = Draft::with_capacity(Arc::clone(&self.chunk.origin), 1);
        let parts = self.parts();
        let mut copy = parts.clone();
        copy.request = self.request().and_then(|request| draft.request(request));
        copy.thread = self.thread_name().and_then(|thread| draft.thread(thread));
        let (context, metrics) = (self.context_fields(), self.metrics_fields());
        context.iter().chain(metrics).for_each(|(name, value)| draft.field(name.clone(), value.clone()));
        draft.add(copy, context.len(), metrics.len());
        draft.finish().pop().unwrap_or_else(|| self.clone())
    }
}
