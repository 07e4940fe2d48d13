//! A chunk on its way: its records are made one by one, looked at by the rules for what may leave, and shared then.

#![expect(clippy::inline_always, reason = "what is known of a record stays in registers until it is pushed")]

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use ragtrace_core::StageDescriptor;
use ragtrace_core::context::Request;
use ragtrace_core::stage::words::RawField;

use super::chunk::{
    Chunk, ChunkMemory, FIELD_MEMORY, FieldRange, Fields, Lists, NamedValue, Parts, Place, REST, Sizes, Subject,
    cut_u32, named, named_words,
};
use super::{Origin, Record};
use crate::Value;

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

/// What is known of a record once its fields are there.
pub(crate) struct Sealed {
    pub(crate) fields: Fields,
    /// Estimates, as [`Parts`] has them.
    pub(crate) size: u32,
    pub(crate) memory: u32,
    pub(crate) is_clean: bool,
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

    /// Adds one of them, as [`Sizes::of`] looks at it.
    #[inline]
    pub(crate) fn context_word(
        &mut self,
        name: &'static str,
        field: RawField<'_>,
        stays: impl Fn(&'static str, &str) -> bool,
    ) {
        self.sizes.add_raw(name, field.value, stays);
        self.chunk.words.extend_from_slice(field.words);
    }

    /// Adds a number to its metrics.
    #[inline]
    pub(crate) fn metric_word(&mut self, name: &'static str, field: RawField<'_>) {
        self.sizes.add_raw(name, field.value, |_, _| true);
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
        each.for_each(|(name, value)| self.sizes.add_raw(name, value, |_, _| true));
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
    pub(crate) fn add(&mut self, parts: Parts) {
        let may_be_clean = parts.failure.is_none() && matches!(parts.subject, Subject::Stage(_));
        let fields = self.end_named();
        let Sealed { fields, size, memory, is_clean } = self.seal(fields, may_be_clean);
        self.push(|| Parts { fields, size, memory, is_clean, ..parts });
    }

    /// Ends the fields of a record of `stage`, which is pushed next.
    #[inline(always)]
    pub(crate) fn seal_words(&mut self, stage: &'static StageDescriptor, has_failed: bool) -> Sealed {
        let is_named = self.chunk.fields.len() > self.start || !self.metrics.is_empty();
        let fields = if is_named { self.end_named() } else { self.end_words(stage) };
        self.seal(fields, !has_failed)
    }

    #[inline(always)]
    fn seal(&mut self, fields: Fields, may_be_clean: bool) -> Sealed {
        let Sizes { json, texts, fields: count, changes } = std::mem::take(&mut self.sizes);
        let is_clean = may_be_clean && if fields.words().is_some() { !changes } else { texts == 0 };
        self.first_word = self.chunk.words.len();
        self.start = self.chunk.fields.len();
        Sealed {
            fields,
            size: cut_u32(REST + json),
            memory: cut_u32(Parts::MEMORY + count * FIELD_MEMORY + texts),
            is_clean,
        }
    }

    /// Adds a record whose fields are sealed. It is made where it stays, once there is room.
    #[inline(always)]
    pub(crate) fn push(&mut self, make: impl FnOnce() -> Parts) {
        self.chunk.parts.extend(std::iter::once_with(make));
    }

    #[inline(always)]
    fn end_words(&mut self, stage: &'static StageDescriptor) -> Fields {
        let (context, metrics) = (self.chunk.words.len() - self.first_word, self.metric_words.len());
        let longest = usize::from(u16::MAX);
        if context > longest || metrics > longest {
            return self.name_words(stage);
        }
        self.chunk.words.append(&mut self.metric_words);
        Fields::of_words(FieldRange::new(self.first_word, context, metrics))
    }

    /// More words than a range counts.
    #[cold]
    fn name_words(&mut self, stage: &'static StageDescriptor) -> Fields {
        let context = self.chunk.words.split_off(self.first_word);
        let metrics = std::mem::take(&mut self.metric_words);
        Fields::of_named(named(stage, &context, &metrics, &mut self.chunk.fields))
    }

    fn end_named(&mut self) -> Fields {
        let (context, metrics) = (self.chunk.fields.len() - self.start, self.metrics.len());
        self.chunk.fields.append(&mut self.metrics);
        Fields::of_named(FieldRange::new(self.start, context, metrics))
    }

    /// Takes back the fields since the last record, which belong to none.
    pub(crate) fn forget(&mut self) {
        self.chunk.words.truncate(self.first_word);
        self.metric_words.clear();
        self.chunk.fields.truncate(self.start);
        self.metrics.clear();
        self.sizes = Sizes::default();
    }

    /// The records that have more than `fields` fields or `bytes` bytes or may not leave as they are for another reason,
    /// one after the other, to be changed.
    pub(crate) fn each_to_refine(&mut self, fields: usize, bytes: usize, mut change: impl FnMut(&mut Drafted<'_>)) {
        let Chunk { parts, words: all_words, fields: all, .. } = &mut self.chunk;
        let changes =
            |parts: &&mut Parts| !parts.is_clean || parts.fields.at_most() > fields || parts.size as usize > bytes;
        for parts in parts.iter_mut().filter(changes) {
            if let (Some(range), Subject::Stage(stage)) = (parts.fields.words(), &parts.subject) {
                let words = |range| all_words.get(range).unwrap_or_default();
                parts.fields = Fields::of_named(named(stage, words(range.context()), words(range.metrics()), all));
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
        self.parts.fields = Fields::of_named(FieldRange::new(start, context + 1, metrics));
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
            let (_, message, chain) = error.parts_mut();
            let texts = std::iter::once(message).chain(chain).chain(stack_trace);
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
            let Sealed { fields, size, memory, is_clean } = draft.seal_words(stage, copy.failure.is_some());
            draft.push(|| Parts { fields, size, memory, is_clean, ..copy });
        } else {
            let (context, metrics) = self.chunk.fields_of(self.at as usize);
            for (name, value) in context {
                draft.context(name.clone(), value.clone());
            }
            for (name, value) in metrics {
                draft.metric(name.clone(), value.clone());
            }
            draft.add(copy);
        }
        draft.finish().pop().unwrap_or_else(|| self.clone())
    }
}
