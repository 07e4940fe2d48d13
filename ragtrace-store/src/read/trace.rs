//! A trace as a tree of spans, and its logs.
//!
//! The spans lie in one list in depth-first order, and a node is an index into it. So a tree of any
//! depth is walked, compared and dropped without recursion.

use std::fmt;
use std::time::Duration;

use ragtrace::{ErrorInfo, Record, SpanId, StageKind, Timestamp, TraceId, Value};

use super::row::LogRow;
use super::score::ScoreRow;

/// All records of one trace: a tree of spans, log records and scores.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    pub(super) id: TraceId,
    pub(super) status: SpanStatus,
    pub(super) started_at: Timestamp,
    pub(super) duration: Duration,
    /// In depth-first order; the children of one parent by their start.
    pub(super) spans: Vec<Span>,
    pub(super) logs: Vec<LogRow>,
    pub(super) scores: Vec<ScoreRow>,
    pub(super) truncated: bool,
}

/// The status of a span, which is one run of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SpanStatus {
    /// The stage is running, as far as the store knows.
    Open,
    /// The stage returned, and not with an error.
    Completed,
    /// The stage returned an error, or panicked.
    Failed,
    /// The stage was dropped before its end.
    Cancelled,
    /// The end will not come: the process has ended, or has not reported to the store for three
    /// minutes.
    Lost,
}

impl SpanStatus {
    /// The statuses from worst to best.
    pub(crate) const BY_WEIGHT: [Self; 5] = [Self::Failed, Self::Lost, Self::Cancelled, Self::Open, Self::Completed];

    /// Returns the worst of some statuses, or completed if there are none.
    pub(crate) fn worst(statuses: impl Iterator<Item = Self>) -> Self {
        let weight = |status: &Self| Self::BY_WEIGHT.iter().position(|other| other == status);
        statuses.min_by_key(weight).unwrap_or(Self::Completed)
    }

    /// Returns the status as in JSON: `open`, `completed`, `failed`, `cancelled` or `lost`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
        }
    }
}

impl fmt::Display for SpanStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One run of a stage, according to its records.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Span {
    pub(super) id: SpanId,
    /// The end record, which repeats the start's fields, or the start record if there is no end.
    pub(super) record: Record,
    pub(super) status: SpanStatus,
    pub(super) started_at: Timestamp,
    /// `None` while there is no end.
    pub(super) duration: Option<Duration>,
    pub(super) depth: usize,
    pub(super) parent: Option<usize>,
    /// The index after the last of its descendants in the list.
    pub(super) end: usize,
    /// The time spent in none of its children, `None` while there is no end.
    pub(super) self_time: Option<Duration>,
    /// The time for which the critical path is its own, `None` if the span is not on the path.
    pub(super) critical_time: Option<Duration>,
}

impl Trace {
    /// Returns the trace's id.
    pub fn trace_id(&self) -> TraceId {
        self.id
    }

    /// Returns the worst status of the root spans; from worst to best: failed, lost, cancelled,
    /// open, completed. An error that a stage handled does not fail the trace.
    pub fn status(&self) -> SpanStatus {
        self.status
    }

    /// Returns the start of the first span or record.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// Returns the time from the start to the end of the last span or record.
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Returns the spans in depth-first order, each parent before its children, and children by
    /// their start.
    pub fn spans(&self) -> impl DoubleEndedIterator<Item = SpanNode<'_>> + ExactSizeIterator {
        (0..self.spans.len()).map(|index| self.node(index))
    }

    /// Returns the root spans: those whose parent is not in the store.
    pub fn roots(&self) -> impl Iterator<Item = SpanNode<'_>> {
        Siblings { trace: self, next: 0, end: self.spans.len() }
    }

    /// Returns the span with this id, or `None` if it is not in the store.
    pub fn span(&self, id: SpanId) -> Option<SpanNode<'_>> {
        self.spans().find(|span| span.span_id() == id)
    }

    /// Returns every record as a row, oldest first.
    pub fn logs(&self) -> &[LogRow] {
        &self.logs
    }

    /// Returns the scores of the trace and of its spans, oldest first and at most 10,000.
    pub fn scores(&self) -> &[ScoreRow] {
        &self.scores
    }

    /// Sets the scores.
    pub(crate) fn with_scores(mut self, scores: Vec<ScoreRow>) -> Self {
        self.scores = scores;
        self
    }

    /// Returns `true` if the trace has more than 100,000 records, of which the others are not read.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// Returns the user's id, from the first record that has one.
    pub fn user_id(&self) -> Option<&str> {
        self.first(Record::user_id)
    }

    /// Returns the tenant's id, from the first record that has one.
    pub fn tenant_id(&self) -> Option<&str> {
        self.first(Record::tenant_id)
    }

    /// Returns the session's id, from the first record that has one.
    pub fn session_id(&self) -> Option<&str> {
        self.first(Record::session_id)
    }

    /// Returns the request's id, from the first record that has one.
    pub fn request_id(&self) -> Option<&str> {
        self.first(Record::request_id)
    }

    /// Returns the request's type, from the first record that has one.
    pub fn request_type(&self) -> Option<&str> {
        self.first(Record::request_type)
    }

    /// Returns the service's name, from the first record that has one.
    pub fn service(&self) -> Option<&str> {
        self.first(Record::service)
    }

    /// Returns the span at an index of the list.
    pub(super) fn node(&self, index: usize) -> SpanNode<'_> {
        SpanNode { trace: self, index }
    }

    fn first(&self, part: impl Fn(&Record) -> Option<&str>) -> Option<&str> {
        self.logs.iter().find_map(|row| part(row))
    }
}

