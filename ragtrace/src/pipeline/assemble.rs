//! Entries become records: ends are joined with their starts, names and wall times are filled in.
//!
//! A future that moves between threads may have its end read before its start, since each thread has a chain of its
//! own. Such an end waits for its start, which was written before it and so is in one of the chains. An end whose start was
//! refused says what that would have said, and waits for nothing.

#![expect(
    clippy::inline_always,
    reason = "a record is put together of values in registers; by way of memory it takes half as long again"
)]

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use ragtrace_core::context::Request;
use ragtrace_core::entry::{Outcome, Run, RunEnd};
use ragtrace_core::queue::QueuedEntry;
use ragtrace_core::value::encoding::{DecodedFields, EncodedFields, field_id};
use ragtrace_core::{Event, Level, StageDescriptor, Timestamp, Value};

use crate::SpanId;
use crate::metrics::{Measured, Meter, RequestMetric, RunStatus, StageMinute};
use crate::pipeline::open::{LaidIn, OpenRuns, Opened};
use crate::record::{ChunkMemory, Draft, Ids, Marks, Maybe, More, Origin, Parts, Sealed, Sizes, Words, field_name};

/// Makes records of entries, and remembers what is open.
pub(crate) struct Assembler {
    open: OpenRuns,
    /// Ends whose start was not read yet.
    early: Vec<Early>,
    maker: Maker,
}

/// What records are made with.
struct Maker {
    origin: Arc<Origin>,
    memory: ChunkMemory,
    level: Level,
    filtered: u64,
    output: Output,
    /// Tells the output from those before it.
    outputs: u32,
    meter: Meter,
}

/// What the entries read so far make.
pub(crate) struct Output {
    pub(crate) records: Draft,
    pub(crate) requests: Vec<RequestMetric>,
}

impl Output {
    fn new(origin: &Arc<Origin>, ids: Ids, memory: &ChunkMemory) -> Self {
        Self { records: Draft::in_memory(Arc::clone(origin), ids, memory), requests: Vec::new() }
    }
}

struct Early {
    request: Arc<Request>,
    thread: Arc<str>,
    span: SpanId,
    ended: RunEnd,
    fields: Vec<u64>,
}

/// Where an entry comes from.
#[derive(Clone, Copy)]
struct From<'a> {
    request: &'a Arc<Request>,
    thread: &'a Arc<str>,
}

impl Assembler {
    pub(crate) fn new(origin: Arc<Origin>, level: Level) -> Self {
        let memory = ChunkMemory::default();
        let output = Output::new(&origin, Ids::of(&origin), &memory);
        let maker = Maker { origin, memory, level, filtered: 0, output, outputs: 0, meter: Meter::default() };
        Self { open: OpenRuns::default(), early: Vec::new(), maker }
    }

    /// Has records numbered from 1, for tests that compare them with what was written down.
    #[cfg(feature = "testing")]
    pub(crate) fn number_records(&mut self) {
        let Maker { origin, memory, output, .. } = &mut self.maker;
        *output = Output::new(origin, Ids::Numbered(1), memory);
    }

