//! Turns spans into lines. In a large trace, similar siblings and their descendants are folded into
//! sums.
//!
//! Of folded siblings, the most interesting are also drawn whole: one per error, and the slowest.
//! Nothing here recurses, since a trace may be as deep as it is long.

use std::collections::{HashMap, HashSet};

use super::label::Labels;
use super::line::{Line, Shown, above};
use super::sum::sums;
use crate::read::{SpanNode, SpanStatus, Trace};

/// The number of spans above which a trace is folded.
const FOLD_ABOVE: usize = 100;
/// The fewest similar siblings that are folded. The second, smaller number is used if the picture
/// is too long with the first.
const LEAST_FOLDED: [usize; 2] = [5, 3];
/// The largest number of failed siblings that are drawn whole, each with another error.
const MOST_WRONG: usize = 3;

/// Returns the lines of a trace, depth first. With `all` nothing is folded.
pub(super) fn lines(trace: &Trace, all: bool) -> Vec<Line<'_>> {
    let folder = Folder { trace, labels: Labels::of(trace) };
    if all || trace.spans().len() <= FOLD_ABOVE {
        return folder.lines(usize::MAX);
    }
    let [many, few] = LEAST_FOLDED;
    let lines = folder.lines(many);
    if lines.len() <= FOLD_ABOVE { lines } else { folder.lines(few) }
}

struct Folder<'a> {
    trace: &'a Trace,
    labels: Labels<'a>,
}

/// The next piece to draw.
struct Work<'a> {
    drawn: Drawn<'a>,
    is_last_child: bool,
    /// The number of its ancestors that were picked out of a fold.
    picked: usize,
}

enum Drawn<'a> {
    Span { span: SpanNode<'a>, is_slowest: bool, is_picked: bool },
    Fold(Vec<SpanNode<'a>>),
}

impl<'a> Folder<'a> {
    fn lines(&self, least: usize) -> Vec<Line<'a>> {
        let mut lines = Vec::new();
        let mut work = siblings(self.trace.roots(), 0, least);
        while let Some(Work { drawn, is_last_child, picked }) = work.pop() {
            match drawn {
                Drawn::Span { span, is_slowest, is_picked } => {
                    let labels = self.labels(span, is_slowest, is_picked);
                    lines.push(Line { depth: span.depth(), is_last_child, shown: Shown::Span { span, labels } });
                    work.extend(siblings(span.children(), picked, least));
                }
                Drawn::Fold(alike) => fold(&alike, is_last_child, &mut lines),
            }
        }
        lines
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

/// Returns the pieces to draw for the children of one parent, in reverse order.
fn siblings<'a>(spans: impl Iterator<Item = SpanNode<'a>>, picked: usize, least: usize) -> Vec<Work<'a>> {
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
    let mut ordered: Vec<(SpanNode<'a>, Vec<Drawn<'a>>)> = Vec::new();
    let span = |span, is_slowest, is_picked| Drawn::Span { span, is_slowest, is_picked };
    ordered.extend(alone.into_iter().map(|one| (one, vec![span(one, false, false)])));
    for group in folded {
        let whole = drawn_whole(&group, picked).into_iter().map(|(one, is_slowest)| span(one, is_slowest, true));
        let whole: Vec<_> = whole.collect();
        ordered.push((group[0], std::iter::once(Drawn::Fold(group)).chain(whole).collect()));
    }
    ordered.sort_by_key(|(first, _)| first.index());
    let mut work: Vec<Work<'a>> = ordered
        .into_iter()
        .flat_map(|(_, drawn)| drawn)
        .map(|drawn| {
            let is_picked = matches!(drawn, Drawn::Span { is_picked: true, .. });
            Work { drawn, is_last_child: false, picked: picked + usize::from(is_picked) }
        })
        .collect();
    if let Some(last) = work.last_mut() {
        last.is_last_child = true;
    }
    work.reverse();
    work
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
