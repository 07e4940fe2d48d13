//! Spans as lines: one each, or one for a run of alike siblings where a trace has very many.

use std::time::Duration;

use ragtrace::Timestamp;

use super::label::Labels;
use super::text::{cost, duration, grouped, printable};
use crate::read::{SpanNode, SpanStatus, Trace};

/// A trace with more spans than this is folded.
const FOLD_ABOVE: usize = 100;
/// At least this many alike siblings in a row are folded.
const MIN_FOLDED: usize = 5;

/// One line of the picture.
pub(super) struct Line<'a> {
    /// The span, or the first of the run.
    pub(super) span: SpanNode<'a>,
    /// The last of the run: the span itself where it is none.
    last: SpanNode<'a>,
    number: usize,
    /// All durations together.
    total: Option<Duration>,
    longest: Duration,
    pub(super) ended_at: Option<Timestamp>,
    count: Option<u64>,
    cost_usd: Option<f64>,
    /// Empty where there is none, and for a run.
    label: String,
}

/// The lines of a trace, depth first. With `all` nothing is folded.
pub(super) fn lines(trace: &Trace, all: bool) -> Vec<Line<'_>> {
    let folds = !all && trace.spans().len() > FOLD_ABOVE;
    let labels = Labels::of(trace);
    let mut lines = Vec::new();
    let mut next = trace.spans().next();
    while let Some(span) = next {
        let run = if folds { alike(span) } else { Vec::new() };
        if run.len() >= MIN_FOLDED {
            let line = Line::of(&run);
            next = line.last.next_outside();
            lines.push(line);
        } else {
            lines.push(Line { label: labels.label(span).unwrap_or_default(), ..Line::of(&[span]) });
            next = span.next();
        }
    }
    lines
}

/// The span and the siblings right after it that ran the same stage, as long as nothing in them
/// went wrong.
fn alike(span: SpanNode<'_>) -> Vec<SpanNode<'_>> {
    let is_alike = |other: &SpanNode<'_>| other.stage() == span.stage() && other.is_completed_throughout();
    std::iter::successors(Some(span), |before| before.next_sibling()).take_while(is_alike).collect()
}

impl<'a> Line<'a> {
    fn of(run: &[SpanNode<'a>]) -> Self {
        let (span, last) = (run[0], run[run.len() - 1]);
        let durations = || run.iter().map(|span| span.duration());
        Self {
            span,
            last,
            number: run.len(),
            total: durations().sum(),
            longest: durations().flatten().max().unwrap_or_default(),
            ended_at: run.iter().map(|span| Some(span.started_at().plus(span.duration()?))).max().flatten(),
            count: run.iter().filter_map(|span| span.count()).reduce(u64::saturating_add),
            cost_usd: run.iter().filter_map(|span| span.cost_usd()).reduce(|one, other| one + other),
            label: String::new(),
        }
    }

    pub(super) fn is_last_child(&self) -> bool {
        self.last.is_last_child()
    }

    /// The stage, and of a run how many there are and how long the longest took.
    pub(super) fn name(&self) -> String {
        let stage = printable(self.span.stage());
        match self.number {
            1 => stage.into_owned(),
            number => format!("{stage} ×{} ≤{}", grouped(number as u64), duration(self.longest)),
        }
    }

    /// Returns what tells the span from others of its stage.
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// The duration, of a run that of all together; or how the span stands.
    pub(super) fn time(&self) -> String {
        let ended = !matches!(self.span.status(), SpanStatus::Open | SpanStatus::Lost);
        self.total.filter(|_| ended).map_or_else(|| self.span.status().to_string(), duration)
    }

    pub(super) fn count(&self) -> String {
        self.count.map(grouped).unwrap_or_default()
    }

    pub(super) fn cost(&self) -> String {
        self.cost_usd.map(cost).unwrap_or_default()
    }
}
