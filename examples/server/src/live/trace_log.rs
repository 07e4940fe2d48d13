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
/// How many runs are kept of a trace, and how much memory they may take besides. Those that have
/// ended go with their events, so this bounds those that run.
const RUNS: usize = 2 * EVENTS;
const RUN_BYTES: usize = 4 << 20;
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

/// The answer to a reader.
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
        /// The end of the trace, if its roots have ended.
        ended: Option<Ended>,
    },
}

/// The end of a trace: all of its roots have ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    pub(crate) status: &'static str,
    pub(crate) duration: Duration,
    /// True if runs in it go on all the same, in tasks that nobody waits for.
    pub(crate) has_open_runs: bool,
    /// How long ago its newest record came.
    pub(crate) quiet: Duration,
    /// The number of its last event.
    pub(crate) last: u64,
}

/// The account of the roots of a trace, those that are forgotten too: anybody may send any number
/// of requests in one trace.
#[derive(Debug, Default)]
struct Roots {
    /// How many of the runs that are kept are roots that have not ended.
    open: usize,
    has_failed: bool,
    was_cancelled: bool,
    begin: Option<Timestamp>,
    end: Option<Timestamp>,
}

impl Roots {
    /// Takes what a root's newest record says; `was_open` if its start was taken before.
    fn take(&mut self, run: &Run, was_open: bool) {
        self.open = (self.open + usize::from(run.duration.is_none())).saturating_sub(usize::from(was_open));
        self.has_failed |= run.event == Event::Failed;
        self.was_cancelled |= run.event == Event::Cancelled;
        self.begin = self.begin.into_iter().chain([run.start]).min();
        self.end = self.end.into_iter().chain([run.end()]).max();
    }

    /// Returns the worst state of a root, as a store would judge.
    fn status(&self) -> &'static str {
        match self {
            Self { has_failed: true, .. } => Event::Failed.as_str(),
            Self { was_cancelled: true, .. } => Event::Cancelled.as_str(),
            Self { open: 1.., .. } => "open",
            _ => Event::Completed.as_str(),
        }
    }
}

