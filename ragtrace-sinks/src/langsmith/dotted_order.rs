//! Determines the place of a run in its tree: its ids, and its dotted order.
//!
//! LangSmith answers 400 unless the last id of a dotted order is the run's, the first is its
//! trace's, the last but one is its parent's, and no time in it is before the one to its left.
//! Everything made here satisfies this by construction, even for a record whose path is missing or
//! inconsistent:
//!
//! | the record | its place |
//! | --- | --- |
//! | has its path from the trace's root | below its ancestors, each no earlier than its parent |
//! | has its path from another local root | the same, in a LangSmith trace that begins with the local root |
//! | has no path, and a parent | a tree of its own, or directly below the caller's run |
//! | has a path that was cut at 64 steps | below the remaining steps, so directly below the root |
//!
//! A path's first step is the root of the LangSmith trace, unless it continues the run of a
//! LangSmith client, whose dotted order came with the request (`langsmith-trace`). The tree then
//! has that client's trace id. A dotted order with impossible times, or with times in no order, is
//! ignored.

use ragtrace::uuid::Uuid;
use ragtrace::{PathStep, Record, SpanId, Timestamp, TraceId};

use super::{run_id, time};
use crate::spans::Span;

/// The place of a run in its tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place<'a> {
    pub(super) run_id: Uuid,
    pub(super) trace_id: Uuid,
    pub(super) parent_run_id: Option<Uuid>,
    pub(super) dotted_order: &'a str,
    /// The run's start, no earlier than its parent's.
    pub(super) start: Timestamp,
}

/// Determines places. It remembers the previous one, since the paths of siblings differ in one
/// step.
#[derive(Debug, Default)]
pub(super) struct Places {
    trace_id: Option<TraceId>,
    caller: Option<Caller>,
    steps: Vec<Step>,
    /// The dotted order of the last step.
    text: String,
}

/// The run of a LangSmith client that a request continues.
#[derive(Debug)]
struct Caller {
    received: Box<str>,
    run: Option<CallersRun>,
}

#[derive(Debug)]
struct CallersRun {
    trace_id: Uuid,
    run_id: Uuid,
    start: Timestamp,
    dotted_order: String,
}

#[derive(Debug)]
struct Step {
    of: PathStep,
    run_id: Uuid,
    start: Timestamp,
    /// The end of the step's dotted order in `text`.
    end: usize,
}

impl Places {
    /// Returns the place of a run.
    pub(super) fn of_span(&mut self, span: &Span<'_>) -> Place<'_> {
        let record = span.record;
        self.of_path(record, span.trace_id, &path_of(record, span.span_id, span.start))
    }

    /// Returns the place of the run that a score judges, if the score's record has the path.
    pub(super) fn of_judged(&mut self, record: &Record) -> Option<Place<'_>> {
        let (trace_id, span_id) = (record.trace_id()?, record.span_id()?);
        let path = usable_path(record, span_id)?;
        Some(self.of_path(record, trace_id, &Path::Known(path)))
    }

    /// Returns the LangSmith trace of the caller's run that a record's request continues.
    pub(super) fn callers_trace(&mut self, record: &Record) -> Option<Uuid> {
        self.begin(record.trace_id()?, record.langsmith_parent());
        self.callers_run().map(|run| run.trace_id)
    }

