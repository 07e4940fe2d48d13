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
use ragtrace_core::id::record_id;
use ragtrace_core::queue::Taken;
use ragtrace_core::stage::entry::{self, Ended, Outcome, Run};
use ragtrace_core::stage::words::{FieldWords, RawFields, name};
use ragtrace_core::{ErrorInfo, Event, Level, StageDescriptor, Timestamp, Value};
use uuid::Uuid;

use crate::SpanId;
use crate::metrics::{Measured, Meter, RequestMetric, RunStatus, StageMinute};
use crate::pipeline::open::{OpenRuns, Opened};
use crate::record::{ChunkMemory, Draft, Origin, Parts, Sealed, Sizes, Subject, Time, field_name};

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
    meter: Meter,
    /// How many records were made, if their ids are to be numbers.
    numbered: Option<u64>,
}

/// What the entries read so far make.
pub(crate) struct Output {
    pub(crate) records: Draft,
    pub(crate) requests: Vec<RequestMetric>,
}

impl Output {
    fn new(origin: &Arc<Origin>, memory: &ChunkMemory) -> Self {
        Self { records: Draft::in_memory(Arc::clone(origin), memory), requests: Vec::new() }
    }
}

struct Early {
    request: Arc<Request>,
    thread: Arc<str>,
    end: End,
    fields: Vec<u64>,
}

