//! A trace as a tree of spans, and its logs.
//!
//! The spans lie in one list, depth first, and a node is an index in it. So a tree of any depth is
//! walked, compared and dropped without recursion.

use std::fmt;
use std::time::Duration;

use ragtrace::{ErrorInfo, Record, SpanId, StageKind, Timestamp, TraceId, Value};

use super::row::LogRow;
use super::score::ScoreRow;

/// Everything that was recorded under one trace id.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    pub(super) id: TraceId,
    pub(super) status: SpanStatus,
    pub(super) started_at: Timestamp,
    pub(super) duration: Duration,
    /// Depth first; the children of one parent by their start.
    pub(super) spans: Vec<Span>,
    pub(super) logs: Vec<LogRow>,
    pub(super) scores: Vec<ScoreRow>,
    pub(super) truncated: bool,
}

/// The state of a stage's run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SpanStatus {
    /// It runs, as far as the store knows.
    Open,
    /// It returned.
    Completed,
    /// It returned an error, or panicked.
    Failed,
    /// It was dropped before its end.
    Cancelled,
    /// Its end will not come: its process has closed, or has not been heard of for three minutes.
    Lost,
}

impl SpanStatus {
    /// Returns the name in JSON: `open`, `completed`, `failed`, `cancelled` or `lost`.
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

/// One run of one stage, as its records tell.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Span {
    pub(super) id: SpanId,
    /// The end record if there is one (it repeats the start's fields), else the start record.
    pub(super) record: Record,
    pub(super) status: SpanStatus,
    pub(super) started_at: Timestamp,
    /// `None` while there is no end.
    pub(super) duration: Option<Duration>,
    pub(super) depth: usize,
    pub(super) parent: Option<usize>,
    /// One past the last of its descendants in the list.
    pub(super) end: usize,
}

impl Trace {
    /// Returns the trace's id.
    pub fn trace_id(&self) -> TraceId {
        self.id
    }

    /// Returns the worst status among the spans at the top: failed, lost, cancelled, open,
    /// completed. What a stage caught and got over does not fail the trace.
    pub fn status(&self) -> SpanStatus {
        self.status
    }

