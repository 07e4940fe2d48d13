//! Turns spans into lines. In a large trace, similar siblings and their descendants are folded into
//! sums.
//!
//! Of folded siblings, the most interesting are also drawn whole: one per error, and the slowest.
//! Nothing here recurses, since a trace may be as deep as it is long.

use std::collections::{HashMap, HashSet};

use ragtrace::Timestamp;

use super::label::Labels;
use super::line::{Line, Shown, above};
use super::log_line::LogLines;
use super::sum::sums;
use crate::read::{LogRow, SpanNode, SpanStatus, Trace};

/// The number of spans above which a trace is folded.
const FOLD_ABOVE: usize = 100;
/// The fewest similar siblings that are folded. The second, smaller number is used if the picture
/// is too long with the first.
const LEAST_FOLDED: [usize; 2] = [5, 3];
/// The largest number of failed siblings that are drawn whole, each with another error.
const MOST_WRONG: usize = 3;

/// Returns the lines of a trace, depth first, and between them its log lines. With `all` nothing is
/// folded.
pub(super) fn lines<'a>(trace: &'a Trace, logs: &LogLines<'a>, all: bool) -> Vec<Line<'a>> {
    let folder = Folder { trace, labels: Labels::of(trace), logs };
    if all || trace.spans().len() <= FOLD_ABOVE {
        return folder.lines(usize::MAX);
    }
    let [many, few] = LEAST_FOLDED;
    let lines = folder.lines(many);
    let spans = lines.iter().filter(|line| line.span().is_some() || line.sum().is_some()).count();
    if spans <= FOLD_ABOVE { lines } else { folder.lines(few) }
}

/// Where something is drawn among its siblings.
enum Place {
    /// By its start, and then by its index.
    Span(Timestamp, usize),
    /// By its time, before spans that started then.
    Log(Timestamp),
    End,
}

impl Place {
    fn key(&self) -> (Timestamp, usize) {
        match self {
            Self::Span(at, index) => (*at, index + 1),
            Self::Log(at) => (*at, 0),
            Self::End => (Timestamp::from_micros(i64::MAX), usize::MAX),
        }
    }
}

struct Folder<'a, 'l> {
    trace: &'a Trace,
    labels: Labels<'a>,
    logs: &'l LogLines<'a>,
}

/// The next piece to draw.
struct Work<'a> {
    drawn: Drawn<'a>,
    /// The number of its ancestors.
    depth: usize,
    is_last_child: bool,
    /// The number of its ancestors that were picked out of a fold.
    picked: usize,
}