    fn of_path(&mut self, record: &Record, trace_id: TraceId, path: &Path<'_>) -> Place<'_> {
        self.begin(trace_id, record.langsmith_parent());
        let path = path.steps();
        let known = self.steps.iter().zip(path).take_while(|(known, step)| known.of == **step).count();
        self.steps.truncate(known);
        self.text.truncate(self.steps.last().map_or_else(|| self.callers_length(), |step| step.end));
        path[known..].iter().for_each(|step| self.push(trace_id, *step));
        self.last()
    }

    /// Starts over if the trace or the caller has changed.
    fn begin(&mut self, trace_id: TraceId, received: Option<&str>) {
        let is_same = self.caller.as_ref().map(|caller| &*caller.received) == received;
        if self.trace_id == Some(trace_id) && is_same {
            return;
        }
        self.trace_id = Some(trace_id);
        if !is_same {
            self.caller =
                received.map(|received| Caller { received: received.into(), run: CallersRun::read(received) });
        }
        self.steps.clear();
        self.text.clear();
        if let Some(run) = self.caller.as_ref().and_then(|caller| caller.run.as_ref()) {
            self.text.push_str(&run.dotted_order);
        }
    }

    fn callers_run(&self) -> Option<&CallersRun> {
        self.caller.as_ref()?.run.as_ref()
    }

    fn callers_length(&self) -> usize {
        self.callers_run().map_or(0, |run| run.dotted_order.len())
    }

    fn push(&mut self, trace_id: TraceId, step: PathStep) {
        let is_root = self.steps.is_empty() && !step.is_detached;
        let run_id = if is_root { run_id::of_root(trace_id) } else { run_id::of_span(trace_id, step.span_id) };
        let above = self.steps.last().map(|above| above.start);
        let above = above.or_else(|| self.callers_run().map(|run| run.start));
        let start = time::clamped(step.start);
        let start = above.map_or(start, |above| start.max(above));
        push_step(&mut self.text, start, run_id);
        self.steps.push(Step { of: step, run_id, start, end: self.text.len() });
    }

    fn last(&self) -> Place<'_> {
        let caller = self.callers_run();
        // A path has at least one step.
        let (first, last) = (self.steps.first(), self.steps.last());
        let id_of = |step: Option<&Step>| step.map_or(Uuid::nil(), |step| step.run_id);
        let above = self.steps.len().checked_sub(2).and_then(|at| self.steps.get(at));
        Place {
            run_id: id_of(last),
            trace_id: caller.map_or_else(|| id_of(first), |run| run.trace_id),
            parent_run_id: above.map(|step| step.run_id).or_else(|| caller.map(|run| run.run_id)),
            dotted_order: &self.text,
            start: last.map_or(Timestamp::from_micros(0), |step| step.start),
        }
    }
}

fn push_step(text: &mut String, start: Timestamp, run_id: Uuid) {
    if !text.is_empty() {
        text.push('.');
    }
    text.extend(time::of_dotted_order(start).map(char::from));
    text.push_str(run_id.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()));
}

impl CallersRun {
    /// Parses a dotted order, if LangSmith would accept one that begins with it.
    fn read(received: &str) -> Option<Self> {
        let mut dotted_order = String::with_capacity(received.len());
        let mut ends: Option<(Uuid, Uuid, Timestamp)> = None;
        for step in received.split('.') {
            let (start, id) = step.split_at_checked(22)?;
            let start = time::from_dotted_order(start)?;
            let id = Uuid::try_parse(id).ok().filter(|_| id.len() == 36)?;
            let (first, _, above) = ends.unwrap_or((id, id, start));
            if start < above {
                return None;
            }
            // An upper-case UUID is valid too, but LangSmith compares ids as text.
            push_step(&mut dotted_order, start, id);
            ends = Some((first, id, start));
        }
        let (trace_id, run_id, start) = ends?;
        Some(Self { trace_id, run_id, start, dotted_order })
    }
}

/// A path, or the single step that replaces it.
enum Path<'a> {
    Known(&'a [PathStep]),
    Alone([PathStep; 1]),
}

impl Path<'_> {
    fn steps(&self) -> &[PathStep] {
        match self {
            Self::Known(steps) => steps,
            Self::Alone(step) => step,
        }
    }
}

fn path_of(record: &Record, span_id: SpanId, start: Timestamp) -> Path<'_> {
    let has_parent = record.parent_span_id().is_some();
    match usable_path(record, span_id) {
        // The record itself is the better source for whether it is a root.
        Some([own]) => Path::Alone([own.with_detached(own.is_detached || has_parent)]),
        Some(path) => Path::Known(path),
        None => Path::Alone([PathStep::new(span_id, start).with_detached(has_parent)]),
    }
}

/// Returns the path of a record, if it leads to this run, and no run in it is its own parent.
fn usable_path(record: &Record, span_id: SpanId) -> Option<&[PathStep]> {
    let path = record.path();
    let leads_here = path.last().is_some_and(|last| last.span_id == span_id);
    let goes_on = path.windows(2).all(|two| two[0].span_id != two[1].span_id);
    (leads_here && goes_on).then_some(path)
}
