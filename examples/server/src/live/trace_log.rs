//! A trace in memory: its events by number, and its runs as they are now.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ragtrace::{Event, Record, SpanId, Timestamp, TraceId};

use crate::run_view::{Judgement, Line, Run};
use crate::trace_view::TraceView;

/// How many events are kept of a trace, and how much memory they may take, as an estimate in bytes.
const EVENTS: usize = 2_000;
const BYTES: usize = 4 << 20;
/// How many runs are kept of a trace. Those that have ended go with their events, so this bounds those that run.
const RUNS: usize = 2 * EVENTS;
/// How many scores are kept of a trace.
const SCORES: usize = 100;
/// How many events a reader takes at once.
const PAGE: usize = 64;

/// Something that whoever follows a trace is shown.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    Run(Arc<Run>),
    Line(Arc<Line>),
}

impl Happening {
    fn size(&self) -> usize {
        match self {
            Self::Run(run) => run.size(),
            Self::Line(line) => line.size(),
        }
    }
}

/// What a reader is given.
#[derive(Debug)]
pub(crate) enum Reading {
    /// Nothing is known of the trace.
    Nothing,
    /// It is another tenant's.
    Foreign,
    Events {
        /// Events that came before these and are forgotten.
        missed: u64,
        /// Each with its number, which counts from 1.
        events: Vec<(u64, Happening)>,
        /// What the trace came to, if its roots have ended.
        ended: Option<Ended>,
    },
}

/// What a trace whose roots have ended came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    pub(crate) status: &'static str,
    pub(crate) duration: Duration,
    /// Whether runs in it go on all the same, in tasks that nobody waits for.
    pub(crate) has_open_runs: bool,
    /// How long ago its newest record came.
    pub(crate) quiet: Duration,
    /// The number of its last event.
    pub(crate) last: u64,
}

#[derive(Debug)]
pub(super) struct TraceLog {
    user_id: Option<Box<str>>,
    tenant_id: Option<Box<str>>,
    events: VecDeque<(u64, Happening)>,
    next: u64,
    runs: HashMap<SpanId, Arc<Run>>,
    /// How many of the runs are roots that have not ended.
    open_roots: usize,
    scores: Vec<Judgement>,
    bytes: usize,
    changed: Instant,
}

impl TraceLog {
    /// Makes the log of the trace whose first record this is: it says whose it is.
    pub(super) fn of(record: &Record) -> Self {
        Self {
            user_id: record.user_id().map(Into::into),
            tenant_id: record.tenant_id().map(Into::into),
            events: VecDeque::new(),
            next: 1,
            runs: HashMap::new(),
            open_roots: 0,
            scores: Vec::new(),
            bytes: 0,
            changed: Instant::now(),
        }
    }

