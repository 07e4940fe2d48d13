//! Matches the runs of two traces. Nothing here recurses, and nothing is searched for.

use std::collections::{HashMap, HashSet};

use super::stage::{StageDiff, StageRuns};
use crate::read::trace::{SpanNode, Trace};

/// The fewest siblings of one stage, in either trace, that are compared as a sum.
const LEAST_FOLDED: usize = 5;

/// Runs that are compared with each other: of one stage, and below the same place.
#[derive(Default)]
struct Match<'a> {
    depth: usize,
    before: Vec<SpanNode<'a>>,
    after: Vec<SpanNode<'a>>,
}

/// A stage's name and, if its runs are compared one by one, the number of the run.
type Key<'a> = (&'a str, usize);

/// Returns the stages of both traces in depth-first order.
pub(super) fn stages(before: &Trace, after: &Trace) -> Vec<StageDiff> {
    let mut stages = Vec::new();
    let mut work = matches(before.roots().collect(), after.roots().collect(), 0, false);
    work.reverse();
    while let Some(Match { depth, before, after }) = work.pop() {
        let Some(any) = after.first().or(before.first()) else { continue };
        stages.push(StageDiff {
            stage: any.stage().to_owned(),
            kind: any.kind(),
            depth,
            before: StageRuns::of(&before),
            after: StageRuns::of(&after),
        });
        let is_sum = before.len().max(after.len()) > 1;
        let mut below = matches(children_of(&before), children_of(&after), depth + 1, is_sum);
        below.reverse();
        work.append(&mut below);
    }
    stages
}

fn children_of<'a>(spans: &[SpanNode<'a>]) -> Vec<SpanNode<'a>> {
    spans.iter().flat_map(|span| span.children()).collect()
}

/// Matches the children of two places. Below a sum, all runs of a stage are one sum again.
fn matches<'a>(before: Vec<SpanNode<'a>>, after: Vec<SpanNode<'a>>, depth: usize, is_sum: bool) -> Vec<Match<'a>> {
    let mut runs: HashMap<&str, [usize; 2]> = HashMap::new();
    for (side, spans) in [&before, &after].into_iter().enumerate() {
        for span in spans {
            runs.entry(span.stage()).or_default()[side] += 1;
        }
    }
    let is_folded = |stage: &str| is_sum || runs.get(stage).is_some_and(|runs| runs.iter().any(|n| *n >= LEAST_FOLDED));
    let keys = |spans: &[SpanNode<'a>]| {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        let key = |span: &SpanNode<'a>| -> Key<'a> {
            let number = seen.entry(span.stage()).or_default();
            *number += 1;
            (span.stage(), if is_folded(span.stage()) { 0 } else { *number })
        };
        spans.iter().map(key).collect::<Vec<_>>()
    };
    let (keys_before, keys_after) = (keys(&before), keys(&after));
    let mut found: HashMap<Key<'a>, Match<'a>> = HashMap::new();
    let ordered = merged(&keys_before, &keys_after);
    for (key, span) in keys_before.into_iter().zip(before) {
        found.entry(key).or_default().before.push(span);
    }
    for (key, span) in keys_after.into_iter().zip(after) {
        found.entry(key).or_default().after.push(span);
    }
    ordered.iter().filter_map(|key| found.remove(key)).map(|found| Match { depth, ..found }).collect()
}

/// Returns the keys of both sides, each once: those of the first side in its order, and behind each
/// of them those of the second side alone that follow it there.
fn merged<'a>(before: &[Key<'a>], after: &[Key<'a>]) -> Vec<Key<'a>> {
    let mut new_behind: HashMap<Option<Key<'a>>, Vec<Key<'a>>> = HashMap::new();
    let known: HashSet<&Key<'a>> = before.iter().collect();
    let mut behind = None;
    for key in after {
        if known.contains(key) {
            behind = Some(*key);
        } else {
            new_behind.entry(behind).or_default().push(*key);
        }
    }
    let mut ordered = new_behind.remove(&None).unwrap_or_default();
    for key in before {
        ordered.push(*key);
        ordered.extend(new_behind.remove(&Some(*key)).unwrap_or_default());
    }
    ordered
}
