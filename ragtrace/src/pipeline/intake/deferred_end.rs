//! Ends that cannot become records yet.

use std::collections::VecDeque;
use std::sync::Arc;

use ragtrace_core::context::Request;
use ragtrace_core::entry::RunEnd;

use super::record_maker::{EndEntry, EntrySource};
use crate::SpanId;

/// An end that waits for entries that other threads wrote before it.
pub(super) struct DeferredEnd {
    pub(super) span: SpanId,
    request: Arc<Request>,
    thread: Arc<str>,
    ended: RunEnd,
    fields: Vec<u64>,
}

impl DeferredEnd {
    #[cold]
    pub(super) fn new(span: SpanId, end: EndEntry<'_>) -> Self {
        let EndEntry { source, ended, fields, .. } = end;
        let (request, thread) = (Arc::clone(source.request), Arc::clone(source.thread));
        Self { span, request, thread, ended, fields: fields.to_vec() }
    }

    /// Returns the end as it was read.
    pub(super) fn entry(&self) -> EndEntry<'_> {
        let source = EntrySource { request: &self.request, thread: &self.thread };
        EndEntry { source, ended: self.ended, fields: &self.fields, path: None }
    }

    fn is_of_trace_of(&self, other: &Request) -> bool {
        self.request.trace_id == other.trace_id
    }
}

/// Ends of runs whose parent's start has not been read, for sinks that need paths.
///
/// The start may be in another chain. It was written before, so it is read once every chain has
/// been read up to its present end. If it has not been found by then, the parent is not known.
///
/// The end of a local root waits for those of its trace, because sampling decides about the trace
/// when it arrives.
#[derive(Default)]
pub(super) struct EndsWithoutParent {
    /// The ends in the order in which they were read, each with its turn.
    ends: VecDeque<(u64, DeferredEnd)>,
    turn: u64,
}

impl EndsWithoutParent {
    /// The maximum number of waiting ends.
    const MOST: usize = 1_024;
    /// The maximum number of turns that an end waits, if chains are not read to their ends for
    /// that long.
    const MOST_TURNS: u64 = 64;

    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns the number of the current turn.
    pub(super) fn turn(&self) -> u64 {
        self.turn
    }

    /// Returns `true` if an end is waiting that was read in a turn before `turn`.
    pub(super) fn has_any_before(&self, turn: u64) -> bool {
        self.ends.front().is_some_and(|(read, _)| *read < turn)
    }

    /// Returns `true` if an end of the request's trace is waiting.
    pub(super) fn has_of_trace_of(&self, request: &Request) -> bool {
        self.ends.iter().any(|(_, end)| end.is_of_trace_of(request))
    }

    /// Adds a waiting end, and returns another one that no longer waits if there are too many.
    pub(super) fn add(&mut self, end: DeferredEnd) -> Option<DeferredEnd> {
        self.ends.push_back((self.turn, end));
        if self.ends.len() > Self::MOST { self.ends.pop_front().map(|(_, end)| end) } else { None }
    }

    /// Ends a turn, in which every chain was visited, and read to its end if `is_complete`. Returns
    /// the ends that waited, each with `true` if nothing more can be expected for it.
    pub(super) fn end_turn(&mut self, is_complete: bool) -> impl Iterator<Item = (u64, bool, DeferredEnd)> + use<> {
        let turn = self.turn;
        self.turn += 1;
        let is_over = move |read| (is_complete && read < turn) || read + Self::MOST_TURNS <= turn;
        std::mem::take(&mut self.ends).into_iter().map(move |(read, end)| (read, is_over(read), end))
    }

    /// Puts back an end that was read in the turn `read`.
    pub(super) fn put_back(&mut self, read: u64, end: DeferredEnd) {
        self.ends.push_back((read, end));
    }

    /// Discards all waiting ends.
    pub(super) fn clear(&mut self) {
        self.ends.clear();
    }
}
