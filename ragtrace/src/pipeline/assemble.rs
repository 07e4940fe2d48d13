//! Entries become records: ends are joined with their starts, names and wall times are filled in.
//!
//! A future that moves between threads may have its end read before its start, since each thread has a chain of its
//! own. Such an end waits until every chain was read once more: the start was written before it, so it is found then,
//! or it was refused, and then the end repeats what it said.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::SpanId;
use crate::context::Request;
use crate::id::record_id;
use crate::level::Level;
use crate::metrics::{Measured, Meter, RequestMetric, RunStatus, StageMinute};
use crate::pipeline::open::{OpenRuns, Opened};
use crate::pipeline::queue::Taken;
use crate::record::{Draft, ErrorInfo, Event, NamedValue, Origin, Parts, Subject};
use crate::stage::StageDescriptor;
use crate::stage::entry::{Ended, Entry, Outcome, Run};
use crate::stage::words::{FieldWords, name};
use crate::time::Timestamp;
use crate::value::Value;

/// Makes records of entries, and remembers what is open.
pub(crate) struct Assembler {
    origin: Arc<Origin>,
    level: Level,
    filtered: u64,
    open: OpenRuns,
    /// Ends whose start was not seen yet, and whether every chain was read since.
    early: Vec<Early>,
    output: Output,
    meter: Meter,
    /// How many records were made, if their ids are to be numbers.
    numbered: Option<u64>,
    /// The metrics of the record that is being made, since its context comes first.
    metrics: Vec<NamedValue>,
}

/// What the entries read so far make.
pub(crate) struct Output {
    pub(crate) records: Draft,
    pub(crate) requests: Vec<RequestMetric>,
}

impl Output {
    fn new(origin: &Arc<Origin>, records: usize) -> Self {
        Self { records: Draft::with_capacity(Arc::clone(origin), records), requests: Vec::new() }
    }
}

struct Early {
    request: Arc<Request>,
    thread: Arc<str>,
    end: End,
    fields: Vec<u64>,
    waited: bool,
}

#[derive(Clone, Copy)]
struct End {
    span: SpanId,
    ended: Ended,
    run: Option<Run>,
}

/// Where an entry comes from.
#[derive(Clone, Copy)]
struct From<'a> {
    request: &'a Arc<Request>,
    thread: &'a Arc<str>,
}

impl Assembler {
    pub(crate) fn new(origin: Arc<Origin>, level: Level) -> Self {
        let output = Output::new(&origin, 0);
        Self {
            origin,
            level,
            filtered: 0,
            open: OpenRuns::default(),
            early: Vec::new(),
            output,
            meter: Meter::default(),
            numbered: None,
            metrics: Vec::new(),
        }
    }

    /// Has records numbered from 1, for tests that compare them with what was written down.
    #[cfg(feature = "testing")]
    pub(crate) fn number_records(&mut self) {
        self.numbered = Some(0);
    }

    /// Takes in one entry.
    pub(crate) fn take(&mut self, taken: Taken<'_>) {
        let Taken { entry, request, thread } = taken;
        let from = From { request, thread };
        match entry {
            Entry::Request { .. } => {}
            Entry::Start(run, fields) => self.start(from, run, fields),
            Entry::Note { span, fields } => self.open.entry(span).notes.extend_from_slice(fields.0),
            Entry::End { span, ended, run, fields } => {
                let end = End { span, ended, run };
                if !self.end_started(from, end, fields.clone()) {
                    let (request, thread) = (Arc::clone(request), Arc::clone(thread));
                    self.early.push(Early { request, thread, end, fields: fields.0.to_vec(), waited: false });
                }
            }
        }
    }

    /// Says that every chain was read to where it was when the last call came. What was made so far is returned.
    pub(crate) fn settle(&mut self) -> Output {
        for mut early in std::mem::take(&mut self.early) {
            let from = From { request: &early.request, thread: &early.thread };
            let fields = FieldWords(&early.fields);
            if self.end_started(from, early.end, fields.clone()) {
                continue;
            }
            if early.waited {
                // The start was refused, so the end has the run.
                if let Some(run) = early.end.run {
                    self.open.entry(run.span).run = Some(run);
                    self.end_started(from, early.end, fields);
                }
            } else {
                early.waited = true;
                self.early.push(early);
            }
        }
        let next = Output::new(&self.origin, self.output.records.len());
        std::mem::replace(&mut self.output, next)
    }

