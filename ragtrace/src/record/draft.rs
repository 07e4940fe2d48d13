//! A chunk on its way: its records are made one by one, looked at by the rules for what may leave, and shared then.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::chunk::{
    Chunk, ChunkMemory, FIELD_MEMORY, FieldRange, Fields, Lists, NamedValue, Parts, Place, REST, Sizes, Subject,
    cut_u32, named, named_words,
};
use super::{Origin, Record};
use crate::Value;
use crate::context::Request;
use crate::stage::StageDescriptor;
use crate::stage::words::{RawField, RawValue};

/// A chunk that is being made, record by record: first its fields, then [`Draft::add`]. A record has its fields all as
/// words, or all as names with values.
#[derive(Debug)]
pub(crate) struct Draft {
    chunk: Chunk,
    /// Where the words, and the fields, of the record that is made begin.
    first_word: usize,
    start: usize,
    /// Its metrics, since they lie behind its context.
    metric_words: Vec<u64>,
    metrics: Vec<NamedValue>,
    sizes: Sizes,
}

impl Draft {
    /// A chunk without records, of the process `origin`.
    pub(crate) fn new(origin: Arc<Origin>) -> Self {
        Self::made_in(origin, Lists::default(), None)
    }

    /// The same in memory that is there already.
    pub(crate) fn in_memory(origin: Arc<Origin>, memory: &ChunkMemory) -> Self {
        Self::made_in(origin, memory.take(), Some(memory.clone()))
    }

