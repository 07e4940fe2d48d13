//! The path of each run, from its local root down to it, for sinks that need paths.
//!
//! The module promises that a run's path is its parent's path and one more step, taken when the
//! run's start is read, so the parent may end first; and that the time of a step is the start of
//! its run, the same in every path.
//!
//! It does not promise that every path begins at the local root. If the parent of a run is not
//! known, the path begins at the nearest known run: the full queue refused the parent's start and
//! the parent has not ended yet; or it began under an earlier installation; or it ended long ago.
//!
//! The path is copied for each run. For pipelines of a few levels, this takes less memory than
//! references between steps would, and it bounds the memory of tasks that start one another
//! endlessly.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use ragtrace_core::context::Request;
use ragtrace_core::entry::Run;

use super::roots::Roots;
use crate::SpanId;
use crate::hash::FastHash;
use crate::record::PathStep;

/// The paths of open runs, and of those that ended recently.
#[derive(Debug, Default)]
pub(super) struct Paths {
    known: HashMap<SpanId, KnownPath, FastHash>,
    /// Runs that have ended, the oldest first. Children of them may still begin, or have begun on a
    /// thread whose chain is read later.
    ended: VecDeque<SpanId>,
    /// The memory of the runs in `ended`.
    ended_bytes: usize,
    roots: Roots,
}

#[derive(Debug)]
struct KnownPath {
    steps: Arc<[PathStep]>,
    /// The parent of the first step, if that step is not a local root; the parent's start has not
    /// been read.
    above: Option<SpanId>,
    has_ended: bool,
}

impl KnownPath {
    /// Estimates the memory of the path in bytes, including its entries in the map and the list.
    fn memory(&self) -> usize {
        size_of_val(&*self.steps) + 2 * size_of::<(SpanId, Self)>()
    }
}

impl Paths {
    /// The maximum memory of ended runs, which is enough for about 20,000 runs with four runs
    /// above each.
    const ENDED_BYTES: usize = 4 << 20;

    /// Handles the start of a run.
    pub(super) fn begin(&mut self, request: &Request, run: &Run) {
        let step = PathStep::new(run.span, request.anchor.wall_at(run.started));
        let parent = run.parent.filter(|_| !run.local_root);
        let (steps, above) = match parent.map(|parent| (parent, self.resolve(parent))) {
            Some((_, Some(KnownPath { steps, above, .. }))) => (join(steps, &[step]), *above),
            Some((parent, None)) => (Arc::from([step.with_detached(true)]), Some(parent)),
            None => {
                // A trace id that came without a parent may belong to the root of another process.
                let may_be_root = run.parent.is_none() && !request.has_given_trace_id;
                let is_root = may_be_root && self.roots.is_first(request.trace_id, run.span);
                (Arc::from([step.with_detached(!is_root)]), None)
            }
        };
        self.known.insert(run.span, KnownPath { steps, above, has_ended: false });
    }

    /// Returns `true` if the path of a run begins below its local root, as far as is known now.
    pub(super) fn is_cut(&mut self, span: SpanId) -> bool {
        let is_cut = self.known.get(&span).is_some_and(|path| path.above.is_some());
        is_cut && self.resolve(span).is_some_and(|path| path.above.is_some())
    }

    /// Returns the path of a run, if it is known up to the local root.
    pub(super) fn whole(&mut self, span: SpanId) -> Option<Arc<[PathStep]>> {
        self.resolve(span).filter(|path| path.above.is_none()).map(|path| Arc::clone(&path.steps))
    }

    /// Handles the end of a run, and returns its path.
    pub(super) fn end(&mut self, span: SpanId) -> Option<Arc<[PathStep]>> {
        self.learn(span);
        let path = self.known.get_mut(&span)?;
        let steps = Arc::clone(&path.steps);
        if !std::mem::replace(&mut path.has_ended, true) {
            self.ended_bytes += path.memory();
            self.ended.push_back(span);
            self.forget_oldest();
        }
        Some(steps)
    }

    /// Returns the known part of a run's path.
    fn resolve(&mut self, span: SpanId) -> Option<&KnownPath> {
        self.learn(span);
        self.known.get(&span)
    }

