//! Entries become records: ends are joined with their starts, names and wall times are filled in.
//!
//! A future that moves between threads may have its end read before its start, since each thread has a chain of its
//! own. Such an end waits until every chain was read once more: the start was written before it, so it is found then,
//! or it was refused.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::context::Request;
use crate::id::record_id;
use crate::level::Level;
use crate::metrics::{Measured, Meter, RequestMetric, RunStatus, StageMinute};
use crate::pipeline::queue::Taken;
use crate::record::{Event, Fields, Origin, Parts, Record};
use crate::stage::StageDescriptor;
use crate::stage::entry::{End, Entry, Outcome, Run, Start};
use crate::time::{Ticks, Timestamp};
use crate::value::Value;
use crate::{ErrorInfo, SpanId};

/// Makes records of entries, and remembers what is open.
pub(crate) struct Assembler {
    origin: Arc<Origin>,
    level: Level,
    filtered: u64,
    /// The start fields of what is open, and what its body recorded.
    open: HashMap<SpanId, Opened>,
    /// Ends whose start was not seen yet, and whether every chain was read since.
    early: Vec<Early>,
    output: Output,
    meter: Meter,
    /// How many records were made, if their ids are to be numbers.
    numbered: Option<u64>,
}

/// What the entries read so far make.
#[derive(Default)]
pub(crate) struct Output {
    pub(crate) records: Vec<Record>,
    pub(crate) requests: Vec<RequestMetric>,
}

