//! The runs that have begun and not ended, as the worker knows them.

use std::collections::HashMap;

use ragtrace_core::StageDescriptor;
use ragtrace_core::entry::Run;
use ragtrace_core::time::Ticks;

use crate::SpanId;
use crate::hash::{Quick, spread};
use crate::record::{Laid, Sizes};

/// What is known of a run that has not ended.
#[derive(Debug, Default)]
pub(super) struct Opened {
    /// `None` until the start was read; what the body recorded may come before it, from another thread.
    begun: Option<Begun>,
    /// The words of its start fields, and of what its body recorded.
    pub(super) fields: Vec<u64>,
    pub(super) notes: Vec<u64>,
    /// Where its start fields were laid down, if their record was shown.
    pub(super) laid: Option<LaidIn>,
    /// What these fields take in a record.
    pub(super) sizes: Sizes,
}

/// Where words were laid down: they can serve another record for as long as the output is the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct LaidIn {
    pub(super) output: u32,
    pub(super) words: Laid,
}

/// A run without its span.
#[derive(Clone, Copy, Debug)]
struct Begun {
    stage: &'static StageDescriptor,
    parent: Option<SpanId>,
    started: Ticks,
    local_root: bool,
}

impl Opened {
    /// The longest fields that a place keeps the memory of, in words.
    const KEPT: usize = 64;

    /// Its start was read.
    #[inline]
    pub(super) fn begin(&mut self, run: &Run) {
        let Run { stage, parent, started, local_root, .. } = *run;
        self.begun = Some(Begun { stage, parent, started, local_root });
    }

    #[inline]
    fn run(&self, span: SpanId) -> Option<Run> {
        let Begun { stage, parent, started, local_root } = self.begun?;
        Some(Run { stage, span, parent, started, local_root })
    }

    #[inline]
    fn clear(&mut self) {
        self.begun = None;
        self.laid = None;
        self.sizes = Sizes::default();
        for words in [&mut self.fields, &mut self.notes] {
            words.clear();
            if words.capacity() > Self::KEPT {
                *words = Vec::new();
            }
        }
    }
}

/// The open runs by their span. A few hundred lie in places that follow from their ids, which are used again with the
/// memory that they have; where a place is taken, a run goes to a map.
#[derive(Debug)]
pub(super) struct OpenRuns {
    near: Box<[(Option<SpanId>, Opened)]>,
    far: HashMap<SpanId, Opened, Quick>,
}

/// 2^8 places.
const NEAR_BITS: u32 = 8;

fn place(span: SpanId) -> usize {
    (spread(span.as_u64()) >> (u64::BITS - NEAR_BITS)) as usize
}

impl Default for OpenRuns {
    fn default() -> Self {
        Self { near: std::iter::repeat_with(Default::default).take(1 << NEAR_BITS).collect(), far: HashMap::default() }
    }
}

impl OpenRuns {
    /// The place of this run, made if there is none.
    #[inline]
    pub(super) fn entry(&mut self, span: SpanId) -> &mut Opened {
        // There are as many places as there are upper bits.
        let (of, opened) = &mut self.near[place(span)];
        match of {
            Some(of) if *of != span => self.far.entry(span).or_default(),
            // It went to the map while the place was another's.
            None if !self.far.is_empty() && self.far.contains_key(&span) => self.far.entry(span).or_default(),
            of => {
                *of = Some(span);
                opened
            }
        }
    }

    /// The run, if its start was read.
    #[inline]
    pub(super) fn begun(&mut self, span: SpanId) -> Option<(Run, &mut Opened)> {
        let (of, opened) = &mut self.near[place(span)];
        let opened = if *of == Some(span) { opened } else { self.far.get_mut(&span)? };
        Some((opened.run(span)?, opened))
    }

    /// Forgets the run.
    #[inline]
    pub(super) fn remove(&mut self, span: SpanId) {
        let (of, opened) = &mut self.near[place(span)];
        if *of == Some(span) {
            *of = None;
            opened.clear();
        } else {
            self.far.remove(&span);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static STAGE: StageDescriptor = StageDescriptor::new("open", "test");

    #[test]
    fn as_many_runs_as_there_may_be_are_found_again_once() {
        let mut open = OpenRuns::default();
        let spans: Vec<_> = (1..=5_000).filter_map(SpanId::from_u64).collect();
        for &span in &spans {
            let run = Run { stage: &STAGE, span, parent: None, started: Ticks(span.as_u64()), local_root: true };
            // What the body recorded may be read first.
            open.entry(span).notes.push(span.as_u64());
            assert!(open.begun(span).is_none(), "its start was not read");
            open.entry(span).begin(&run);
        }
        for &span in spans.iter().rev() {
            let seen = open.begun(span).map(|(run, opened)| (run.started.0, opened.notes.clone()));
            assert_eq!(seen, Some((span.as_u64(), vec![span.as_u64()])));
            open.remove(span);
            assert!(open.begun(span).is_none());
        }
    }
}
