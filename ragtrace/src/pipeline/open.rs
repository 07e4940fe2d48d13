//! The runs that have begun and not ended, as the worker knows them.

use std::collections::HashMap;

use ragtrace_core::stage::entry::Run;

use crate::SpanId;
use crate::hash::{Quick, spread};
use crate::record::{Laid, Sizes};

/// What is known of a run that has not ended.
#[derive(Debug, Default)]
pub(super) struct Opened {
    /// `None` until the start was read; what the body recorded may come before it, from another thread.
    pub(super) run: Option<Run>,
    /// The words of its start fields, and of what its body recorded.
    pub(super) fields: Vec<u64>,
    /// Where they were laid down in which output, if their record was shown.
    pub(super) laid: Option<(u32, Laid)>,
    /// What these fields take in a record.
    pub(super) sizes: Sizes,
    pub(super) notes: Vec<u64>,
}

impl Opened {
    /// The longest fields that a place keeps the memory of, in words.
    const KEPT: usize = 64;

    fn clear(&mut self) {
        self.run = None;
        self.laid = None;
        self.sizes = Sizes::default();
        for words in [&mut self.fields, &mut self.notes] {
            if words.capacity() > Self::KEPT { *words = Vec::new() } else { words.clear() }
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

    /// Hands the run to `take` and forgets it, if its start was read.
    #[inline]
    pub(super) fn remove<T>(&mut self, span: SpanId, take: impl FnOnce(&Run, &Opened) -> T) -> Option<T> {
        let (of, opened) = &mut self.near[place(span)];
        if *of == Some(span) {
            let taken = take(opened.run.as_ref()?, opened);
            *of = None;
            opened.clear();
            return Some(taken);
        }
        self.far.get(&span)?.run?;
        let opened = self.far.remove(&span)?;
        Some(take(opened.run.as_ref()?, &opened))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ragtrace_core::StageDescriptor;
    use ragtrace_core::time::Ticks;

    static STAGE: StageDescriptor = StageDescriptor::new("open", "test");

    #[test]
    fn as_many_runs_as_there_may_be_are_found_again_once() {
        let mut open = OpenRuns::default();
        let spans: Vec<_> = (1..=5_000).filter_map(SpanId::from_u64).collect();
        for &span in &spans {
            let run = Run { stage: &STAGE, span, parent: None, started: Ticks(span.as_u64()), local_root: true };
            // What the body recorded may be read first.
            open.entry(span).notes.push(span.as_u64());
            assert!(open.remove(span, |_, _| ()).is_none(), "its start was not read");
            open.entry(span).run = Some(run);
        }
        for &span in spans.iter().rev() {
            let seen = open.remove(span, |run, opened| (run.started.0, opened.notes.clone()));
            assert_eq!(seen, Some((span.as_u64(), vec![span.as_u64()])));
            assert!(open.remove(span, |_, _| ()).is_none());
        }
    }
}
