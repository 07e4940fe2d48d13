//! A chunk on its way: its records are made one by one, looked at by the rules for what may leave, and shared then.

#![expect(clippy::inline_always, reason = "what is known of a record stays in registers until it is pushed")]

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use ragtrace_core::StageDescriptor;
use ragtrace_core::context::Request;

use super::chunk::{Chunk, ChunkMemory, Lists};
use super::fields::{Fields, Laid, NamedValue, Sizes, cut_u32, named};
use super::ids::Ids;
use super::parts::{Marks, Parts, Place};
use super::{Origin, Record};
use crate::Value;

/// A chunk that is being made, record by record. A record of a stage has its words laid down and is pushed then; any other
/// has its fields added one by one, and then itself.
#[derive(Debug)]
pub(crate) struct Draft {
    chunk: Chunk,
    /// Where the fields of the record that is made begin.
    start: usize,
    /// Its metrics, since they lie behind its context.
    metrics: Vec<NamedValue>,
    sizes: Sizes,
    most: Most,
}

/// What is the most of all records, so that the rules need not look at each.
#[derive(Clone, Copy, Debug, Default)]
struct Most {
    fields: u32,
    size: u32,
    /// Whether one may not leave as it is.
    is_unclean: bool,
}

/// The fields of a record as words that were laid down, and what they take.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Words {
    pub(crate) context: Laid,
    pub(crate) metrics: Laid,
    pub(crate) sizes: Sizes,
}

/// What is known of a record once its fields are there.
pub(crate) struct Sealed {
    pub(crate) fields: Fields,
    /// Estimates, as [`Parts`] has them.
    pub(crate) size: u32,
    pub(crate) memory: u32,
    /// `CLEAN` and `WORDS`.
    pub(crate) marks: Marks,
}

impl Draft {
    /// A chunk without records, of the process `origin`.
    pub(crate) fn new(origin: Arc<Origin>) -> Self {
        Self::made_in(origin, Ids::random(), Lists::default(), None)
    }

    /// The same in memory that is there already, with these ids.
    pub(crate) fn in_memory(origin: Arc<Origin>, ids: Ids, memory: &ChunkMemory) -> Self {
        Self::made_in(origin, ids, memory.take(), Some(memory.clone()))
    }