    fn made_in(origin: Arc<Origin>, lists: Lists, memory: Option<ChunkMemory>) -> Self {
        let Lists { parts, words, fields } = lists;
        let (requests, threads, read) = (Vec::new(), Vec::new(), OnceLock::new());
        Self {
            chunk: Chunk { origin, requests, threads, parts, words, fields, read, memory },
            first_word: 0,
            start: 0,
            metric_words: Vec::new(),
            metrics: Vec::new(),
            sizes: Sizes::default(),
        }
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

    /// Adds fields, as a stage wrote them, to the context of the record that is being made.
    #[inline]
    pub(crate) fn context_words(&mut self, words: &[u64], sizes: Sizes) {
        self.chunk.words.extend_from_slice(words);
        self.sizes = sizes;
    }

    /// Adds one of them.
    #[inline]
    pub(crate) fn context_word(&mut self, name: &str, field: RawField<'_>) {
        self.sizes.add_raw(name, field.value);
        self.chunk.words.extend_from_slice(field.words);
    }

    /// Adds one to its metrics.
    #[inline]
    pub(crate) fn metric_word(&mut self, name: &str, field: RawField<'_>) {
        self.sizes.add_raw(name, field.value);
        self.metric_words.extend_from_slice(field.words);
    }

    /// Adds a field to the context of the record that is being made.
    #[inline]
    pub(crate) fn context(&mut self, name: Cow<'static, str>, value: Value) {
        self.sizes.add(&name, &value);
        self.chunk.fields.push((name, value));
    }

    /// Adds all fields of another record.
    fn words(&mut self, stage: &'static StageDescriptor, context: &[u64], metrics: &[u64]) {
        let each = named_words(stage, context).chain(named_words(stage, metrics));
        each.for_each(|(name, value)| self.sizes.add_raw(name, value));
        self.chunk.words.extend_from_slice(context);
        self.metric_words.extend_from_slice(metrics);
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
        let Sizes { json, texts, fields: count } = std::mem::take(&mut self.sizes);
        let is_stage = matches!(parts.subject, Subject::Stage(_));
        let is_plain = texts == 0 && parts.failure.is_none() && is_stage;
        let is_named = self.chunk.fields.len() > self.start || !self.metrics.is_empty();
        let fields = if is_stage && !is_named { self.end_words(&parts.subject) } else { self.end_named() };
        let (size, memory) = (cut_u32(REST + json), cut_u32(Parts::MEMORY + count * FIELD_MEMORY + texts));
        self.chunk.parts.push(Parts { fields, size, memory, is_plain, ..parts });
        self.first_word = self.chunk.words.len();
        self.start = self.chunk.fields.len();
    }

    #[inline]
    fn end_words(&mut self, subject: &Subject) -> Fields {
        let (context, metrics) = (self.chunk.words.len() - self.first_word, self.metric_words.len());
        let longest = usize::from(u16::MAX);
        if context > longest || metrics > longest {
            return self.name_words(subject);
        }
        self.chunk.words.append(&mut self.metric_words);
        Fields::Words(FieldRange::new(self.first_word, context, metrics))
    }

    /// More words than a range counts.
    #[cold]
    fn name_words(&mut self, subject: &Subject) -> Fields {
        let Subject::Stage(stage) = subject else { return self.end_named() };
        let context = self.chunk.words.split_off(self.first_word);
        let metrics = std::mem::take(&mut self.metric_words);
        Fields::Named(named(stage, &context, &metrics, &mut self.chunk.fields))
    }

    fn end_named(&mut self) -> Fields {
        let (context, metrics) = (self.chunk.fields.len() - self.start, self.metrics.len());
        self.chunk.fields.append(&mut self.metrics);
        Fields::Named(FieldRange::new(self.start, context, metrics))
    }

    /// Takes back the fields since the last record, which belong to none.
    pub(crate) fn forget(&mut self) {
        self.chunk.words.truncate(self.first_word);
        self.metric_words.clear();
        self.chunk.fields.truncate(self.start);
        self.metrics.clear();
        self.sizes = Sizes::default();
    }

    /// The records that have more than `fields` fields or `bytes` bytes, or a text in a field that does not stay as it is
    /// by name and text, or other texts: one after the other, to be changed.
    pub(crate) fn each_to_refine(
        &mut self,
        fields: usize,
        bytes: usize,
        stays: impl Fn(&'static StageDescriptor, &'static str, &str) -> bool,
        mut change: impl FnMut(&mut Drafted<'_>),
    ) {
        let Chunk { parts, words: all_words, fields: all, .. } = &mut self.chunk;
        for parts in parts.iter_mut().filter(|parts| !parts.is_plain || parts.fields.at_most() > fields) {
            if let (Fields::Words(range), Subject::Stage(stage)) = (parts.fields, &parts.subject) {
                let words = |range| all_words.get(range).unwrap_or_default();
                let (context, metrics) = (words(range.context()), words(range.metrics()));
                let each = || named_words(stage, context).chain(named_words(stage, metrics));
                let stays =
                    |(name, value)| !matches!(value, RawValue::Text(text) if !stays(stage, name, &text.as_str()));
                let is_small =
                    parts.size as usize <= bytes && (parts.fields.at_most() <= fields || each().count() <= fields);
                if is_small && parts.failure.is_none() && each().all(stays) {
                    continue;
                }
                parts.fields = Fields::Named(named(stage, context, metrics, all));
            }
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
        let Chunk { parts, words, fields, memory, .. } = &mut self.chunk;
        // What waits for a sink is counted by its records, so few of them must not hold the memory of many.
        if parts.len() < parts.capacity() / 2
            && let Some(memory) = memory.take()
        {
            let lists = Lists { parts: only(parts), words: only(words), fields: only(fields) };
            memory.put(lists);
        }
        let (records, chunk) = (self.chunk.parts.len(), Arc::new(self.chunk));
        (0..records).map(|at| Record { chunk: Arc::clone(&chunk), at: cut_u32(at) }).collect()
    }
}

/// Leaves what is in `list` in one that is no longer than that, and returns the memory that it had.
fn only<T>(list: &mut Vec<T>) -> Vec<T> {
    let mut few = Vec::with_capacity(list.len());
    few.append(list);
    std::mem::replace(list, few)
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
        self.fields.get_mut(self.parts.fields.named().all()).unwrap_or_default()
    }

    /// How many fields of context and metrics there are.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.parts.fields.named().context().len(), self.parts.fields.named().metrics().len())
    }

    /// Keeps the first `context` and `metrics` of its fields, and adds one to the context.
    pub(crate) fn keep(&mut self, context: usize, metrics: usize, more: NamedValue) {
        let range = self.parts.fields.named();
        let (of_context, of_metrics) = (range.context(), range.metrics());
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
        self.parts.fields = Fields::Named(FieldRange::new(start, context + 1, metrics));
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
        if let Some((stage, context, metrics)) = self.chunk.words_of(parts) {
            draft.words(stage, context, metrics);
        } else {
            let (context, metrics) = self.chunk.fields_of(self.at as usize);
            context.iter().for_each(|(name, value)| draft.context(name.clone(), value.clone()));
            metrics.iter().for_each(|(name, value)| draft.metric(name.clone(), value.clone()));
        }
        draft.add(copy);
        draft.finish().pop().unwrap_or_else(|| self.clone())
    }
}
