//! Builds a trace from rows, in the same way for every backend.
//!
//! Rows come in any order, and some may be missing. An end without a start is enough for a span,
//! since it repeats the start's fields. A start without an end is an open or a lost span. A span
//! whose parent is missing becomes a root. A record that occurs twice counts once. If parents form
//! a circle, the earliest of its spans becomes a root.

use std::collections::HashMap;
use std::time::Duration;

use ragtrace::{Event, Record, SpanId, Timestamp, TraceId};
use uuid::Uuid;

use super::critical_path::critical_times;
use super::extent::Extent;
use super::limits::INSTANCE_TIMEOUT;
use super::row::LogRow;
use super::self_time::self_times;
use super::trace::{Span, SpanStatus, Trace};

/// The time at which a process was last seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heartbeat {
    pub(crate) last_seen_at: Timestamp,
    pub(crate) ended: bool,
}

/// Facts that the rows do not contain.
pub(crate) struct AssemblyInput {
    pub(crate) instances: HashMap<Uuid, Heartbeat>,
    pub(crate) now: Timestamp,
    /// `true` if the trace has more rows than were read.
    pub(crate) truncated: bool,
}

impl AssemblyInput {
    fn of_open(&self, start: &Record) -> SpanStatus {
        let heartbeat = self.instances.get(&start.instance());
        let last = heartbeat.map_or(start.timestamp(), |heartbeat| heartbeat.last_seen_at.max(start.timestamp()));
        let gone = heartbeat.is_some_and(|heartbeat| heartbeat.ended) || self.now.since(last) > INSTANCE_TIMEOUT;
        if gone { SpanStatus::Lost } else { SpanStatus::Open }
    }
}

/// Returns the trace that the rows make, or `None` if there are none.
pub(crate) fn assemble(trace_id: TraceId, mut rows: Vec<LogRow>, input: &AssemblyInput) -> Option<Trace> {
    rows.sort_by_key(|row| (row.timestamp(), row.id()));
    rows.dedup_by_key(|row| row.id());
    let mut spans = in_order(spans(&rows, input));
    let first = rows.first()?.timestamp();
    let started_at = spans.iter().map(|span| span.started_at).fold(first, Timestamp::min);
    let ended_at = rows.last()?.timestamp();
    let ended_at =
        spans.iter().map(|s| s.started_at.plus(s.duration.unwrap_or_default())).fold(ended_at, Timestamp::max);
    let duration = ended_at.since(started_at);
    measure(&mut spans, started_at, duration);
    Some(Trace {
        id: trace_id,
        status: SpanStatus::worst(spans.iter().filter(|span| span.parent.is_none()).map(|span| span.status)),
        started_at,
        duration,
        spans,
        logs: rows,
        scores: Vec::new(),
        truncated: input.truncated,
    })
}

/// Sets the self times and the critical path.
fn measure(spans: &mut [Span], started_at: Timestamp, duration: Duration) {
    let extents = Extent::all(spans, started_at, duration);
    let times = self_times(spans, &extents).into_iter().zip(critical_times(spans, &extents));
    for (span, (self_time, critical_time)) in spans.iter_mut().zip(times) {
        (span.self_time, span.critical_time) = (self_time, critical_time);
    }
}

/// Returns the spans by their start, not yet arranged as a tree.
fn spans(rows: &[LogRow], input: &AssemblyInput) -> Vec<Span> {
    let mut runs: HashMap<SpanId, (Option<&Record>, Option<&Record>)> = HashMap::new();
    for row in rows {
        let Some(span_id) = row.span_id().filter(|_| row.event() != Event::Log) else { continue };
        let (start, end) = runs.entry(span_id).or_default();
        let half = if row.event().is_end() { end } else { start };
        half.get_or_insert(row.record());
    }
    let mut spans: Vec<Span> = runs.into_iter().filter_map(|(id, (start, end))| span(id, start, end, input)).collect();
    spans.sort_by_key(|span| (span.started_at, span.id));
    spans
}

fn span(span_id: SpanId, start: Option<&Record>, end: Option<&Record>, input: &AssemblyInput) -> Option<Span> {
    let record = end.or(start)?;
    let status = match record.event() {
        Event::Completed => SpanStatus::Completed,
        Event::Failed => SpanStatus::Failed,
        Event::Cancelled => SpanStatus::Cancelled,
        _ => input.of_open(record),
    };
    let duration = end.map(|end| {
        let between = || end.timestamp().since(start.map_or(end.timestamp(), Record::timestamp));
        end.duration().unwrap_or_else(between)
    });
    let started_at = start.map_or_else(|| record.timestamp().minus(duration.unwrap_or_default()), Record::timestamp);
    let record = record.clone();
    Some(Span {
        id: span_id,
        record,
        status,
        started_at,
        duration,
        depth: 0,
        parent: None,
        end: 0,
        self_time: None,
        critical_time: None,
    })
}

/// Returns the spans depth first, each with its parent and depth.
fn in_order(spans: Vec<Span>) -> Vec<Span> {
    let index_of: HashMap<SpanId, usize> = spans.iter().enumerate().map(|(at, span)| (span.id, at)).collect();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); spans.len()];
    let mut tops = Vec::new();
    for (at, span) in spans.iter().enumerate() {
        match span.record.parent_span_id().and_then(|parent| index_of.get(&parent)) {
            Some(&parent) => children[parent].push(at),
            None => tops.push(at),
        }
    }
    let mut unplaced: Vec<Option<Span>> = spans.into_iter().map(Some).collect();
    let mut placed = Vec::with_capacity(unplaced.len());
    place_all(tops, &mut unplaced, &children, &mut placed);
    // The spans left over hang on a circle. The earliest becomes a root, and the rest of its circle
    // follows below it.
    for at in 0..unplaced.len() {
        if unplaced[at].is_some() {
            place_all(vec![at], &mut unplaced, &children, &mut placed);
        }
    }
    close(&mut placed);
    placed
}

fn place_all(tops: Vec<usize>, unplaced: &mut [Option<Span>], children: &[Vec<usize>], placed: &mut Vec<Span>) {
    let mut stack: Vec<(usize, Option<usize>)> = tops.into_iter().rev().map(|top| (top, None)).collect();
    while let Some((at, parent)) = stack.pop() {
        let Some(mut span) = unplaced[at].take() else { continue };
        span.parent = parent;
        span.depth = parent.map_or(0, |parent: usize| placed[parent].depth + 1);
        let here = placed.len();
        placed.push(span);
        stack.extend(children[at].iter().rev().map(|&child| (child, Some(here))));
    }
}

/// Sets where each span's descendants end, from the last span to the first.
fn close(spans: &mut [Span]) {
    for at in (0..spans.len()).rev() {
        let end = spans[at].end.max(at + 1);
        spans[at].end = end;
        if let Some(parent) = spans[at].parent {
            spans[parent].end = spans[parent].end.max(end);
        }
    }
}