/// What is known of a run that has not ended.
#[derive(Default)]
struct Opened {
    /// Whether the start was read; what the body recorded may come before it, from another thread.
    started: bool,
    fields: Fields,
    notes: Vec<(&'static str, Value)>,
}

struct Early {
    request: Arc<Request>,
    thread: Arc<str>,
    end: End,
    waited: bool,
}

impl Assembler {
    pub(crate) fn new(origin: Arc<Origin>, level: Level) -> Self {
        Self {
            origin,
            level,
            filtered: 0,
            open: HashMap::new(),
            early: Vec::new(),
            output: Output::default(),
            meter: Meter::default(),
            numbered: None,
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
        match entry {
            Entry::Request(_) => {}
            Entry::Start(start) => self.start(request, thread, start),
            Entry::Note(note) => {
                let (fields, _) = note.fields.named(note.stage);
                self.open.entry(note.span).or_default().notes.extend(fields);
            }
            Entry::End(end) => match self.take_started(end.run.span) {
                Some(opened) => self.end(request, thread, end, opened),
                None => self.early.push(Early {
                    request: Arc::clone(request),
                    thread: Arc::clone(thread),
                    end,
                    waited: false,
                }),
            },
        }
    }

    /// Says that every chain was read to where it was when the last call came. What was made so far is returned.
    pub(crate) fn settle(&mut self) -> Output {
        for mut early in std::mem::take(&mut self.early) {
            match self.take_started(early.end.run.span) {
                Some(opened) => self.end(&early.request, &early.thread, early.end, opened),
                None if early.waited => {
                    let opened = self.open.remove(&early.end.run.span).unwrap_or_default();
                    self.end(&early.request, &early.thread, early.end, opened);
                }
                None => {
                    early.waited = true;
                    self.early.push(early);
                }
            }
        }
        std::mem::take(&mut self.output)
    }

    fn take_started(&mut self, span: SpanId) -> Option<Opened> {
        let started = self.open.get(&span).is_some_and(|opened| opened.started);
        started.then(|| self.open.remove(&span)).flatten()
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

    fn start(&mut self, request: &Arc<Request>, thread: &Arc<str>, start: Start) {
        let (fields, _) = start.fields.named(start.run.stage);
        let fields = owned(fields);
        if self.shows(start.run.stage.level()) {
            let event = Happened { event: Event::Started, level: start.run.stage.level(), at: start.run.started };
            let mut parts = self.parts(request, thread, &start.run, &event);
            parts.context.clone_from(&fields);
            self.output.records.push(Record(Arc::new(parts)));
        }
        let opened = self.open.entry(start.run.span).or_default();
        opened.started = true;
        opened.fields = fields;
    }

    fn end(&mut self, request: &Arc<Request>, thread: &Arc<str>, end: End, opened: Opened) {
        let (event, level, failure) = match end.outcome {
            Outcome::Completed => (Event::Completed, end.run.stage.level(), None),
            Outcome::Failed(failure) => (Event::Failed, Level::Error, Some(*failure)),
            Outcome::Cancelled => (Event::Cancelled, Level::Warn, None),
        };
        let (ended, counted) = end.fields.named(end.run.stage);
        // `count` in `record!` is the count too, if the result has none.
        let noted = opened.notes.iter().rev().find(|(name, _)| *name == "count").and_then(|(_, count)| count.as_u64());
        let count = counted.or(noted);
        let fields: Vec<_> = opened.notes.into_iter().filter(|(name, _)| *name != "count").chain(ended).collect();
        self.measure(request, &Ended { run: end.run, at: end.ended, event, fields: &fields, count });
        if !self.shows(level) {
            return;
        }
        let mut parts = self.parts(request, thread, &end.run, &Happened { event, level, at: end.ended });
        parts.duration = Some(end.ended.since(end.run.started));
        parts.busy = (end.busy != u64::MAX).then(|| Duration::from_nanos(end.busy));
        parts.context = opened.fields;
        parts.count = count;
        for (name, value) in owned(fields) {
            let place = if value.is_number() { &mut parts.metrics } else { &mut parts.context };
            put(place, name, value);
        }
        if let Some(failure) = failure {
            parts.error = Some(failure.error);
            parts.stack_trace = failure.stack_trace;
        }
        self.output.records.push(Record(Arc::new(parts)));
    }

    /// Counts a run, before any level hides it.
    fn measure(&mut self, request: &Arc<Request>, ended: &Ended<'_>) {
        let timestamp = request.anchor.wall_at(ended.at);
        let duration = ended.at.since(ended.run.started);
        let status = RunStatus::of(ended.event);
        let cost = ended.fields.iter().find(|(name, _)| *name == "cost_usd");
        self.meter.count(&Measured {
            at: timestamp,
            stage: ended.run.stage,
            tenant_id: request.tenant_id.as_deref(),
            status,
            items: ended.count,
            cost_usd: cost.and_then(|(_, value)| value.as_f64()),
            duration,
        });
        if ended.run.local_root {
            let (operation, request) = (Cow::Borrowed(ended.run.stage.name()), Arc::clone(request));
            self.output.requests.push(RequestMetric { timestamp, operation, duration, status, request });
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

    fn parts(&mut self, request: &Arc<Request>, thread: &Arc<str>, run: &Run, happened: &Happened) -> Parts {
        let stage: &'static StageDescriptor = run.stage;
        let timestamp = request.anchor.wall_at(happened.at);
        Parts {
            id: self.record_id(timestamp),
            timestamp,
            level: happened.level,
            logger: Cow::Borrowed(stage.target()),
            message: None,
            event: happened.event,
            stage: Some(Cow::Borrowed(stage.name())),
            kind: Some(stage.kind()),
            request: Some(Arc::clone(request)),
            span_id: Some(run.span),
            parent_span_id: run.parent,
            local_root: run.local_root,
            origin: Arc::clone(&self.origin),
            thread: Some(Arc::clone(thread)),
            duration: None,
            busy: None,
            count: None,
            context: Fields::new(),
            metrics: Fields::new(),
            error: None::<ErrorInfo>,
            stack_trace: None,
            source: Some((Cow::Borrowed(stage.file()), stage.line())),
        }
    }
}

/// A run that ended, as far as it is counted.
struct Ended<'a> {
    run: Run,
    at: Ticks,
    event: Event,
    fields: &'a [(&'static str, Value)],
    count: Option<u64>,
}

struct Happened {
    event: Event,
    level: Level,
    at: Ticks,
}

fn owned(fields: Vec<(&'static str, Value)>) -> Fields {
    fields.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect()
}

fn put(fields: &mut Fields, name: Cow<'static, str>, value: Value) {
    match fields.iter_mut().find(|(earlier, _)| *earlier == name) {
        Some((_, earlier)) => *earlier = value,
        None => fields.push((name, value)),
    }
}