    /// Returns when the first span or record began.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// Returns the time from there to the end of the last span or record.
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Returns the spans, depth first, each parent before its children and these by their start.
    pub fn spans(&self) -> impl DoubleEndedIterator<Item = SpanNode<'_>> + ExactSizeIterator {
        (0..self.spans.len()).map(|index| SpanNode { trace: self, index })
    }

    /// Returns the spans without a parent in the store.
    pub fn roots(&self) -> impl Iterator<Item = SpanNode<'_>> {
        Siblings { trace: self, next: 0, end: self.spans.len() }
    }

    /// Returns the span of this id.
    pub fn span(&self, id: SpanId) -> Option<SpanNode<'_>> {
        self.spans().find(|span| span.span_id() == id)
    }

    /// Returns every record as a row, the oldest first.
    pub fn logs(&self) -> &[LogRow] {
        &self.logs
    }

    /// Returns what was judged of the trace and of its spans, the oldest first and at most 10,000.
    pub fn scores(&self) -> &[ScoreRow] {
        &self.scores
    }

    /// Returns the trace with its scores.
    pub(crate) fn with_scores(mut self, scores: Vec<ScoreRow>) -> Self {
        self.scores = scores;
        self
    }

    /// Returns `true` if there are more records than were read (100,000).
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// Returns the user that the request is of, by the first record that names one.
    pub fn user_id(&self) -> Option<&str> {
        self.first(Record::user_id)
    }

    /// Returns the tenant that the user belongs to, by the first record that names one.
    pub fn tenant_id(&self) -> Option<&str> {
        self.first(Record::tenant_id)
    }

    /// Returns the session that the request belongs to, by the first record that names one.
    pub fn session_id(&self) -> Option<&str> {
        self.first(Record::session_id)
    }

    /// Returns the request's id, by the first record that names one.
    pub fn request_id(&self) -> Option<&str> {
        self.first(Record::request_id)
    }

    /// Returns the request's type, by the first record that names one.
    pub fn request_type(&self) -> Option<&str> {
        self.first(Record::request_type)
    }

    /// Returns the service, by the first record that names one.
    pub fn service(&self) -> Option<&str> {
        self.first(Record::service)
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

    /// Returns the state of the run.
    pub fn status(self) -> SpanStatus {
        self.span().status
    }

    /// Returns the span's id.
    pub fn span_id(self) -> SpanId {
        self.span().id
    }

    /// Returns the id of its parent, also where the parent is not in the store.
    pub fn parent_span_id(self) -> Option<SpanId> {
        self.record().parent_span_id()
    }

    /// Returns when it began.
    pub fn started_at(self) -> Timestamp {
        self.span().started_at
    }

    /// Returns how long it took, if it has ended.
    pub fn duration(self) -> Option<Duration> {
        self.span().duration
    }

    /// Returns how much of that it spent inside polls, if it is asynchronous.
    pub fn busy(self) -> Option<Duration> {
        self.record().busy()
    }

    /// Returns how many items it yielded.
    pub fn count(self) -> Option<u64> {
        self.record().count()
    }

    /// Returns the cost that it recorded, in US dollars.
    pub fn cost_usd(self) -> Option<f64> {
        self.record().metric("cost_usd")
    }

    /// Returns the fields that describe what it worked on.
    pub fn context(self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.record().context()
    }

    /// Returns the numbers it recorded, without those that have accessors of their own.
    pub fn metrics(self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.record().metrics()
    }

    /// Returns what was judged of it, the oldest first.
    pub fn scores(self) -> impl Iterator<Item = &'a ScoreRow> {
        self.trace.scores.iter().filter(move |score| score.span_id() == Some(self.span_id()))
    }

    /// Returns the error that it failed with.
    pub fn error(self) -> Option<&'a ErrorInfo> {
        self.record().error()
    }

    /// Returns the backtrace of a panic or an error, if one was taken.
    pub fn stack_trace(self) -> Option<&'a str> {
        self.record().stack_trace()
    }

    /// Returns its end record (which repeats what its start said), or its start record while there
    /// is no end.
    pub fn record(self) -> &'a Record {
        &self.span().record
    }

    /// Returns `true` if it names a parent of its own process that is not in the store: its records
    /// are still on their way, or were hidden, or are gone.
    pub fn is_orphan(self) -> bool {
        self.lacks_parent() && !self.record().is_local_root()
    }

    /// Returns `true` if it names a parent in another process that is not in the store, since that
    /// process writes elsewhere or not yet.
    pub fn has_remote_parent(self) -> bool {
        self.lacks_parent() && self.record().is_local_root()
    }

    fn lacks_parent(self) -> bool {
        self.span().parent.is_none() && self.parent_span_id().is_some()
    }

    /// Returns how many ancestors it has in the store.
    pub fn depth(self) -> usize {
        self.span().depth
    }

    /// Returns its parent, if that is in the store.
    pub fn parent(self) -> Option<SpanNode<'a>> {
        self.span().parent.map(|index| SpanNode { trace: self.trace, index })
    }

    /// Returns its children, by their start.
    pub fn children(self) -> impl Iterator<Item = SpanNode<'a>> {
        Siblings { trace: self.trace, next: self.index + 1, end: self.span().end }
    }

    fn span(self) -> &'a Span {
        &self.trace.spans[self.index]
    }
}

/// Steps over the list, for a picture.
#[cfg(feature = "waterfall")]
impl SpanNode<'_> {
    /// Returns its index in the list.
    pub(crate) fn index(self) -> usize {
        self.index
    }

    /// Returns the index of its parent in the list, if it is there.
    pub(crate) fn parent_index(self) -> Option<usize> {
        self.span().parent
    }

    /// Returns the next span, depth first.
    pub(crate) fn next(self) -> Option<Self> {
        self.at(self.index + 1)
    }

    /// Returns `true` if it completed and everything beneath it did.
    pub(crate) fn is_completed_throughout(self) -> bool {
        let subtree = &self.trace.spans[self.index..self.span().end];
        subtree.iter().all(|span| span.status == SpanStatus::Completed)
    }

    fn at(self, index: usize) -> Option<Self> {
        (index < self.trace.spans.len()).then_some(Self { trace: self.trace, index })
    }
}

/// Spans of one parent: from one to the next is past the descendants of the one.
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