    pub(super) fn owner(&self) -> Option<&str> {
        self.tenant_id.as_deref()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns whether a root runs.
    pub(super) fn is_open(&self) -> bool {
        self.open_roots > 0
    }

    /// Adds what a record says. What another tenant wrote into the trace is none of the owner's business.
    pub(super) fn add(&mut self, record: &Record) {
        if record.tenant_id() != self.owner() {
            return;
        }
        self.changed = Instant::now();
        if let Some(score) = record.score() {
            if self.scores.len() < SCORES {
                self.scores.push(Judgement::of(record, score));
            }
        } else if let Some(line) = Line::of(record) {
            self.push(Happening::Line(Arc::new(line)));
        } else if let Some(run) = Run::of(record) {
            self.add_run(Arc::new(run));
        }
    }

    fn add_run(&mut self, run: Arc<Run>) {
        // Order is not promised: a start may come after its end, and says nothing new then; nor does a record that comes twice.
        let says_nothing_new = |known: &Arc<Run>| known.event == run.event || known.duration.is_some();
        let known = self.runs.get(&run.span_id);
        if known.is_some_and(says_nothing_new) || (known.is_none() && self.runs.len() >= RUNS && !run.is_local_root) {
            return;
        }
        let before = self.runs.insert(run.span_id, Arc::clone(&run));
        let is_open_root = |run: &Arc<Run>| usize::from(run.is_local_root && run.duration.is_none());
        self.open_roots =
            (self.open_roots + is_open_root(&run)).saturating_sub(before.as_ref().map_or(0, is_open_root));
        self.push(Happening::Run(run));
    }

    fn push(&mut self, happening: Happening) {
        self.bytes += happening.size();
        self.events.push_back((self.next, happening));
        self.next += 1;
        while self.events.len() > EVENTS || (self.bytes > BYTES && self.events.len() > 1) {
            self.forget_first();
        }
    }

    /// Forgets the first event, and with it the run that it ended. What runs and roots came to stays.
    fn forget_first(&mut self) {
        let Some((_, happening)) = self.events.pop_front() else { return };
        self.bytes = self.bytes.saturating_sub(happening.size());
        if let Happening::Run(run) = &happening
            && run.duration.is_some()
            && !run.is_local_root
        {
            self.runs.remove(&run.span_id);
        }
    }

    /// Returns what happened after the event of this number. A number of an earlier process means nothing here: from the
    /// start, then.
    pub(super) fn read(&self, after: u64) -> Reading {
        let after = if after < self.next { after } else { 0 };
        let first = self.events.front().map_or(self.next, |(number, _)| *number);
        let missed = first.saturating_sub(after + 1);
        let from = usize::try_from((after + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        let events = self.events.iter().skip(from).take(PAGE).cloned().collect();
        Reading::Events { missed, events, ended: self.ended() }
    }

    fn roots(&self) -> impl Iterator<Item = &Arc<Run>> {
        self.runs.values().filter(|run| run.is_local_root)
    }

    fn ended(&self) -> Option<Ended> {
        if self.is_open() {
            return None;
        }
        let begin = self.roots().map(|run| run.start).min()?;
        let end = self.roots().map(|run| run.start.plus(run.duration.unwrap_or_default())).max()?;
        Some(Ended {
            status: self.status(),
            duration: end.since(begin),
            has_open_runs: self.runs.values().any(|run| run.duration.is_none()),
            quiet: self.changed.elapsed(),
            last: self.next - 1,
        })
    }

    /// Returns the worst state of a root, as a store would judge.
    fn status(&self) -> &'static str {
        let has = |event: Event| self.roots().any(|run| run.event == event);
        [Event::Failed, Event::Cancelled, Event::Started]
            .into_iter()
            .find(|event| has(*event))
            .map_or("completed", |event| if event == Event::Started { "open" } else { event.as_str() })
    }

    pub(super) fn view(&self, id: TraceId) -> TraceView {
        let mut runs: Vec<_> = self.runs.values().map(|run| (Arc::clone(run), run.status())).collect();
        runs.sort_by_key(|(run, _)| run.start);
        let begin = runs.first().map(|(run, _)| run.start);
        let end = runs.iter().map(|(run, _)| run.start.plus(run.duration.unwrap_or_default())).max();
        let lines = self.events.iter().filter_map(|(_, happening)| match happening {
            Happening::Line(line) => Some(Arc::clone(line)),
            Happening::Run(_) => None,
        });
        TraceView {
            id,
            status: self.status(),
            duration: begin.zip(end).map_or(Duration::ZERO, |(begin, end): (Timestamp, _)| end.since(begin)),
            user_id: self.user_id.clone(),
            tenant_id: self.tenant_id.clone(),
            runs,
            lines: lines.collect(),
            scores: self.scores.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use ragtrace::testing::RecordBuilder;

    use super::*;

    fn make(event: Event, span: SpanId, is_root: bool) -> Record {
        let record = match event {
            Event::Started => RecordBuilder::started("work"),
            Event::Completed => RecordBuilder::completed("work").duration(Duration::from_millis(5)),
            _ => RecordBuilder::failed("work", "Error", "broken").duration(Duration::from_millis(5)),
        };
        record
            .trace_id(TraceId::from_u128(1).expect("an id"))
            .span_id(span)
            .local_root(is_root)
            .tenant_id("acme")
            .build()
    }

    fn log(records: &[Record]) -> TraceLog {
        let mut log = TraceLog::of(&records[0]);
        for record in records {
            log.add(record);
        }
        log
    }

    fn read(log: &TraceLog, after: u64) -> (u64, Vec<u64>, Option<Ended>) {
        match log.read(after) {
            Reading::Events { missed, events, ended } => {
                (missed, events.iter().map(|(number, _)| *number).collect(), ended)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_reader_goes_on_behind_the_number_it_has() {
        let (root, child) = (SpanId::new(), SpanId::new());
        let log = log(&[make(Event::Started, root, true), make(Event::Started, child, false)]);
        assert_eq!(read(&log, 0).1, [1, 2]);
        assert_eq!(read(&log, 1).1, [2]);
        assert_eq!(read(&log, 2).1, [0_u64; 0]);
        assert_eq!(read(&log, 99).1, [1, 2], "a number of another process");
    }

    #[test]
    fn a_trace_ends_with_its_roots_whatever_the_order_of_its_records() {
        let (root, child) = (SpanId::new(), SpanId::new());
        let mut log = log(&[make(Event::Failed, child, false), make(Event::Started, root, true)]);
        assert!(log.is_open() && read(&log, 0).2.is_none());
        log.add(&make(Event::Completed, root, true));
        let ended = read(&log, 0).2.expect("it ended");
        assert_eq!((ended.status, ended.has_open_runs, ended.last), ("completed", false, 3));
        log.add(&make(Event::Started, child, false));
        assert_eq!(read(&log, 0).1, [1, 2, 3], "a start after its end is not shown");
        log.add(&make(Event::Completed, root, true));
        assert_eq!((read(&log, 0).1.len(), log.is_open()), (3, false), "nor is a record that comes twice");
    }

    #[test]
    fn what_is_forgotten_is_counted() {
        let root = make(Event::Started, SpanId::new(), true);
        let mut log = log(&[root]);
        for _ in 0..EVENTS {
            log.add(&make(Event::Completed, SpanId::new(), false));
        }
        let (missed, events, _) = read(&log, 0);
        assert_eq!((missed, events[0], events.len()), (1, 2, PAGE));
        assert!(log.is_open(), "the root is remembered without its event");
        let line = || RecordBuilder::log("x".repeat(1 << 20)).tenant_id("acme").build();
        for _ in 0..9 {
            log.add(&line());
        }
        assert!(log.bytes() <= BYTES, "{}", log.bytes());
    }

    #[test]
    fn what_another_tenant_writes_into_a_trace_is_not_shown() {
        let mut log = log(&[make(Event::Started, SpanId::new(), true)]);
        log.add(&RecordBuilder::started("theirs").span_id(SpanId::new()).local_root(true).tenant_id("globex").build());
        log.add(&RecordBuilder::log("nobody's").build());
        assert_eq!((log.owner(), read(&log, 0).1.len()), (Some("acme"), 1));
    }
}