    /// Adds the runs above that have become known since the run began.
    #[inline]
    fn learn(&mut self, span: SpanId) {
        let above = self.known.get(&span).and_then(|path| path.above);
        if above.is_some_and(|above| self.known.contains_key(&above)) {
            self.complete(span);
        }
    }

    /// Adds to a path all steps above it that are known by now, from the topmost down.
    #[cold]
    fn complete(&mut self, span: SpanId) {
        let mut cut = vec![span];
        // Colliding ids could form a circle, so the number of steps is bounded.
        while let Some(above) = self.known.get(cut.last().unwrap_or(&span)).and_then(|path| path.above)
            && self.known.contains_key(&above)
            && cut.len() <= self.known.len()
        {
            cut.push(above);
        }
        while let Some(upper) = cut.pop() {
            let Some(lower) = cut.last() else { break };
            let Some((steps, above)) = self.known.get(&upper).map(|path| (Arc::clone(&path.steps), path.above)) else {
                continue;
            };
            if let Some(path) = self.known.get_mut(lower) {
                let before = path.memory();
                (path.steps, path.above) = (join(&steps, &path.steps), above);
                if path.has_ended {
                    self.ended_bytes += path.memory() - before;
                }
            }
        }
    }

    fn forget_oldest(&mut self) {
        while self.ended_bytes > Self::ENDED_BYTES
            && let Some(oldest) = self.ended.pop_front()
        {
            if let Some(path) = self.known.remove(&oldest) {
                self.ended_bytes -= path.memory();
            }
        }
    }
}

