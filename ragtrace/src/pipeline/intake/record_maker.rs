//! Makes the records of starts and ends, and counts runs, whether their records are made or not.

#![expect(
    clippy::inline_always,
    reason = "inlining keeps the values that make up a record in registers instead of memory"
)]

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use ragtrace_core::context::Request;
use ragtrace_core::entry::{LogFieldWords, LogLine, Outcome, Run, RunEnd};
use ragtrace_core::value::encoding::DecodedFields;
use ragtrace_core::{Event, Level, StageDescriptor, Timestamp};

use super::end_summary::{EndFields, EndSummary};
use super::open_runs::{OpenRun, StartEncoding};
use crate::metrics::{EndedRun, Meter, RequestMetric, RunStatus, StageMinute};
use crate::record::{
    ChunkBuilder, ChunkPool, EncodedRanges, Extras, JudgedRun, LoggedLine, OptionalU64, Origin, PathStep, RecordFilter,
    RecordFlags, RecordIds, RecordItem, RecordParts, SealedFields, field_name,
};

/// Makes records, and counts runs.
pub(super) struct RecordMaker {
    origin: Arc<Origin>,
    pool: ChunkPool,
    filter: RecordFilter,
    /// The levels, as numbers, from which on all starts are taken, and likewise all ends.
    start_level: u8,
    end_level: u8,
    filtered: u64,
    output: Assembled,
    /// The number of the current output.
    output_number: u32,
    meter: Meter,
}

/// The records and finished requests of the entries that were read.
pub(crate) struct Assembled {
    pub(crate) records: ChunkBuilder,
    pub(crate) requests: Vec<RequestMetric>,
}

impl Assembled {
    fn new(origin: &Arc<Origin>, ids: RecordIds, pool: &ChunkPool) -> Self {
        Self { records: ChunkBuilder::from_pool(Arc::clone(origin), ids, pool), requests: Vec::new() }
    }
}

/// The request, thread and clock that an entry belongs to.
#[derive(Clone, Copy)]
pub(super) struct EntrySource<'a> {
    pub(super) request: &'a Arc<Request>,
    pub(super) thread: &'a Arc<str>,
}

/// The entry of a run's end.
#[derive(Clone, Copy)]
pub(super) struct EndEntry<'a> {
    pub(super) source: EntrySource<'a>,
    pub(super) ended: RunEnd,
    /// The encoded fields of the end.
    pub(super) fields: &'a [u64],
    /// The path of the run, if a sink needs it.
    pub(super) path: Option<&'a Arc<[PathStep]>>,
}

/// All parts of a run's record except its fields.
#[derive(Clone, Copy)]
struct RecordHead<'a> {
    source: EntrySource<'a>,
    run: &'a Run,
    timestamp: Timestamp,
    event: Event,
    level: Level,
    /// Set if the record is made, because some sink takes it.
    is_shown: bool,
    /// The duration of the run, and the time inside of polls; only ends have them.
    duration: OptionalU64,
    busy: OptionalU64,
    path: Option<&'a Arc<[PathStep]>>,
}

impl RecordHead<'_> {
    /// Adds the path to the optional parts of a record.
    #[inline(always)]
    fn add_path(&self, extras: &mut Option<Box<Extras>>) {
        if let Some(path) = self.path {
            extras.get_or_insert_default().path = Some(Arc::clone(path));
        }
    }
}

impl RecordMaker {
    pub(super) fn new(origin: Arc<Origin>, filter: RecordFilter) -> Self {
        let (end_level, start_level) = filter.certain_of_stages();
        let pool = ChunkPool::default();
        let output = Assembled::new(&origin, RecordIds::of_process(&origin), &pool);
        Self {
            origin,
            pool,
            filter,
            start_level,
            end_level,
            filtered: 0,
            output,
            output_number: 0,
            meter: Meter::default(),
        }
    }

    /// Numbers records from 1.
    #[cfg(feature = "testing")]
    pub(super) fn number_records(&mut self) {
        self.output = Assembled::new(&self.origin, RecordIds::Numbered(1), &self.pool);
    }

    /// Returns everything made since the last call.
    #[inline]
    pub(super) fn take_output(&mut self) -> Assembled {
        let next = Assembled::new(&self.origin, self.output.records.next_ids(), &self.pool);
        self.output_number = self.output_number.wrapping_add(1);
        std::mem::replace(&mut self.output, next)
    }

    /// Returns the number of records made since the output was last taken.
    pub(super) fn records(&self) -> usize {
        self.output.records.len()
    }

