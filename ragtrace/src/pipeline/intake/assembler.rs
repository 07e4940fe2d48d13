//! Turns entries into records: joins ends with their starts, and adds names and times of day.
//!
//! Each thread has a chain of its own, so the end of a future that moved between threads may be
//! read before its start. Such an end waits for its start, which was written before it and so is in
//! one of the chains. An end whose start was refused contains the start's data, and waits for
//! nothing. If a sink needs paths, an end also waits for the start of the enclosing run.

#![expect(
    clippy::inline_always,
    reason = "inlining keeps the values that make up a record in registers instead of memory"
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

/// Makes records of entries, and remembers the open runs.
pub(crate) struct Assembler {
    open: OpenRuns,
    /// Ends whose start has not been read yet.
    early: Vec<DeferredEnd>,
    used: UsedItems,
    maker: RecordMaker,
    /// `None` if no sink needs paths.
    paths: Option<Box<Paths>>,
    without_parent: EndsWithoutParent,
}

/// The level, event and target of a record that is not made.
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

    /// Adds paths to end records if a sink needs them.
    #[cfg(feature = "pipeline")]
    pub(crate) fn with_paths(mut self, is_needed: bool) -> Self {
        self.paths = is_needed.then(Box::default);
        self
    }

    /// Numbers records from 1, for tests that compare them with expected ones.
    #[cfg(feature = "testing")]
    pub(crate) fn number_records(&mut self) {
        self.maker.number_records();
    }

    /// Handles one entry. `is_clean` returns `true` for the name and text of a field that may leave
    /// the process as it is.
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

    /// Returns `true` if the end of a run waits for a start that another thread may have written.
    #[inline]
    fn waits_for_parent(&mut self, span: SpanId, request: &Request) -> bool {
        let Some(paths) = &mut self.paths else { return false };
        if self.without_parent.is_empty() {
            return paths.is_cut(span);
        }
        let mut is_root = || self.open.started(span).is_some_and(|(run, _)| run.local_root);
        paths.is_cut(span) || (self.without_parent.has_of_trace_of(request) && is_root())
    }

    /// Handles the start of a stage that names items; its run has already been begun.
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

    /// Ends a turn, in which every chain was visited, and read to its end if `is_complete`.
    #[cfg(feature = "pipeline")]
    pub(crate) fn end_turn(&mut self, is_complete: bool, is_clean: impl Fn(&'static str, &str) -> bool) {
        // Ends whose start was read in this turn begin to wait for their parents now.
        self.end_early(&is_clean);
        for (read, is_over, end) in self.without_parent.end_turn(is_complete) {
            if !is_over && self.waits_for_parent(end.span, end.entry().source.request) {
                self.without_parent.put_back(read, end);
            } else {
                self.end_open_run(end.span, end.entry(), &is_clean);
            }
        }
    }

    /// Returns the number of the current turn.
    #[cfg(feature = "pipeline")]
    pub(crate) fn turn(&self) -> u64 {
        self.without_parent.turn()
    }

    /// Returns `true` if an end that was read before `turn` is still deferred, but may become a
    /// record in the next turns.
    #[cfg(feature = "pipeline")]
    pub(crate) fn defers_any_before(&self, turn: u64) -> bool {
        self.without_parent.has_any_before(turn)
    }

    /// Discards the deferred ends, and returns their number.
    #[cfg(feature = "pipeline")]
    pub(crate) fn forget_deferred(&mut self) -> usize {
        let deferred = self.early.len() + self.without_parent.len();
        self.early.clear();
        self.without_parent.clear();
        deferred
    }

    /// Handles an entry of which no record is made, and returns the level, event and target that
    /// the record would have had.
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
            // An end that was read before its start is rare, and `info` is the level of most
            // stages.
            Outcome::Completed => (run.map_or(Level::Info, |run| run.stage.level()), Event::Completed),
            Outcome::Failed => (Level::Error, Event::Failed),
            Outcome::Cancelled => (Level::Warn, Event::Cancelled),
        };
        Some((level, event, run.map_or("", |run| run.stage.target())))
    }

    /// Returns the number of records made since the output was last taken.
    #[cfg(feature = "pipeline")]
    pub(crate) fn records(&self) -> usize {
        self.maker.records()
    }

    /// Returns everything made since the last call.
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

    /// Returns `true` if the output is large enough to be taken.
    pub(crate) fn is_full(&self) -> bool {
        self.maker.is_full()
    }

    /// Returns the metrics of minutes that were over at `now`, or all metrics if `now` is `None`.
    pub(crate) fn take_minutes(&mut self, now: Option<Timestamp>) -> Vec<StageMinute> {
        self.maker.take_minutes(now)
    }

    /// Returns the number of records excluded by their level.
    pub(crate) fn filtered(&self) -> u64 {
        self.maker.filtered()
    }

    /// Makes the record of an end and returns `true` if its start has been read; otherwise returns
    /// `false`.
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

/// Handles the end of a stage that names items, and whose run used some.
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
