//! A trace in memory: its numbered events, and the present state of its runs.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ragtrace::{Event, Record, SpanId, Timestamp, TraceId};

use crate::run_view::{Judgement, Line, Run};
use crate::trace_view::TraceView;

/// The largest number of events of a trace. `BYTES` is the most memory for them, as an estimate.
const EVENTS: usize = 2_000;
const BYTES: usize = 4 << 20;
/// The largest number of runs of a trace. `RUN_BYTES` is the most memory for them. Runs that have
/// ended are removed with their events, so this bounds those that are running.
const RUNS: usize = 2 * EVENTS;
const RUN_BYTES: usize = 4 << 20;
/// The largest number of scores of a trace.
const SCORES: usize = 100;
/// The number of events that a reader gets at once.
const PAGE: usize = 64;

/// An event that is shown to a client that follows a trace.
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
    /// The trace is not known.
    Nothing,
    /// The trace belongs to another tenant.
    Foreign,
    Events {
        /// The number of events before these that were removed.
        missed: u64,
        /// The events, each with its number, which counts from 1.
        events: Vec<(u64, Happening)>,
        /// The end of the trace, if its roots have ended.
        ended: Option<Ended>,
    },
}

/// The end of a trace, after all of its roots have ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    pub(crate) status: &'static str,
    pub(crate) duration: Duration,
    /// `true` if runs continue in detached tasks.
    pub(crate) has_open_runs: bool,
    /// The time since the newest record.
    pub(crate) quiet: Duration,
    /// The number of the trace's last event.
    pub(crate) last: u64,
}

/// The state of a trace's roots, including removed ones, since anybody may send any number of
/// requests in one trace.
#[derive(Debug, Default)]
struct Roots {
    /// The number of stored runs that are roots and have not ended.
    open: usize,
    has_failed: bool,
    was_cancelled: bool,
    begin: Option<Timestamp>,
    end: Option<Timestamp>,
}

impl Roots {
    /// Adds a root's newest record. `was_open` tells whether its start was added before.
    fn take(&mut self, run: &Run, was_open: bool) {
        self.open = (self.open + usize::from(run.duration.is_none())).saturating_sub(usize::from(was_open));
        self.has_failed |= run.event == Event::Failed;
        self.was_cancelled |= run.event == Event::Cancelled;
        self.begin = self.begin.into_iter().chain([run.start]).min();
        self.end = self.end.into_iter().chain([run.end()]).max();
    }

    /// Returns the worst status of a root, as a store would determine it.
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
    /// The number of runs that have not ended.
    open_runs: usize,
    roots: Roots,
    scores: Vec<Judgement>,
    /// The bytes of the events, the runs and the scores. A run that is also an event counts twice,
    /// since either may be removed first.
    event_bytes: usize,
    run_bytes: usize,
    score_bytes: usize,
    changed: Instant,
}

impl TraceLog {
    /// Creates the log of the trace whose first record this is. The record determines the tenant.
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

    /// Returns an estimate of the memory that the log takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.event_bytes + self.run_bytes + self.score_bytes
    }

    /// Returns `true` if a root is running.
    pub(super) fn is_open(&self) -> bool {
        self.roots.open > 0
    }

    /// Adds a record, unless another tenant wrote it into the trace: that is no concern of the
    /// trace's owner.
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
        // Order is not promised. A start that comes after its end, or a record that comes twice,
        // adds nothing.
        let says_nothing_new = |known: &Arc<Run>| known.event == run.event || known.duration.is_some();
        let known = self.runs.get(&run.span_id);
        let is_full = self.runs.len() >= RUNS || self.run_bytes >= RUN_BYTES;
        if known.is_some_and(says_nothing_new) || (known.is_none() && is_full) {
            return;
        }
        self.run_bytes += run.size();
        let before = self.runs.insert(run.span_id, Arc::clone(&run));
        self.run_bytes = self.run_bytes.saturating_sub(before.as_ref().map_or(0, |before| before.size()));
        // A known run has not ended, since otherwise its record would add nothing.
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

    /// Removes the first event, and the run that it ended. The state of the roots stays.
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

    /// Returns what happened after the event with this number. A number from an earlier process has
    /// no meaning here, so reading then begins at the start.
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