#[derive(Debug)]
pub(super) struct TraceLog {
    user_id: Option<Box<str>>,
    tenant_id: Option<Box<str>>,
    events: VecDeque<(u64, Happening)>,
    next: u64,
    runs: HashMap<SpanId, Arc<Run>>,
    /// How many of them have not ended.
    open_runs: usize,
    roots: Roots,
    scores: Vec<Judgement>,
    /// The bytes of the events, the runs and the scores. A run that is also an event counts twice,
    /// since either may go first.
    event_bytes: usize,
    run_bytes: usize,
    score_bytes: usize,
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
            open_runs: 0,
            roots: Roots::default(),
            scores: Vec::new(),
            event_bytes: 0,
            run_bytes: 0,
            score_bytes: 0,
            changed: Instant::now(),
        }
    }

    pub(super) fn owner(&self) -> Option<&str> {
        self.tenant_id.as_deref()
    }

    /// Returns an estimate of the memory that it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.event_bytes + self.run_bytes + self.score_bytes
    }

    /// Returns whether a root runs.
    pub(super) fn is_open(&self) -> bool {
        self.roots.open > 0
    }

    /// Adds a record, unless another tenant wrote it into the trace, which is none of the owner's
    /// business.
    pub(super) fn add(&mut self, record: &Record) {
        if record.tenant_id() != self.owner() {
            return;
        }
        self.changed = Instant::now();
        if let Some(score) = record.score() {
            if self.scores.len() < SCORES {
                let score = Judgement::of(record, score);
                self.score_bytes += score.size();
                self.scores.push(score);
            }
        } else if let Some(line) = Line::of(record) {
            self.push(Happening::Line(Arc::new(line)));
        } else if let Some(run) = Run::of(record) {
            self.add_run(Arc::new(run));
        }
    }

    fn add_run(&mut self, run: Arc<Run>) {
        // Order is not promised: a start may come after its end, and says nothing new then; nor
        // does a record that comes twice.
        let says_nothing_new = |known: &Arc<Run>| known.event == run.event || known.duration.is_some();
        let known = self.runs.get(&run.span_id);
        let is_full = self.runs.len() >= RUNS || self.run_bytes >= RUN_BYTES;
        if known.is_some_and(says_nothing_new) || (known.is_none() && is_full) {
            return;
        }
        self.run_bytes += run.size();
        let before = self.runs.insert(run.span_id, Arc::clone(&run));
        self.run_bytes = self.run_bytes.saturating_sub(before.as_ref().map_or(0, |before| before.size()));
        // One that is known has not ended, or its record would say nothing new.
        let was_open = before.is_some();
        self.open_runs = (self.open_runs + usize::from(run.duration.is_none())).saturating_sub(usize::from(was_open));
        if run.is_local_root {
            self.roots.take(&run, was_open);
        }
        self.push(Happening::Run(run));
    }

    fn push(&mut self, happening: Happening) {
        self.event_bytes += happening.size();
        self.events.push_back((self.next, happening));
        self.next += 1;
        while self.events.len() > EVENTS || (self.event_bytes > BYTES && self.events.len() > 1) {
            self.forget_first();
        }
    }

    /// Forgets the first event, and with it the run that it ended. What the roots came to stays.
    fn forget_first(&mut self) {
        let Some((_, happening)) = self.events.pop_front() else { return };
        self.event_bytes = self.event_bytes.saturating_sub(happening.size());
        if let Happening::Run(run) = &happening
            && run.duration.is_some()
            && let Some(run) = self.runs.remove(&run.span_id)
        {
            self.run_bytes = self.run_bytes.saturating_sub(run.size());
        }
    }

    /// Returns what happened after the event of this number. A number of an earlier process means
    /// nothing here: from the start, then.
    pub(super) fn read(&self, after: u64) -> Reading {
        let after = if after < self.next { after } else { 0 };
        let first = self.events.front().map_or(self.next, |(number, _)| *number);
        let missed = first.saturating_sub(after + 1);
        let from = usize::try_from((after + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        let events = self.events.iter().skip(from).take(PAGE).cloned().collect();
        Reading::Events { missed, events, ended: self.ended() }
    }

    fn ended(&self) -> Option<Ended> {
        let (begin, end) = self.roots.begin.zip(self.roots.end).filter(|_| !self.is_open())?;
        Some(Ended {
            status: self.roots.status(),
            duration: end.since(begin),
            has_open_runs: self.open_runs > 0,
            quiet: self.changed.elapsed(),
            last: self.next - 1,
        })
    }

    pub(super) fn view(&self, id: TraceId) -> TraceView {
        let mut runs: Vec<_> = self.runs.values().map(|run| (Arc::clone(run), run.status())).collect();
        runs.sort_by_key(|(run, _)| run.start);
        let begin = runs.iter().map(|(run, _)| run.start).chain(self.roots.begin).min();
        let end = runs.iter().map(|(run, _)| run.end()).chain(self.roots.end).max();
        let lines = self.events.iter().filter_map(|(_, happening)| match happening {
            Happening::Line(line) => Some(Arc::clone(line)),
            Happening::Run(_) => None,
        });
        TraceView {
            id,
            status: self.roots.status(),
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
        assert!(log.event_bytes <= BYTES, "{}", log.event_bytes);
    }

    #[test]
    fn a_trace_of_any_number_of_roots_takes_bounded_memory_and_remembers_the_worst() {
        let mut log = log(&[make(Event::Started, SpanId::new(), true)]);
        let first = SpanId::new();
        for (event, span) in [(Event::Started, first), (Event::Failed, first)] {
            log.add(&make(event, span, true));
        }
        for _ in 0..3 * RUNS {
            let span = SpanId::new();
            log.add(&make(Event::Started, span, true));
            log.add(&make(Event::Completed, span, true));
        }
        assert!(log.runs.len() <= EVENTS + 1, "{}", log.runs.len());
        assert!(!log.runs.contains_key(&first) && log.is_open());
        assert_eq!((log.roots.status(), log.roots.open, log.open_runs), ("failed", 1, 1));
        let runs: usize = log.runs.values().map(|run| run.size()).sum();
        assert_eq!(log.run_bytes, runs);
        for _ in 0..3 * RUNS {
            log.add(&make(Event::Started, SpanId::new(), true));
        }
        assert!(log.runs.len() <= RUNS && log.run_bytes <= 2 * RUN_BYTES, "{}", log.runs.len());
    }

    #[test]
    fn what_another_tenant_writes_into_a_trace_is_not_shown() {
        let mut log = log(&[make(Event::Started, SpanId::new(), true)]);
        log.add(&RecordBuilder::started("theirs").span_id(SpanId::new()).local_root(true).tenant_id("globex").build());
        log.add(&RecordBuilder::log("nobody's").build());
        assert_eq!((log.owner(), read(&log, 0).1.len()), (Some("acme"), 1));
    }
}