/// A span in its trace.
#[derive(Clone, Copy, Debug)]
pub struct SpanNode<'a> {
    trace: &'a Trace,
    index: usize,
}

impl<'a> SpanNode<'a> {
    /// Returns the stage's name.
    pub fn stage(self) -> &'a str {
        self.record().stage().unwrap_or("?")
    }

    /// Returns the stage's kind.
    pub fn kind(self) -> Option<StageKind> {
        self.record().kind()
    }

    /// Returns the span's status.
    pub fn status(self) -> SpanStatus {
        self.span().status
    }

    /// Returns the span's id.
    pub fn span_id(self) -> SpanId {
        self.span().id
    }

    /// Returns the parent's id, even if the parent is not in the store.
    pub fn parent_span_id(self) -> Option<SpanId> {
        self.record().parent_span_id()
    }

    /// Returns when the span started.
    pub fn started_at(self) -> Timestamp {
        self.span().started_at
    }

    /// Returns the span's duration, or `None` if it has not ended.
    pub fn duration(self) -> Option<Duration> {
        self.span().duration
    }

    /// Returns the time that the span spent in none of its children, or `None` if it has not ended.
    ///
    /// It is the duration without the time during which at least one child ran. Children that
    /// overlap count once, and only as far as they lie inside of the span. A child that has not
    /// ended reaches to the end of the span.
    pub fn self_time(self) -> Option<Duration> {
        self.span().self_time
    }

    /// Returns the time for which the critical path is the span's own, and not that of one of its
    /// children. Returns `None` if the span is not on the path ([`Trace::critical_path`]).
    pub fn critical_time(self) -> Option<Duration> {
        self.span().critical_time
    }

    /// Returns the part of the duration that an asynchronous stage spent inside polls.
    pub fn busy(self) -> Option<Duration> {
        self.record().busy()
    }

    /// Returns the number of items that the stage yielded.
    pub fn count(self) -> Option<u64> {
        self.record().count()
    }

    /// Returns the cost that the stage recorded, in US dollars.
    pub fn cost_usd(self) -> Option<f64> {
        self.record().metric("cost_usd")
    }

    /// Returns the fields of the stage's context, which describe its input.
    pub fn context(self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.record().context()
    }

    /// Returns the numbers that the stage recorded, without those that have accessors of their own.
    pub fn metrics(self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.record().metrics()
    }

    /// Returns the scores of this span, oldest first.
    pub fn scores(self) -> impl Iterator<Item = &'a ScoreRow> {
        self.trace.scores.iter().filter(move |score| score.span_id() == Some(self.span_id()))
    }

    /// Returns the error that the stage failed with.
    pub fn error(self) -> Option<&'a ErrorInfo> {
        self.record().error()
    }

    /// Returns the backtrace of a panic or an error, if one was captured.
    pub fn stack_trace(self) -> Option<&'a str> {
        self.record().stack_trace()
    }

    /// Returns the end record, which repeats the start's fields, or the start record if there is no
    /// end.
    pub fn record(self) -> &'a Record {
        &self.span().record
    }

    /// Returns `true` if the span's parent is of the same process and not in the store: its records
    /// are still on their way, were filtered, or are gone.
    pub fn is_orphan(self) -> bool {
        self.lacks_parent() && !self.record().is_local_root()
    }

    /// Returns `true` if the span's parent is of another process and not in the store: that process
    /// writes elsewhere, or has not written yet.
    pub fn has_remote_parent(self) -> bool {
        self.lacks_parent() && self.record().is_local_root()
    }

    fn lacks_parent(self) -> bool {
        self.span().parent.is_none() && self.parent_span_id().is_some()
    }

    /// Returns the number of ancestors in the store.
    pub fn depth(self) -> usize {
        self.span().depth
    }

    /// Returns the parent, if it is in the store.
    pub fn parent(self) -> Option<SpanNode<'a>> {
        self.span().parent.map(|index| SpanNode { trace: self.trace, index })
    }

    /// Returns the children, by their start.
    pub fn children(self) -> impl Iterator<Item = SpanNode<'a>> {
        Siblings { trace: self.trace, next: self.index + 1, end: self.span().end }
    }

    fn span(self) -> &'a Span {
        &self.trace.spans[self.index]
    }
}

/// Access by index, for drawing.
#[cfg(feature = "waterfall")]
impl SpanNode<'_> {
    /// Returns the span's index in the list.
    pub(crate) fn index(self) -> usize {
        self.index
    }

    /// Returns the parent's index in the list, if the parent is there.
    pub(crate) fn parent_index(self) -> Option<usize> {
        self.span().parent
    }

    /// Returns the next span in depth-first order.
    pub(crate) fn next(self) -> Option<Self> {
        self.at(self.index + 1)
    }

    /// Returns `true` if the span and all its descendants completed.
    pub(crate) fn is_completed_throughout(self) -> bool {
        let subtree = &self.trace.spans[self.index..self.span().end];
        subtree.iter().all(|span| span.status == SpanStatus::Completed)
    }

    fn at(self, index: usize) -> Option<Self> {
        (index < self.trace.spans.len()).then_some(Self { trace: self.trace, index })
    }
}

/// An iterator over sibling spans. It steps from one to the next past the descendants of the
/// former.
struct Siblings<'a> {
    trace: &'a Trace,
    next: usize,
    end: usize,
}

impl<'a> Iterator for Siblings<'a> {
    type Item = SpanNode<'a>;

    fn next(&mut self) -> Option<SpanNode<'a>> {
        let index = (self.next < self.end).then_some(self.next)?;
        self.next = self.trace.spans[index].end;
        Some(SpanNode { trace: self.trace, index })
    }
}
