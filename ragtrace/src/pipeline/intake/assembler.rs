//! Entries become records: ends are joined with their starts, names and wall times are filled in.
//!
//! A future that moves between threads may have its end read before its start, since each thread
//! has a chain of its own. Such an end waits for its start, which was written before it and so is
//! in one of the chains. An end whose start was refused says what that would have said, and waits
//! for nothing. Where a sink needs paths, an end also waits for the start of the run around it.

#![expect(
    clippy::inline_always,
    reason = "a record is put together of values in registers; by way of memory it takes half as long again"
)]

use std::sync::Arc;

use ragtrace_core::Timestamp;
use ragtrace_core::context::Request;
#[cfg(feature = "pipeline")]
use ragtrace_core::entry::Outcome;
use ragtrace_core::entry::Run;
use ragtrace_core::queue::QueuedEntry;
#[cfg(feature = "pipeline")]
use ragtrace_core::{Event, Level};

use super::deferred_end::{DeferredEnd, EndsWithoutParent};
use super::item_fields::take_items;
use super::open_runs::{OpenRun, OpenRuns};
use super::paths::Paths;
use super::record_maker::{Assembled, EndEntry, EntrySource, RecordMaker};
use super::used_items::UsedItems;
use crate::SpanId;
use crate::metrics::StageMinute;
use crate::record::{FieldSizes, JudgedRun, Origin, RecordFilter, RecordItem};

/// Makes records of entries, and remembers which runs are open.
pub(crate) struct Assembler {
    open: OpenRuns,
    /// Ends whose start was not read yet.
    early: Vec<DeferredEnd>,
    used: UsedItems,
    maker: RecordMaker,
    /// `None` where no sink needs any.
    paths: Option<Box<Paths>>,
    without_parent: EndsWithoutParent,
}