/// Joins two parts of a path. Of a path that is too long, the first step and the last ones are
/// kept.
fn join(upper: &[PathStep], lower: &[PathStep]) -> Arc<[PathStep]> {
    let (first, rest) = match upper {
        [first, rest @ ..] if upper.len() + lower.len() > PathStep::MOST => (Some(first), rest),
        _ => (None, upper),
    };
    let most = PathStep::MOST - usize::from(first.is_some());
    let lower = &lower[lower.len().saturating_sub(most)..];
    let rest = &rest[rest.len().saturating_sub(most - lower.len())..];
    // The former first step now has others above it.
    let lower = lower.iter().map(|step| step.with_detached(false));
    first.into_iter().chain(rest).copied().chain(lower).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ragtrace_core::StageDescriptor;
    use ragtrace_core::time::Ticks;

    use super::*;
    use crate::TraceId;

    static STAGE: StageDescriptor = StageDescriptor::new("step", "test");

    fn span(index: usize) -> SpanId {
        SpanId::from_u64(index as u64 + 1).expect("not zero")
    }

    fn run(index: usize, parent: Option<usize>) -> Run {
        let (local_root, started) = (parent.is_none(), Ticks(index as u64 * 1_000));
        Run { stage: &STAGE, span: span(index), parent: parent.map(span), started, local_root }
    }

    /// The parent of each run, which precedes the run, and an order of starts and ends.
    #[derive(Debug)]
    struct Interleaving {
        parents: Vec<Option<usize>>,
        /// Runs in the order in which their entries are read: each appears first for its start,
        /// then for its end.
        order: Vec<usize>,
        /// Runs whose start was refused and so is part of their end.
        refused: Vec<bool>,
    }

    fn interleavings() -> impl Strategy<Value = Interleaving> {
        (1_usize..150, any::<bool>()).prop_flat_map(|(runs, is_deep)| {
            let back = if is_deep { 3 } else { runs };
            let parents = (0..runs).map(|index| (index.saturating_sub(back)..=index).boxed()).collect::<Vec<_>>();
            let parents = parents.prop_map(|parents| {
                // A run that is its own parent stands for a root.
                parents
                    .iter()
                    .enumerate()
                    .map(|(index, parent)| Some(*parent).filter(|parent| *parent < index))
                    .collect()
            });
            let order = Just((0..runs).chain(0..runs).collect::<Vec<_>>()).prop_shuffle();
            let refused = proptest::collection::vec(proptest::bool::weighted(0.1), runs);
            (parents, order, refused).prop_map(|(parents, order, refused)| Interleaving { parents, order, refused })
        })
    }

    /// Returns the path of a run up to the first unknown run, and whether it is the whole path.
    fn model(parents: &[Option<usize>], is_known: &[bool], index: usize) -> (Vec<usize>, bool) {
        let mut path = vec![index];
        while let Some(parent) = parents[path[path.len() - 1]] {
            if !is_known[parent] {
                break;
            }
            path.push(parent);
        }
        let is_cut = parents[path[path.len() - 1]].is_some();
        path.reverse();
        if path.len() > PathStep::MOST {
            path.drain(1..=path.len() - PathStep::MOST);
        }
        (path, is_cut)
    }

    proptest! {
        #[test]
        fn a_path_is_what_is_known_above_in_whatever_order_starts_and_ends_are_read(case in interleavings()) {
            let Interleaving { parents, order, refused } = case;
            let request = Request::new(TraceId::new());
            let mut paths = Paths::default();
            let (mut is_known, mut seen) = (vec![false; parents.len()], vec![false; parents.len()]);
            for index in order {
                let is_end = std::mem::replace(&mut seen[index], true);
                if is_end == refused[index] {
                    paths.begin(&request, &run(index, parents[index]));
                    is_known[index] = true;
                }
                if is_end {
                    let (expected, is_cut) = model(&parents, &is_known, index);
                    prop_assert_eq!(paths.is_cut(span(index)), is_cut);
                    let path = paths.end(span(index)).expect("it began");
                    prop_assert!(path.iter().map(|step| step.span_id).eq(expected.iter().copied().map(span)));
                    for (step, of) in path.iter().zip(expected) {
                        prop_assert_eq!(step.start, request.anchor.wall_at(run(of, None).started));
                    }
                }
            }
        }
    }

    #[test]
    fn the_first_step_says_whether_it_is_the_root_of_its_trace() {
        let request = Request::new(TraceId::new());
        let mut paths = Paths::default();
        let remote = Run { local_root: true, ..run(4, Some(90)) };
        let runs =
            [run(0, None), run(1, Some(0)), run(2, None), run(3, Some(2)), remote, run(5, Some(4)), run(6, Some(91))];
        for run in &runs {
            paths.begin(&request, run);
        }
        let mut detached = |index| {
            let path = paths.end(span(index)).expect("it began");
            path.iter().map(|step| step.is_detached).collect::<Vec<_>>()
        };
        assert_eq!((detached(0), detached(1)), (vec![false], vec![false, false]));
        assert_eq!((detached(2), detached(3)), (vec![true], vec![true, false]), "the trace has a root");
        assert_eq!((detached(4), detached(5)), (vec![true], vec![true, false]), "its parent is elsewhere");
        assert_eq!(detached(6), [true], "its parent is not known");
        assert_eq!(paths.whole(span(6)), None);
        paths.begin(&request, &run(91, Some(0)));
        let path = paths.whole(span(6)).expect("its parent is known by now");
        assert_eq!(path.iter().map(|step| step.is_detached).collect::<Vec<_>>(), [false; 3]);
    }

    #[test]
    fn runs_that_start_one_another_for_ever_take_bounded_memory() {
        let request = Request::new(TraceId::new());
        let mut paths = Paths::default();
        for index in 0..100_000 {
            paths.begin(&request, &run(index, index.checked_sub(1)));
            // A child begins before the run ends, or afterwards.
            if index % 2 == 0 {
                paths.end(span(index));
            }
            if let Some(before) = index.checked_sub(1).filter(|before| before % 2 == 1) {
                paths.end(span(before));
            }
        }
        let bytes = |path: &KnownPath| path.memory();
        assert!(paths.known.values().map(bytes).sum::<usize>() <= Paths::ENDED_BYTES + 4 * 4_096);
        let path = paths.end(span(99_999)).expect("it is open");
        assert_eq!((path.len(), path[0].span_id, path[1].span_id), (64, span(0), span(99_999 - 62)));
    }
}