enum Drawn<'a> {
    Span { span: SpanNode<'a>, is_slowest: bool, is_picked: bool },
    Fold(Vec<SpanNode<'a>>),
    Log(&'a LogRow),
    MoreLogs(usize),
}

impl<'a> Folder<'a, '_> {
    fn lines(&self, least: usize) -> Vec<Line<'a>> {
        let mut lines = Vec::new();
        let mut work = self.siblings(None, 0, least);
        while let Some(Work { drawn, depth, is_last_child, picked }) = work.pop() {
            match drawn {
                Drawn::Span { span, is_slowest, is_picked } => {
                    let labels = self.labels(span, is_slowest, is_picked);
                    lines.push(Line { depth: span.depth(), is_last_child, shown: Shown::Span { span, labels } });
                    work.extend(self.siblings(Some(span), picked, least));
                }
                Drawn::Fold(alike) => fold(&alike, is_last_child, &mut lines),
                Drawn::Log(row) => lines.push(Line { depth, is_last_child, shown: Shown::Log(row) }),
                Drawn::MoreLogs(more) => lines.push(Line { depth, is_last_child, shown: Shown::MoreLogs(more) }),
            }
        }
        lines
    }

    /// Returns the pieces to draw for the children of a span, or for the roots, in reverse order.
    fn siblings(&self, parent: Option<SpanNode<'a>>, picked: usize, least: usize) -> Vec<Work<'a>> {
        let pieces = match parent {
            Some(parent) => folded(parent.children(), picked, least),
            None => folded(self.trace.roots(), picked, least),
        };
        let (logs, more) = self.logs.in_span(parent.map(SpanNode::span_id));
        let spans = pieces.into_iter().map(|(first, drawn)| (Place::Span(first.started_at(), first.index()), drawn));
        let logs = logs.into_iter().map(|row| (Place::Log(row.timestamp()), vec![Drawn::Log(row)]));
        let more = (more > 0).then(|| (Place::End, vec![Drawn::MoreLogs(more)]));
        let mut ordered: Vec<(Place, Vec<Drawn<'a>>)> = spans.chain(logs).chain(more).collect();
        ordered.sort_by_key(|(place, _)| place.key());
        let depth = parent.map_or(0, |parent| parent.depth() + 1);
        let work = |drawn| {
            let is_picked = matches!(drawn, Drawn::Span { is_picked: true, .. });
            Work { drawn, depth, is_last_child: false, picked: picked + usize::from(is_picked) }
        };
        let mut work: Vec<Work<'a>> = ordered.into_iter().flat_map(|(_, drawn)| drawn).map(work).collect();
        if let Some(last) = work.last_mut() {
            last.is_last_child = true;
        }
        work.reverse();
        work
    }

    /// Returns the labels of a span, longest first.
    fn labels(&self, span: SpanNode<'a>, is_slowest: bool, is_picked: bool) -> Vec<String> {
        let label = self.labels.label(span);
        let role = match span.status() {
            _ if is_slowest => Some("slowest".to_owned()),
            SpanStatus::Completed => None,
            status => is_picked.then(|| status.to_string()),
        };
        match (role, label) {
            (Some(role), Some(label)) => vec![format!("{role}: {label}"), label],
            (role, label) => role.into_iter().chain(label).collect(),
        }
    }
}

/// Returns the spans among siblings that are folded, and those that are not, each with the pieces
/// to draw for it.
fn folded<'a>(
    spans: impl Iterator<Item = SpanNode<'a>>,
    picked: usize,
    least: usize,
) -> Vec<(SpanNode<'a>, Vec<Drawn<'a>>)> {
    let mut groups: Vec<Vec<SpanNode<'a>>> = Vec::new();
    if least == usize::MAX {
        groups.extend(spans.map(|span| vec![span]));
    } else {
        let mut places = HashMap::new();
        for span in spans {
            let place = *places.entry((span.stage(), above(span))).or_insert(groups.len());
            match groups.get_mut(place) {
                Some(group) => group.push(span),
                None => groups.push(vec![span]),
            }
        }
    }
    let (mut folded, mut alone) = (Vec::new(), Vec::new());
    for group in groups {
        if group.len() >= least { folded.push(group) } else { alone.extend(group) }
    }
    // Spans that are not folded keep their order, whichever stages come between them.
    let mut pieces: Vec<(SpanNode<'a>, Vec<Drawn<'a>>)> = Vec::new();
    let span = |span, is_slowest, is_picked| Drawn::Span { span, is_slowest, is_picked };
    pieces.extend(alone.into_iter().map(|one| (one, vec![span(one, false, false)])));
    for group in folded {
        let whole = drawn_whole(&group, picked).into_iter().map(|(one, is_slowest)| span(one, is_slowest, true));
        let whole: Vec<_> = whole.collect();
        pieces.push((group[0], std::iter::once(Drawn::Fold(group)).chain(whole).collect()));
    }
    pieces
}

/// Returns the similar siblings that are drawn whole, by their start, and `true` for the slowest.
/// Within a span that was itself picked out of a fold, only the most interesting sibling is drawn
/// whole, and at deeper levels only failed ones, so that the picture stays short.
fn drawn_whole<'a>(alike: &[SpanNode<'a>], picked: usize) -> Vec<(SpanNode<'a>, bool)> {
    let slowest = alike.iter().rev().filter(|span| span.duration().is_some()).max_by_key(|span| span.duration());
    let slowest = slowest.map(|span| span.index());
    let mut wrong: Vec<SpanNode<'a>> = alike.iter().copied().filter(|span| !span.is_completed_throughout()).collect();
    // The slowest one comes first among those with the same error, so that it is drawn only once.
    wrong.sort_by_key(|span| (weight(span.status()), slowest != Some(span.index())));
    let mut seen = HashSet::new();
    let key = |span: &SpanNode<'a>| (span.status(), span.error().map(|error| (error.type_name(), error.message())));
    wrong.retain(|span| seen.insert(key(span)));
    wrong.truncate(if picked == 0 { MOST_WRONG } else { 1 });
    let is_wanted = picked == 0 || (picked == 1 && wrong.is_empty());
    let slowest = slowest.filter(|_| is_wanted);
    let mut whole: Vec<(SpanNode<'a>, bool)> =
        wrong.into_iter().map(|span| (span, slowest == Some(span.index()))).collect();
    if let Some(span) = alike.iter().find(|span| slowest == Some(span.index()))
        && !whole.iter().any(|(_, is_slowest)| *is_slowest)
    {
        whole.push((*span, true));
    }
    whole.sort_by_key(|(span, _)| span.index());
    whole
}

/// Returns the rank of a status, with the most important one first.
fn weight(status: SpanStatus) -> Option<usize> {
    SpanStatus::BY_WEIGHT.iter().position(|other| *other == status)
}

/// Adds the lines of a fold: the sum of the siblings, and one per stage below them.
fn fold<'a>(alike: &[SpanNode<'a>], is_last_child: bool, lines: &mut Vec<Line<'a>>) {
    let Some(&first) = alike.first() else { return };
    let (begin, sums) = (lines.len(), sums(alike));
    // A sum is its parent's last child if no other sum of its level follows before one of a higher
    // level.
    let mut last = vec![true; sums.len()];
    let mut seen = Vec::new();
    for (at, sum) in sums.iter().enumerate().rev() {
        seen.resize(seen.len().max(sum.level + 1), false);
        last[at] = !std::mem::replace(&mut seen[sum.level], true);
        seen.truncate(sum.level + 1);
    }
    lines.extend(sums.into_iter().zip(last).map(|(sum, is_last_child)| Line {
        depth: first.depth() + sum.level,
        is_last_child,
        shown: Shown::Sum { sum, above: "" },
    }));
    lines[begin].is_last_child = is_last_child;
    if let Shown::Sum { above: mark, .. } = &mut lines[begin].shown {
        *mark = above(first);
    }
}