/// Level, event and target of a record that is not made.
#[cfg(feature = "pipeline")]
type ForgottenRecord = (Level, Event, &'static str);

impl Assembler {
    pub(crate) fn new(origin: Arc<Origin>, filter: RecordFilter) -> Self {
        Self {
            open: OpenRuns::default(),
            early: Vec::new(),
            used: UsedItems::default(),
            maker: RecordMaker::new(origin, filter),
            paths: None,
            without_parent: EndsWithoutParent::default(),
        }
    }

    /// Has end records have their path, if a sink needs it.
    #[cfg(feature = "pipeline")]
    pub(crate) fn with_paths(mut self, is_needed: bool) -> Self {
        self.paths = is_needed.then(Box::default);
        self
    }

    /// Has records numbered from 1, for tests that compare them with what was written down.
    #[cfg(feature = "testing")]
    pub(crate) fn number_records(&mut self) {
        self.maker.number_records();
    }

    /// Takes in one entry. `is_clean` tells, of a field's name and text, whether they may leave as
    /// they are.
    pub(crate) fn add_entry(&mut self, queued: &QueuedEntry<'_>, is_clean: impl Fn(&'static str, &str) -> bool) {
        let QueuedEntry { entry, request, thread } = *queued;
        let source = EntrySource { request, thread };
        if let Some((run, fields)) = entry.start() {
            let open_run = self.open.entry(run.span);
            open_run.begin(&run);
            if run.stage.has_items() {
                self.start_with_items(source, &run, fields, &is_clean);
            } else {
                open_run.fields.extend_from_slice(fields);
                open_run.sizes = FieldSizes::of(run.stage, fields, &is_clean);
                self.maker.start(source, &run, fields, open_run);
            }
            if let Some(paths) = &mut self.paths {
                paths.begin(request, &run);
            }
        } else if let Some((span, ended, run, fields)) = entry.end() {
            if let Some(run) = run {
                self.open.entry(span).begin(&run);
                if let Some(paths) = &mut self.paths {
                    paths.begin(request, &run);
                }
            }
            let end = EndEntry { source, ended, fields, path: None };
            if self.waits_for_parent(span, request) {
                self.keep_without_parent(DeferredEnd::new(span, end), &is_clean);
            } else if !self.end_open_run(span, end, &is_clean) {
                self.early.push(DeferredEnd::new(span, end));
            }
        } else if let Some((span, fields)) = entry.note() {
            self.open.entry(span).notes.extend_from_slice(fields);
        } else if let Some((score, fields)) = entry.score() {
            let path = score.span.zip(self.paths.as_mut()).and_then(|(span, paths)| paths.whole(span));
            let judged = JudgedRun { score, path };
            self.maker.score(source, judged, fields);
        } else if let Some((line, fields)) = entry.log() {
            let stage = line.span.and_then(|span| self.open.started(span)).map(|(run, _)| run.stage);
            self.maker.log(source, line, fields, stage);
        }
    }

    /// Returns true if the end of a run waits for a start that other threads may have written.
    #[inline]
    fn waits_for_parent(&mut self, span: SpanId, request: &Request) -> bool {
        let Some(paths) = &mut self.paths else { return false };
        if self.without_parent.is_empty() {
            return paths.is_cut(span);
        }
        let mut is_root = || self.open.started(span).is_some_and(|(run, _)| run.local_root);
        paths.is_cut(span) || (self.without_parent.has_of_trace_of(request) && is_root())
    }

    /// Takes in the start of a run whose stage names items. It has begun already.
    #[cold]
    #[inline(never)]
    fn start_with_items(
        &mut self,
        source: EntrySource<'_>,
        run: &Run,
        fields: &[u64],
        is_clean: impl Fn(&'static str, &str) -> bool,
    ) {
        let (used, fields) = take_items(run.stage, fields);
        let open_run = self.open.entry(run.span);
        open_run.fields.extend_from_slice(&fields);
        open_run.sizes = FieldSizes::of(run.stage, &fields, is_clean);
        let before = self.maker.records();
        self.maker.start(source, run, &fields, open_run);
        if used.is_empty() {
            return;
        }
        if self.maker.records() > before {
            self.maker.add_items(used.clone(), Vec::new());
        }
        self.used.insert(run.span, used);
    }

    #[cold]
    fn keep_without_parent(&mut self, end: DeferredEnd, is_clean: impl Fn(&'static str, &str) -> bool) {
        if let Some(first) = self.without_parent.add(end) {
            self.end_open_run(first.span, first.entry(), is_clean);
        }
    }

    /// Ends a turn, in which every chain was looked at, and read to its end if `is_complete`.
    #[cfg(feature = "pipeline")]
    pub(crate) fn end_turn(&mut self, is_complete: bool, is_clean: impl Fn(&'static str, &str) -> bool) {
        // Those whose start was read in this turn wait for their parent from this turn on.
        self.end_early(&is_clean);
        for (read, is_over, end) in self.without_parent.end_turn(is_complete) {
            if !is_over && self.waits_for_parent(end.span, end.entry().source.request) {
                self.without_parent.put_back(read, end);
            } else {
                self.end_open_run(end.span, end.entry(), &is_clean);
            }
        }
    }

    /// Returns the number of the turn that is under way.
    #[cfg(feature = "pipeline")]
    pub(crate) fn turn(&self) -> u64 {
        self.without_parent.turn()
    }

    /// Returns true if an end that was read in a turn before `turn` is no record yet, but may
    /// become one by the next turns.
    #[cfg(feature = "pipeline")]
    pub(crate) fn defers_any_before(&self, turn: u64) -> bool {
        self.without_parent.has_any_before(turn)
    }

    /// Forgets the ends that are no records yet, and returns how many there were.
    #[cfg(feature = "pipeline")]
    pub(crate) fn forget_deferred(&mut self) -> usize {
        let deferred = self.early.len() + self.without_parent.len();
        self.early.clear();
        self.without_parent.clear();
        deferred
    }

    /// Takes in an entry that no record is made of, and returns what sort of record that would have
    /// been.
    #[cfg(feature = "pipeline")]
    pub(crate) fn forget_entry(&mut self, queued: &QueuedEntry<'_>) -> Option<ForgottenRecord> {
        if let Some((run, _)) = queued.entry.start() {
            self.open.entry(run.span).begin(&run);
            return Some((run.stage.level(), Event::Started, run.stage.target()));
        }
        if queued.entry.score().is_some() {
            return Some((Level::Info, Event::Score, ""));
        }
        if let Some((line, _)) = queued.entry.log() {
            return Some((line.descriptor.level(), Event::Log, line.descriptor.target()));
        }
        let (span, ended, run, _) = queued.entry.end()?;
        let run = run.or_else(|| self.open.started(span).map(|(run, _)| run));
        self.open.remove(span);
        self.used.remove(span);
        let (level, event) = match ended.outcome {
            // One that was read before its start is rare, and most stages have this level.
            Outcome::Completed => (run.map_or(Level::Info, |run| run.stage.level()), Event::Completed),
            Outcome::Failed => (Level::Error, Event::Failed),
            Outcome::Cancelled => (Level::Warn, Event::Cancelled),
        };
        Some((level, event, run.map_or("", |run| run.stage.target())))
    }

    /// Returns how many records were made since the output was taken the last time.
    #[cfg(feature = "pipeline")]
    pub(crate) fn records(&self) -> usize {
        self.maker.records()
    }

    /// Returns what was made since the last call.
    pub(crate) fn take_output(&mut self, is_clean: impl Fn(&'static str, &str) -> bool) -> Assembled {
        self.end_early(&is_clean);
        self.maker.take_output()
    }

    #[inline(never)]
    fn end_early(&mut self, is_clean: impl Fn(&'static str, &str) -> bool) {
        for early in std::mem::take(&mut self.early) {
            if self.waits_for_parent(early.span, early.entry().source.request) {
                self.keep_without_parent(early, &is_clean);
            } else if !self.end_open_run(early.span, early.entry(), &is_clean) {
                self.early.push(early);
            }
        }
    }

    /// Returns whether there is so much that it should be taken.
    pub(crate) fn is_full(&self) -> bool {
        self.maker.is_full()
    }

    /// Returns the counts of stages for minutes that were over at `now`; all there are without it.
    pub(crate) fn take_minutes(&mut self, now: Option<Timestamp>) -> Vec<StageMinute> {
        self.maker.take_minutes(now)
    }

    /// Returns how many records the level hid.
    pub(crate) fn filtered(&self) -> u64 {
        self.maker.filtered()
    }

    /// Makes a record of an end, if its start was read, and returns whether it was.
    #[inline(always)]
    fn end_open_run(&mut self, span: SpanId, end: EndEntry<'_>, is_clean: impl Fn(&'static str, &str) -> bool) -> bool {
        let Some((run, open_run)) = self.open.started(span) else { return false };
        let path = self.paths.as_mut().and_then(|paths| paths.end(span));
        let end = EndEntry { path: path.as_ref(), ..end };
        if run.stage.has_items() {
            let used = self.used.remove(span);
            end_with_items(&mut self.maker, &run, (open_run, used), end, is_clean);
        } else {
            self.maker.end(&run, open_run, end, is_clean);
        }
        self.open.remove(span);
        true
    }
}

/// Takes in the end of a run whose stage names items, and which used some.
#[cold]
#[inline(never)]
fn end_with_items(
    maker: &mut RecordMaker,
    run: &Run,
    (open_run, used): (&OpenRun, Vec<RecordItem>),
    end: EndEntry<'_>,
    is_clean: impl Fn(&'static str, &str) -> bool,
) {
    let (generated, fields) = take_items(run.stage, end.fields);
    let before = maker.records();
    maker.end(run, open_run, EndEntry { fields: &fields, ..end }, is_clean);
    if maker.records() > before {
        maker.add_items(used, generated);
    }
}