    fn made_in(origin: Arc<Origin>, ids: Ids, lists: Lists, memory: Option<ChunkMemory>) -> Self {
        let Lists { parts, words, fields } = lists;
        let (requests, threads, read) = (Vec::new(), Vec::new(), OnceLock::new());
        Self {
            chunk: Chunk { origin, ids, requests, threads, parts, words, fields, read, memory },
            start: 0,
            metrics: Vec::new(),
            sizes: Sizes::default(),
            most: Most::default(),
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

    /// The ids of what comes after the records that are there.
    pub(crate) fn next_ids(&self) -> Ids {
        self.chunk.ids.from(self.chunk.parts.len())
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

    /// Lays down words, for one record or more.
    #[inline]
    pub(crate) fn lay(&mut self, words: &[u64]) -> Laid {
        let end = self.end_of_words();
        self.chunk.words.extend_from_slice(words);
        Laid { length: cut_u32(words.len()), ..end }
    }

    /// Lays down two lists, one after the other.
    pub(crate) fn lay_both(&mut self, first: &[u64], second: &[u64]) -> Laid {
        let Laid { at, length } = self.lay(first);
        Laid { at, length: length + self.lay(second).length }
    }

    /// Where the next words will be laid down.
    #[inline]
    pub(crate) fn end_of_words(&self) -> Laid {
        Laid { at: cut_u32(self.chunk.words.len()), length: 0 }
    }

    /// What was laid down since that was the end of words.
    #[inline]
    pub(crate) fn laid_since(&self, end: Laid) -> Laid {
        Laid { length: self.end_of_words().at - end.at, ..end }
    }

    /// Takes back `laid` and what was laid down after it.
    #[inline]
    pub(crate) fn take_back(&mut self, laid: Laid) {
        self.chunk.words.truncate(laid.at as usize);
    }

    /// So many words a record may have of context, and of metrics.
    pub(crate) const LONGEST: usize = u16::MAX as usize;

    /// What is known of a record of `stage` with these fields.
    #[inline(always)]
    pub(crate) fn seal_words(&mut self, stage: &'static StageDescriptor, words: Words, has_failed: bool) -> Sealed {
        let Words { context, metrics, sizes } = words;
        let fields = Fields::of_words(context, metrics);
        let is_clean = !sizes.changes && !has_failed;
        self.seal(fields, sizes, stage.longest_name(), Marks::WORDS.with(Marks::CLEAN, is_clean))
    }

    #[inline(always)]
    fn seal(&mut self, fields: Fields, sizes: Sizes, name: u8, marks: Marks) -> Sealed {
        let size = sizes.size(name);
        let Most { fields: most, size: largest, is_unclean } = self.most;
        self.most = Most {
            fields: most.max(sizes.fields),
            size: largest.max(size),
            is_unclean: is_unclean || !marks.has(Marks::CLEAN),
        };
        Sealed { fields, size, memory: Parts::MEMORY.saturating_add(sizes.memory()), marks }
    }

    /// Adds a record whose fields are sealed. It is made where it stays, once there is room.
    #[inline(always)]
    pub(crate) fn push(&mut self, make: impl FnOnce() -> Parts) {
        if self.chunk.parts.len() == self.chunk.parts.capacity() {
            self.make_room();
        }
        self.chunk.parts.push(make());
    }

    #[cold]
    #[inline(never)]
    fn make_room(&mut self) {
        self.chunk.parts.reserve(1);
    }

    /// Adds a field to the context of the record that is being made.
    pub(crate) fn context(&mut self, name: Cow<'static, str>, value: Value) {
        self.sizes.add(&name, &value);
        self.chunk.fields.push((name, value));
    }

    /// Adds a field to its metrics.
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
        let is_clean = parts.more.is_none() && !self.sizes.has_texts();
        let (start, context) = (self.start, self.chunk.fields.len() - self.start);
        let (metrics_at, metrics) = (self.chunk.fields.len(), self.metrics.len());
        self.chunk.fields.append(&mut self.metrics);
        self.start = self.chunk.fields.len();
        let mut sizes = std::mem::take(&mut self.sizes);
        parts.add_texts(&mut sizes);
        let fields = Fields::new(start, context, metrics_at, metrics);
        let is_root = parts.marks.has(Marks::LOCAL_ROOT);
        let marks = Marks::default().with(Marks::CLEAN, is_clean).with(Marks::LOCAL_ROOT, is_root);
        let Sealed { fields, size, memory, marks } = self.seal(fields, sizes, 0, marks);
        self.push(|| Parts { fields, size, memory, marks, ..parts });
    }

    /// Takes back the fields since the last record, which belong to none.
    pub(crate) fn forget(&mut self) {
        self.chunk.fields.truncate(self.start);
        self.metrics.clear();
        self.sizes = Sizes::default();
    }

    /// The records that have more than `fields` fields or `bytes` bytes or may not leave as they are for another reason,
    /// one after the other, to be changed.
    pub(crate) fn each_to_refine(&mut self, fields: usize, bytes: usize, mut change: impl FnMut(&mut Drafted<'_>)) {
        if !self.most.is_unclean && self.most.fields as usize <= fields && self.most.size as usize <= bytes {
            return;
        }
        let Chunk { parts, words: all_words, fields: all, .. } = &mut self.chunk;
        let changes = |parts: &&mut Parts| {
            !parts.marks.has(Marks::CLEAN) || parts.fields.len() > fields || parts.size as usize > bytes
        };
        for parts in parts.iter_mut().filter(changes) {
            if let Some(stage) = parts.stage.filter(|_| parts.marks.has(Marks::WORDS)) {
                let words = |range| all_words.get(range).unwrap_or_default();
                parts.fields = named(stage, words(parts.fields.context()), words(parts.fields.metrics()), all);
                parts.marks = parts.marks.without(Marks::WORDS);
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
    /// Its fields, context and metrics, to be changed.
    pub(crate) fn each_field(&mut self, mut change: impl FnMut(&mut NamedValue)) {
        for range in [self.parts.fields.context(), self.parts.fields.metrics()] {
            self.fields.get_mut(range).unwrap_or_default().iter_mut().for_each(&mut change);
        }
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
        let middle = self.fields.len();
        take(self.fields, of_metrics.start..of_metrics.start + metrics);
        self.parts.fields = Fields::new(start, context + 1, middle, metrics);
    }

    /// About how many bytes the canonical JSON takes.
    pub(crate) fn size(&self) -> usize {
        self.parts.size_of(self.fields)
    }

    /// The texts besides the fields: message, error, stack trace.
    pub(crate) fn texts(&mut self, mut change: impl FnMut(Text<'_>)) {
        let Some(more) = self.parts.more.as_deref_mut() else { return };
        if let Some(message) = &mut more.other.message {
            change(Text::Message(message));
        }
        if let Some((error, stack_trace)) = &mut more.failure {
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
        let ids = self.chunk.ids.from(self.at as usize);
        let mut draft = Draft::made_in(Arc::clone(&self.chunk.origin), ids, Lists::default(), None);
        let mut copy = self.parts().clone();
        copy.request = self.request().map_or(Place::NONE, |request| draft.request(request));
        copy.thread = self.thread_name().map_or(Place::NONE, |thread| draft.thread(thread));
        if let Some((_, context, metrics)) = self.chunk.words_of(self.parts()) {
            let (context, metrics) = (draft.lay(context), draft.lay(metrics));
            copy.fields = Fields::of_words(context, metrics);
            draft.push(|| copy);
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
