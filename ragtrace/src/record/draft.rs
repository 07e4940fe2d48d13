//! A chunk on its way: its records are made one by one, looked at by the rules for what may leave, and shared then.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::chunk::{
    Chunk, ChunkMemory, FIELD_MEMORY, FieldRange, NamedValue, Parts, Place, REST, Sizes, Subject, cut_u32,
};
use super::{Origin, Record};
use crate::Value;
use crate::context::Request;

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
        let fields = FieldRange::new(self.start, context, metrics);
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
        self.parts.fields = FieldRange::new(start, context + 1, metrics);
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