    /// Returns `true` if the output is large enough to be taken.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.output.records.is_full()
    }

    /// Returns the metrics of minutes that were over at `now`, or all metrics if `now` is `None`.
    pub(super) fn take_minutes(&mut self, now: Option<Timestamp>) -> Vec<StageMinute> {
        self.meter.take(now)
    }

    /// Returns the number of records excluded by their level.
    pub(super) fn filtered(&self) -> u64 {
        self.filtered
    }

    /// Adds items to the record that was made last.
    pub(super) fn add_items(&mut self, used: Vec<RecordItem>, generated: Vec<RecordItem>) {
        self.output.records.add_items(used, generated);
    }

    /// Makes the record of a start.
    #[inline(always)]
    pub(super) fn start(&mut self, source: EntrySource<'_>, run: &Run, fields: &[u64], open_run: &mut OpenRun) {
        let level = run.stage.level();
        if !self.shows(run, (level, Event::Started), self.start_level) {
            return;
        }
        let timestamp = source.request.anchor.wall_at(run.started);
        let (duration, busy) = (OptionalU64::NONE, OptionalU64::NONE);
        let (event, is_shown) = (Event::Started, true);
        let head = RecordHead { source, run, timestamp, event, level, is_shown, duration, busy, path: None };
        if fields.len() > ChunkBuilder::MAX_ENCODED {
            self.add_context(run.stage, DecodedFields(fields));
            return self.add_decoded(head, EndSummary::default());
        }
        let context = self.output.records.append_encoded(fields);
        open_run.start_encoding = Some(StartEncoding { output: self.output_number, range: context });
        let ranges = EncodedRanges { context, sizes: open_run.sizes, ..EncodedRanges::default() };
        self.add(head, EndSummary::default(), ranges);
    }

    /// Makes the record of a score, which levels never exclude.
    #[cold]
    pub(super) fn score(&mut self, source: EntrySource<'_>, judged: JudgedRun, fields: &[u64]) {
        if !self.filter.takes(Level::Info, Event::Score, || "") {
            self.filtered += 1;
            return;
        }
        self.output.records.add_score(source.request, source.thread, judged, fields);
    }

    /// Makes the record of a log line, which was written in a run of `stage` if that is given.
    #[inline(never)]
    pub(super) fn log(
        &mut self,
        source: EntrySource<'_>,
        line: LogLine,
        fields: LogFieldWords<'_>,
        stage: Option<&'static StageDescriptor>,
    ) {
        let EntrySource { request, thread } = source;
        let anchor = request.anchor;
        let request = Some(request).filter(|request| !request.is_nobody);
        let logged = LoggedLine { line, fields, anchor, request, thread: Some(thread), stage };
        // The line was taken when it was logged, but the sinks may have changed since.
        if logged.is_taken(self.filter) {
            self.output.records.add_log_line(logged);
        } else {
            self.filtered += 1;
        }
    }

    /// Makes the record of an end, and counts the run.
    #[inline(always)]
    pub(super) fn end(
        &mut self,
        run: &Run,
        open_run: &OpenRun,
        end: EndEntry<'_>,
        is_clean: impl Fn(&'static str, &str) -> bool,
    ) {
        let EndEntry { source, ended, fields, path } = end;
        let (event, level) = match ended.outcome {
            Outcome::Completed => (Event::Completed, run.stage.level()),
            Outcome::Failed => (Event::Failed, Level::Error),
            Outcome::Cancelled => (Event::Cancelled, Level::Warn),
        };
        let timestamp = source.request.anchor.wall_at(ended.at);
        let nanos = ended.at.nanos_since(run.started);
        let busy = ended.busy.map_or(OptionalU64::NONE, |busy| OptionalU64::some(busy.min(nanos)));
        let duration = OptionalU64::some(nanos);
        let is_shown = self.shows(run, (level, event), self.end_level);
        let head = RecordHead { source, run, timestamp, event, level, is_shown, duration, busy, path };
        let before = self.output.records.encoded_end();
        let mut sizes = open_run.sizes;
        let encoded = if open_run.notes.is_empty() && open_run.fields.len() + fields.len() <= ChunkBuilder::MAX_ENCODED
        {
            let fields = EndFields { stage: run.stage, start: &open_run.fields, end: fields };
            EndSummary::append_encoded(&mut self.output.records, fields, &mut sizes, is_clean)
        } else {
            None
        };
        let Some((summary, texts)) = encoded else {
            self.output.records.truncate_encoded(before);
            return self.end_decoded(head, open_run, fields);
        };
        self.count(head, &summary);
        if !is_shown {
            return self.output.records.truncate_encoded(before);
        }
        let metrics = self.output.records.encoded_since(before);
        let context = match open_run.start_encoding {
            // If the start's record is in the same output, both records share the fields.
            Some(StartEncoding { output, range }) if output == self.output_number && texts.is_empty() => range,
            _ => self.output.records.append_both(&open_run.fields, &texts),
        };
        self.add(head, summary, EncodedRanges { context, metrics, sizes });
    }

    /// Makes the record of an end whose fields have to be distinguished by their names, because the
    /// last of several values counts. It may also have more fields than the encoding of a record
    /// can.
    #[cold]
    #[inline(never)]
    fn end_decoded(&mut self, head: RecordHead<'_>, open_run: &OpenRun, fields: &[u64]) {
        let stage = head.run.stage;
        let mut summary = EndSummary::default();
        self.add_context(stage, DecodedFields(&open_run.fields));
        // A `count` recorded with `record!` is the count of the run, if its result has none.
        for (index, value) in DecodedFields(&open_run.notes).chain(DecodedFields(fields)) {
            summary.add_decoded(&mut self.output.records, stage, index, value);
        }
        self.count(head, &summary);
        if head.is_shown { self.add_decoded(head, summary) } else { self.output.records.discard_fields() }
    }

    /// Counts the run for its minute, and for its request if it is a local root.
    #[inline]
    fn count(&mut self, head: RecordHead<'_>, summary: &EndSummary) {
        let RecordHead { source, run, timestamp, .. } = head;
        let nanos = head.duration.get().unwrap_or(0);
        let status = RunStatus::of(head.event);
        self.meter.count(&EndedRun {
            at: timestamp,
            stage: run.stage,
            request: source.request,
            status,
            items: summary.count,
            cost_usd: summary.cost_usd,
            nanos,
        });
        if run.local_root {
            let (operation, request) = (Cow::Borrowed(run.stage.name()), Arc::clone(source.request));
            let duration = Duration::from_nanos(nanos);
            self.output.requests.push(RequestMetric { timestamp, operation, duration, status, request });
        }
    }

    /// Adds the fields of a start by their names.
    fn add_context(&mut self, stage: &'static StageDescriptor, fields: DecodedFields<'_>) {
        for (index, value) in fields {
            if let Some(name) = field_name(stage, index) {
                self.output.records.add_context(Cow::Borrowed(name), value);
            }
        }
    }

    /// Returns `true` if a record of a run with this level and event is made, and counts it as
    /// filtered otherwise. Records from the level `certain` on are always made.
    #[inline(always)]
    fn shows(&mut self, run: &Run, (level, event): (Level, Event), certain: u8) -> bool {
        if level as u8 >= certain {
            return true;
        }
        let shows = self.filter.is_by_target() && self.takes_by_target(run, level, event);
        self.filtered += u64::from(!shows);
        shows
    }

    #[cold]
    #[inline(never)]
    fn takes_by_target(&self, run: &Run, level: Level, event: Event) -> bool {
        self.filter.takes(level, event, || run.stage.target())
    }

    /// Adds a record with the fields in `ranges`. The record is built in its final place, so it is
    /// written only once.
    #[inline(always)]
    fn add(&mut self, head: RecordHead<'_>, summary: EndSummary, ranges: EncodedRanges) {
        let RecordHead { source, run, timestamp, event, level, duration, busy, .. } = head;
        let records = &mut self.output.records;
        let request = records.request_index(source.request);
        let thread = records.thread_index(source.thread);
        let EndSummary { count, failure: mut extras, .. } = summary;
        let has_failed = extras.is_some();
        head.add_path(&mut extras);
        let ranges = ranges.with_path(head.path.map_or(0, |path| path.len()));
        let SealedFields { fields, size, memory, flags } = records.seal_encoded(run.stage, ranges, has_failed);
        let (stage, count) = (Some(run.stage), OptionalU64::from(count));
        let (span_id, parent_span_id) = (Some(run.span), run.parent);
        let flags = flags.with(RecordFlags::LOCAL_ROOT, run.local_root);
        records.push(|| RecordParts {
            stage,
            extras,
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
            flags,
        });
    }

    /// Adds the record whose fields were added by their names.
    #[cold]
    fn add_decoded(&mut self, head: RecordHead<'_>, mut summary: EndSummary) {
        head.add_path(&mut summary.failure);
        let RecordHead { source, run, timestamp, event, level, duration, busy, .. } = head;
        let records = &mut self.output.records;
        let (request, thread) = (records.request_index(source.request), records.thread_index(source.thread));
        records.add(RecordParts {
            count: OptionalU64::from(summary.count),
            extras: summary.failure,
            span_id: Some(run.span),
            parent_span_id: run.parent,
            duration,
            busy,
            request,
            thread,
            flags: RecordFlags::default().with(RecordFlags::LOCAL_ROOT, run.local_root),
            ..RecordParts::new(timestamp, event, level, Some(run.stage))
        });
    }
}