    /// Takes in one entry. `stays` says of a field's name and text whether they may leave as they are.
    pub(crate) fn take(&mut self, taken: &QueuedEntry<'_>, stays: impl Fn(&'static str, &str) -> bool) {
        let QueuedEntry { entry, request, thread } = *taken;
        let from = From { request, thread };
        if let Some((run, fields)) = entry.start() {
            let opened = self.open.entry(run.span);
            opened.begin(&run);
            opened.fields.extend_from_slice(fields);
            opened.sizes = Sizes::of(run.stage, fields, &stays);
            self.maker.start(from, &run, fields, opened);
        } else if let Some((span, ended, run, fields)) = entry.end() {
            if let Some(run) = run {
                self.open.entry(span).begin(&run);
            }
            if !self.end_begun(from, span, ended, fields, &stays) {
                self.keep_early(from, span, ended, fields);
            }
        } else if let Some((span, fields)) = entry.note() {
            self.open.entry(span).notes.extend_from_slice(fields);
        }
    }

    #[cold]
    fn keep_early(&mut self, from: From<'_>, span: SpanId, ended: RunEnd, fields: &[u64]) {
        let (request, thread) = (Arc::clone(from.request), Arc::clone(from.thread));
        self.early.push(Early { request, thread, span, ended, fields: fields.to_vec() });
    }

    /// What was made since the last call.
    pub(crate) fn settle(&mut self, stays: impl Fn(&'static str, &str) -> bool) -> Output {
        self.end_early(&stays);
        let Maker { origin, memory, output, outputs, .. } = &mut self.maker;
        let next = Output::new(origin, output.records.next_ids(), memory);
        *outputs = outputs.wrapping_add(1);
        std::mem::replace(output, next)
    }

    #[inline(never)]
    fn end_early(&mut self, stays: impl Fn(&'static str, &str) -> bool) {
        for early in std::mem::take(&mut self.early) {
            let from = From { request: &early.request, thread: &early.thread };
            if !self.end_begun(from, early.span, early.ended, &early.fields, &stays) {
                self.early.push(early);
            }
        }
    }

    /// Whether there is so much that it should be taken.
    pub(crate) fn is_full(&self) -> bool {
        self.maker.output.records.is_full()
    }

    /// Counts of stages for minutes that were over at `now`; all there are without it.
    pub(crate) fn take_minutes(&mut self, now: Option<Timestamp>) -> Vec<StageMinute> {
        self.maker.meter.take(now)
    }

    /// Records that the level hid.
    pub(crate) fn filtered(&self) -> u64 {
        self.maker.filtered
    }

    /// Makes a record of an end whose start was read, and says whether it was.
    #[inline(always)]
    fn end_begun(
        &mut self,
        from: From<'_>,
        span: SpanId,
        ended: RunEnd,
        fields: &[u64],
        stays: impl Fn(&'static str, &str) -> bool,
    ) -> bool {
        let Some((run, opened)) = self.open.begun(span) else { return false };
        self.maker.end(from, &run, ended, opened, fields, stays);
        self.open.remove(span);
        true
    }
}

impl Maker {
    #[inline(always)]
    fn start(&mut self, from: From<'_>, run: &Run, fields: &[u64], opened: &mut Opened) {
        let level = run.stage.level();
        if !self.shows(level) {
            return;
        }
        let timestamp = from.request.anchor.wall_at(run.started);
        let seen = Seen { timestamp, event: Event::Started, level, duration: Maybe::NONE, busy: Maybe::NONE };
        if fields.len() > Draft::LONGEST {
            self.context(run.stage, DecodedFields(fields));
            return self.add_named(from, run, seen, Said::default());
        }
        let context = self.output.records.lay(fields);
        opened.laid = Some(LaidIn { output: self.outputs, words: context });
        let words = Words { context, sizes: opened.sizes, ..Words::default() };
        self.add(from, run, seen, Said::default(), words);
    }

    #[inline(always)]
    fn end(
        &mut self,
        from: From<'_>,
        run: &Run,
        ended: RunEnd,
        opened: &Opened,
        fields: &[u64],
        stays: impl Fn(&'static str, &str) -> bool,
    ) {
        let (event, level) = match ended.outcome {
            Outcome::Completed => (Event::Completed, run.stage.level()),
            Outcome::Failed => (Event::Failed, Level::Error),
            Outcome::Cancelled => (Event::Cancelled, Level::Warn),
        };
        let timestamp = from.request.anchor.wall_at(ended.at);
        let nanos = ended.at.nanos_since(run.started);
        let busy = ended.busy.map_or(Maybe::NONE, |busy| Maybe::of(busy.min(nanos)));
        let seen = Seen { timestamp, event, level, duration: Maybe::of(nanos), busy };
        let shows = self.shows(level);
        let before = self.output.records.end_of_words();
        let mut sizes = opened.sizes;
        let laid = if opened.notes.is_empty() && opened.fields.len() + fields.len() <= Draft::LONGEST {
            Said::in_words(&mut self.output.records, run.stage, &opened.fields, fields, &mut sizes, stays)
        } else {
            None
        };
        let Some((said, texts)) = laid else {
            self.output.records.take_back(before);
            return self.end_named(from, run, seen, opened, fields, shows);
        };
        self.count(from, run, seen, &said);
        if !shows {
            return self.output.records.take_back(before);
        }
        let metrics = self.output.records.laid_since(before);
        let context = match opened.laid {
            // The words of the start serve both.
            Some(LaidIn { output, words }) if output == self.outputs && texts.is_empty() => words,
            _ => self.output.records.lay_both(&opened.fields, &texts),
        };
        self.add(from, run, seen, said, Words { context, metrics, sizes });
    }

    /// An end whose fields are told apart by their names: what is recorded more than once is what was recorded last. There
    /// may be more words, too, than a record counts.
    #[cold]
    #[inline(never)]
    fn end_named(&mut self, from: From<'_>, run: &Run, seen: Seen, opened: &Opened, fields: &[u64], shows: bool) {
        let mut said = Said::default();
        self.context(run.stage, DecodedFields(&opened.fields));
        // `count` in `record!` is the count too, if the result has none.
        for (index, value) in DecodedFields(&opened.notes).chain(DecodedFields(fields)) {
            said.take(&mut self.output.records, run.stage, index, value);
        }
        self.count(from, run, seen, &said);
        if shows { self.add_named(from, run, seen, said) } else { self.output.records.forget() }
    }

    /// Counts the run for its minute, and for its request if it is all of it that ran here.
    #[inline]
    fn count(&mut self, from: From<'_>, run: &Run, seen: Seen, said: &Said) {
        let nanos = seen.duration.get().unwrap_or(0);
        let status = RunStatus::of(seen.event);
        self.meter.count(&Measured {
            at: seen.timestamp,
            stage: run.stage,
            request: from.request,
            status,
            items: said.count,
            cost_usd: said.cost_usd,
            nanos,
        });
        if run.local_root {
            let (operation, request) = (Cow::Borrowed(run.stage.name()), Arc::clone(from.request));
            let (timestamp, duration) = (seen.timestamp, Duration::from_nanos(nanos));
            self.output.requests.push(RequestMetric { timestamp, operation, duration, status, request });
        }
    }

    /// Adds the fields of a start by their names.
    fn context(&mut self, stage: &'static StageDescriptor, fields: DecodedFields<'_>) {
        for (index, value) in fields {
            if let Some(name) = field_name(stage, index) {
                self.output.records.context(Cow::Borrowed(name), value);
            }
        }
    }

    fn shows(&mut self, level: Level) -> bool {
        let shows = level >= self.level;
        self.filtered += u64::from(!shows);
        shows
    }

    /// Adds a record with these fields. It is put together here, and so written once.
    #[inline(always)]
    fn add(&mut self, from: From<'_>, run: &Run, seen: Seen, said: Said, words: Words) {
        let Seen { timestamp, event, level, duration, busy } = seen;
        let records = &mut self.output.records;
        let request = records.request(from.request);
        let thread = records.thread(from.thread);
        let Said { count, failure: more, .. } = said;
        let Sealed { fields, size, memory, marks } = records.seal_words(run.stage, words, more.is_some());
        let (stage, count) = (Some(run.stage), Maybe::from(count));
        let (span_id, parent_span_id) = (Some(run.span), run.parent);
        let marks = marks.with(Marks::LOCAL_ROOT, run.local_root);
        records.push(|| Parts {
            stage,
            more,
            timestamp,
            span_id,
            parent_span_id,
            duration,
            busy,
            count,
            fields,
            request,
            thread,
            size,
            memory,
            level,
            event,
            marks,
        });
    }

    /// Adds the record whose fields were added by their names.
    #[cold]
    fn add_named(&mut self, from: From<'_>, run: &Run, seen: Seen, said: Said) {
        let Seen { timestamp, event, level, duration, busy } = seen;
        let records = &mut self.output.records;
        let (request, thread) = (records.request(from.request), records.thread(from.thread));
        records.add(Parts {
            count: Maybe::from(said.count),
            more: said.failure,
            span_id: Some(run.span),
            parent_span_id: run.parent,
            duration,
            busy,
            request,
            thread,
            marks: Marks::default().with(Marks::LOCAL_ROOT, run.local_root),
            ..Parts::new(timestamp, event, level, Some(run.stage))
        });
    }
}

/// What a stage's record says besides its run and what it said.
#[derive(Clone, Copy)]
struct Seen {
    timestamp: Timestamp,
    event: Event,
    level: Level,
    /// Of an end: how long the run took, and the time inside polls.
    duration: Maybe,
    busy: Maybe,
}

/// Whether a text or a truth value of an end has the name of a field of its start, whose place it takes then.
#[cold]
fn repeats(stage: &'static StageDescriptor, start: &[u64], end: &[u64]) -> bool {
    let of_start = |name| EncodedFields(start).any(|field| field_name(stage, field.name) == Some(name));
    let mut ends = EncodedFields(end).filter(|field| !field.value.is_number());
    ends.any(|field| field_name(stage, field.name).is_some_and(of_start))
}

/// What an end says of its run besides its fields.
#[derive(Default)]
struct Said {
    count: Option<u64>,
    cost_usd: Option<f64>,
    failure: Failed,
}

impl Said {
    /// Lays down the numbers of an end, and returns what it says besides, and its other fields, which belong to the context. `None`
    /// if fields have to be told apart by their names.
    #[inline(always)]
    fn in_words(
        draft: &mut Draft,
        stage: &'static StageDescriptor,
        start: &[u64],
        words: &[u64],
        sizes: &mut Sizes,
        stays: impl Fn(&'static str, &str) -> bool,
    ) -> Option<(Self, Vec<u64>)> {
        let (mut count, mut cost_usd, mut failure, mut texts) = (None, None, None, Vec::new());
        for field in EncodedFields(words) {
            match (field.name, field_name(stage, field.name)) {
                (field_id::COUNT, _) | (_, Some("count")) => count = field.value.as_u64(),
                (
                    field_id::ERROR_TYPE | field_id::ERROR_MESSAGE | field_id::ERROR_SOURCE | field_id::STACK_TRACE,
                    _,
                ) => {
                    failed(&mut failure, field.name, field.value.to_value());
                }
                (_, None) => {}
                (_, Some(name)) => {
                    sizes.add_raw(|| Some(name), field.value, &stays);
                    if field.value.is_number() {
                        if name == "cost_usd" {
                            cost_usd = field.value.as_f64();
                        }
                        draft.lay(field.words);
                    } else {
                        texts.extend_from_slice(field.words);
                    }
                }
            }
        }
        let said = Self { count, cost_usd, failure };
        (texts.is_empty() || !repeats(stage, start, &texts)).then_some((said, texts))
    }

    /// Puts a value where it belongs: here, or in the record that is being made.
    fn take(&mut self, record: &mut Draft, stage: &'static StageDescriptor, index: u16, value: Value) {
        let name = match index {
            field_id::COUNT => return self.count = value.as_u64(),
            field_id::ERROR_TYPE | field_id::ERROR_MESSAGE | field_id::ERROR_SOURCE | field_id::STACK_TRACE => {
                return failed(&mut self.failure, index, value);
            }
            index => match field_name(stage, index) {
                Some(name) => name,
                None => return,
            },
        };
        match name {
            "count" => return self.count = value.as_u64(),
            "cost_usd" => self.cost_usd = value.as_f64(),
            _ => {}
        }
        let is_number = value.is_number();
        // What is recorded more than once, as `record!` may, is what was recorded last.
        if let Some(earlier) = record.earlier(name, is_number) {
            *earlier = value;
        } else if is_number {
            record.metric(Cow::Borrowed(name), value);
        } else {
            record.context(Cow::Borrowed(name), value);
        }
    }
}

type Failed = Option<Box<More>>;

#[inline(never)]
fn failed(failure: &mut Failed, index: u16, value: Value) {
    let Value::Text(text) = value else { return };
    let (error, stack_trace) = failure.get_or_insert_default().failure.get_or_insert_default();
    let (type_name, message, chain) = error.parts_mut();
    match index {
        field_id::ERROR_TYPE => *type_name = text,
        field_id::ERROR_MESSAGE => *message = text.into_owned(),
        field_id::ERROR_SOURCE => chain.push(text.into_owned()),
        _ => *stack_trace = Some(text.into_owned()),
    }
}