#[derive(Clone, Copy)]
struct End {
    span: SpanId,
    ended: Ended,
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
        let (output, meter) = (Output::new(&origin, &memory), Meter::default());
        let maker = Maker { origin, memory, level, filtered: 0, output, meter, numbered: None };
        Self { open: OpenRuns::default(), early: Vec::new(), maker }
    }

    /// Has records numbered from 1, for tests that compare them with what was written down.
    #[cfg(feature = "testing")]
    pub(crate) fn number_records(&mut self) {
        self.maker.numbered = Some(0);
    }

    /// Takes in one entry. `stays` says of a field's name and text whether they may leave as they are.
    pub(crate) fn take(&mut self, taken: &Taken<'_>, stays: impl Fn(&'static str, &str) -> bool) {
        let Taken { words, request, thread } = *taken;
        let from = From { request, thread };
        if let Some((run, fields)) = entry::read_start(words) {
            let opened = self.open.entry(run.span);
            opened.run = Some(run);
            opened.fields.extend_from_slice(fields);
            opened.sizes = Sizes::of(run.stage, fields, &stays);
            self.maker.start(from, &run, fields, opened.sizes);
        } else if let Some((span, ended, run, fields)) = entry::read_end(words) {
            let end = End { span, ended };
            if let Some(run) = run {
                self.open.entry(span).run = Some(run);
            }
            if !self.end_started(from, end, fields, &stays) {
                self.keep_early(from, end, fields);
            }
        } else if let Some((span, fields)) = entry::read_note(words) {
            self.open.entry(span).notes.extend_from_slice(fields);
        }
    }

    #[cold]
    fn keep_early(&mut self, from: From<'_>, end: End, fields: &[u64]) {
        let (request, thread) = (Arc::clone(from.request), Arc::clone(from.thread));
        self.early.push(Early { request, thread, end, fields: fields.to_vec() });
    }

    /// What was made since the last call.
    pub(crate) fn settle(&mut self, stays: impl Fn(&'static str, &str) -> bool) -> Output {
        for early in std::mem::take(&mut self.early) {
            let from = From { request: &early.request, thread: &early.thread };
            if !self.end_started(from, early.end, &early.fields, &stays) {
                self.early.push(early);
            }
        }
        let next = Output::new(&self.maker.origin, &self.maker.memory);
        std::mem::replace(&mut self.maker.output, next)
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
    fn end_started(
        &mut self,
        from: From<'_>,
        end: End,
        fields: &[u64],
        stays: impl Fn(&'static str, &str) -> bool,
    ) -> bool {
        let Self { open, maker, .. } = self;
        let made = open.remove(end.span, |run, opened| maker.end(from, run, end.ended, opened, fields, stays));
        made.is_some()
    }
}

impl Maker {
    #[inline(always)]
    fn start(&mut self, from: From<'_>, run: &Run, fields: &[u64], sizes: Sizes) {
        let level = run.stage.level();
        if self.shows(level) {
            let timestamp = from.request.anchor.wall_at(run.started);
            self.output.records.context_words(fields, sizes);
            self.add(from, run, Seen { timestamp, event: Event::Started, level, ended: None });
        }
    }

    #[inline(always)]
    fn end(
        &mut self,
        from: From<'_>,
        run: &Run,
        ended: Ended,
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
        let duration = ended.at.since(run.started);
        let shows = self.shows(level);
        let said = if opened.notes.is_empty() && !repeats(run.stage, &opened.fields, fields) {
            self.output.records.context_words(&opened.fields, opened.sizes);
            Said::in_words(&mut self.output.records, run.stage, fields, stays)
        } else {
            self.read_fields(run.stage, opened, fields)
        };
        let status = RunStatus::of(event);
        self.meter.count(&Measured {
            at: timestamp,
            stage: run.stage,
            request: from.request,
            status,
            items: said.count,
            cost_usd: said.cost_usd,
            duration,
        });
        if run.local_root {
            let (operation, request) = (Cow::Borrowed(run.stage.name()), Arc::clone(from.request));
            self.output.requests.push(RequestMetric { timestamp, operation, duration, status, request });
        }
        if !shows {
            return self.output.records.forget();
        }
        let busy = ended.busy.map(|busy| Duration::from_nanos(busy).min(duration));
        let ended = Some((Some(duration), busy, said));
        self.add(from, run, Seen { timestamp, event, level, ended });
    }

    /// Adds the fields of a run to its end, by name: what is recorded more than once is what was recorded last.
    #[cold]
    #[inline(never)]
    fn read_fields(&mut self, stage: &'static StageDescriptor, opened: &Opened, fields: &[u64]) -> Said {
        let mut said = Said::default();
        self.context(stage, FieldWords(&opened.fields));
        // `count` in `record!` is the count too, if the result has none.
        for (index, value) in FieldWords(&opened.notes).chain(FieldWords(fields)) {
            said.take(&mut self.output.records, stage, index, value);
        }
        said
    }

    /// Adds the fields of a start.
    fn context(&mut self, stage: &'static StageDescriptor, fields: FieldWords<'_>) {
        for (index, value) in fields {
            if let Some(name) = field_name(stage, index) {
                self.output.records.context(Cow::Borrowed(name), value);
            }
        }
    }

    fn record_id(&mut self, timestamp: Timestamp) -> Uuid {
        match &mut self.numbered {
            None => record_id(timestamp),
            Some(last) => {
                *last += 1;
                Uuid::from_u128(u128::from(*last))
            }
        }
    }

    fn shows(&mut self, level: Level) -> bool {
        let shows = level >= self.level;
        self.filtered += u64::from(!shows);
        shows
    }

    /// Adds the record whose fields were added. It is put together here and nowhere else, and so written once.
    #[inline(always)]
    fn add(&mut self, from: From<'_>, run: &Run, seen: Seen) {
        let Seen { timestamp, event, level, ended } = seen;
        let (duration, busy, said) = ended.unwrap_or_default();
        let id = self.record_id(timestamp);
        let records = &mut self.output.records;
        let request = records.request(from.request);
        let thread = records.thread(from.thread);
        let Sealed { fields, size, memory, is_clean } = records.seal_words(run.stage, said.failure.is_some());
        records.push(|| Parts {
            id,
            timestamp,
            subject: Subject::Stage(run.stage),
            span_id: Some(run.span),
            parent_span_id: run.parent,
            duration: Time::from(duration),
            busy: Time::from(busy),
            count: said.count,
            request,
            thread,
            fields,
            level,
            event,
            local_root: run.local_root,
            failure: said.failure,
            size,
            memory,
            is_clean,
        });
    }
}

/// What a stage's record says besides its run and its fields.
struct Seen {
    timestamp: Timestamp,
    event: Event,
    level: Level,
    /// Of an end: how long the run took, the time inside polls, and what it said.
    ended: Option<(Option<Duration>, Option<Duration>, Said)>,
}

/// Whether a text or a truth value of an end has the name of a field of its start, whose place it takes then.
#[inline]
fn repeats(stage: &'static StageDescriptor, start: &[u64], end: &[u64]) -> bool {
    let of_start = |name| RawFields(start).any(|field| field_name(stage, field.name) == Some(name));
    let mut ends = RawFields(end).filter(|field| !field.value.is_number());
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
    /// Puts the fields of an end where they belong, as they are: here, or in the record that is being made.
    #[inline(always)]
    fn in_words(
        record: &mut Draft,
        stage: &'static StageDescriptor,
        words: &[u64],
        stays: impl Fn(&'static str, &str) -> bool,
    ) -> Self {
        let (mut count, mut cost_usd, mut failure) = (None, None, None);
        for field in RawFields(words) {
            match (field.name, field_name(stage, field.name)) {
                (name::COUNT, _) | (_, Some("count")) => count = field.value.as_u64(),
                (name::ERROR_TYPE | name::ERROR_MESSAGE | name::ERROR_SOURCE | name::STACK_TRACE, _) => {
                    failed(&mut failure, field.name, field.value.to_value());
                }
                (_, None) => {}
                (_, Some(name)) if field.value.is_number() => {
                    if name == "cost_usd" {
                        cost_usd = field.value.as_f64();
                    }
                    record.metric_word(name, field);
                }
                (_, Some(name)) => record.context_word(name, field, &stays),
            }
        }
        Self { count, cost_usd, failure }
    }

    /// Puts a value where it belongs: here, or in the record that is being made.
    fn take(&mut self, record: &mut Draft, stage: &'static StageDescriptor, index: u16, value: Value) {
        let name = match index {
            name::COUNT => return self.count = value.as_u64(),
            name::ERROR_TYPE | name::ERROR_MESSAGE | name::ERROR_SOURCE | name::STACK_TRACE => {
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

type Failed = Option<Box<(ErrorInfo, Option<String>)>>;

#[inline(never)]
fn failed(failure: &mut Failed, index: u16, value: Value) {
    let Value::Text(text) = value else { return };
    let (error, stack_trace) = &mut **failure.get_or_insert_default();
    let (type_name, message, chain) = error.parts_mut();
    match index {
        name::ERROR_TYPE => *type_name = text,
        name::ERROR_MESSAGE => *message = text.into_owned(),
        name::ERROR_SOURCE => chain.push(text.into_owned()),
        _ => *stack_trace = Some(text.into_owned()),
    }
}