    /// Whether an end still waits for its start.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.early.is_empty()
    }

    /// Counts of stages for minutes that were over at `now`; all there are without it.
    pub(crate) fn take_minutes(&mut self, now: Option<Timestamp>) -> Vec<StageMinute> {
        self.meter.take(now)
    }

    /// Records that the level hid.
    pub(crate) fn filtered(&self) -> u64 {
        self.filtered
    }

    fn start(&mut self, from: From<'_>, run: Run, fields: FieldWords<'_>) {
        let opened = self.open.entry(run.span);
        opened.run = Some(run);
        opened.fields.extend_from_slice(fields.0);
        let level = run.stage.level();
        if self.shows(level) {
            let timestamp = from.request.anchor.wall_at(run.started);
            let parts = self.parts(from, &run, timestamp, Event::Started, level);
            let context = self.context(run.stage, fields);
            self.output.records.add(parts, context, 0);
        }
    }

    /// Makes a record of an end whose start was read, and says whether it was.
    fn end_started(&mut self, from: From<'_>, end: End, fields: FieldWords<'_>) -> bool {
        if !self.open.has_started(end.span) {
            return false;
        }
        let mut open = std::mem::take(&mut self.open);
        open.remove(end.span, |opened| self.end(from, end.ended, opened, fields));
        self.open = open;
        true
    }

    fn end(&mut self, from: From<'_>, ended: Ended, opened: &Opened, fields: FieldWords<'_>) {
        let Some(run) = opened.run else { return };
        let (event, level) = match ended.outcome {
            Outcome::Completed => (Event::Completed, run.stage.level()),
            Outcome::Failed => (Event::Failed, Level::Error),
            Outcome::Cancelled => (Event::Cancelled, Level::Warn),
        };
        let timestamp = from.request.anchor.wall_at(ended.at);
        let duration = ended.at.since(run.started);
        let shows = self.shows(level);
        let start = self.output.records.fields_len();
        if shows {
            self.context(run.stage, FieldWords(&opened.fields));
        }
        let mut said = Said::default();
        for (index, value) in FieldWords(&opened.notes) {
            self.say(start, run.stage, index, value, &mut said);
        }
        // `count` in `record!` is the count too, if the result has none.
        for (index, value) in fields {
            self.say(start, run.stage, index, value, &mut said);
        }
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
            self.output.records.forget(start);
            self.metrics.clear();
            return;
        }
        let parts = Parts {
            duration: Some(duration),
            busy: ended.busy.map(|busy| Duration::from_nanos(busy).min(duration)),
            count: said.count,
            failure: said.failure,
            ..self.parts(from, &run, timestamp, event, level)
        };
        let (context, metrics) = (self.output.records.fields_len() - start, self.metrics.len());
        self.output.records.append(&mut self.metrics);
        self.output.records.add(parts, context, metrics);
    }

    /// Adds the fields of a start, and says how many there are.
    fn context(&mut self, stage: &'static StageDescriptor, fields: FieldWords<'_>) -> usize {
        let records = &mut self.output.records;
        let named = fields.filter_map(|(index, value)| Some((declared(stage, index)?, value)));
        named.map(|(name, value)| records.field(Cow::Borrowed(name), value)).count()
    }

    /// Puts what was said at an end, or before it by `record!`, where it belongs. The context of its record begins at
    /// `start`.
    fn say(&mut self, start: usize, stage: &'static StageDescriptor, index: u16, value: Value, said: &mut Said) {
        let name = match index {
            name::COUNT => return said.count = value.as_u64(),
            name::ERROR_TYPE | name::ERROR_MESSAGE | name::ERROR_SOURCE | name::STACK_TRACE => {
                return said.failed(index, value);
            }
            name::FIRST_ITEM => "first_item_ms",
            index => match declared(stage, index) {
                Some(name) => name,
                None => return,
            },
        };
        if name == "count" {
            return said.count = value.as_u64();
        }
        if name == "cost_usd" {
            said.cost_usd = value.as_f64();
        }
        let is_number = value.is_number();
        // What is recorded more than once, as `record!` may, is what was recorded last.
        let earlier = if is_number { &mut self.metrics[..] } else { self.output.records.fields_from(start) };
        match earlier.iter_mut().find(|(earlier, _)| earlier == name) {
            Some((_, earlier)) => *earlier = value,
            None if is_number => self.metrics.push((Cow::Borrowed(name), value)),
            None => self.output.records.field(Cow::Borrowed(name), value),
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

    fn parts(&mut self, from: From<'_>, run: &Run, timestamp: Timestamp, event: Event, level: Level) -> Parts {
        Parts {
            span_id: Some(run.span),
            parent_span_id: run.parent,
            local_root: run.local_root,
            request: self.output.records.request(from.request),
            thread: self.output.records.thread(from.thread),
            ..Parts::new(self.record_id(timestamp), timestamp, event, level, Subject::Stage(run.stage))
        }
    }
}

fn declared(stage: &'static StageDescriptor, index: u16) -> Option<&'static str> {
    stage.fields().get(usize::from(index)).map(crate::FieldDescriptor::name)
}

/// What an end says of its run besides its fields.
#[derive(Default)]
struct Said {
    count: Option<u64>,
    cost_usd: Option<f64>,
    failure: Option<Box<(ErrorInfo, Option<String>)>>,
}

impl Said {
    fn failed(&mut self, index: u16, value: Value) {
        let Value::Text(text) = value else { return };
        let (error, stack_trace) = &mut **self.failure.get_or_insert_default();
        match index {
            name::ERROR_TYPE => error.type_name = text,
            name::ERROR_MESSAGE => error.message = text.into_owned(),
            name::ERROR_SOURCE => error.chain.push(text.into_owned()),
            _ => *stack_trace = Some(text.into_owned()),
        }
    }
}
