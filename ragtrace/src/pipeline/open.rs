//! The runs that have begun and not ended, as the worker knows them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::SpanId;
use crate::hash::Quick;
use crate::stage::entry::Run;

/// What is known of a run that has not ended.
#[derive(Debug, Default)]
pub(super) struct Opened {
    /// `None` until the start was read; what the body recorded may come before it, from another thread.
    pub(super) run: Option<Run>,
    /// The words of its start fields, and of what its body recorded.
    pub(super) fields: Vec<u64>,
    pub(super) notes: Vec<u64>,
}

/// The open runs by their span. Places of runs that ended are used again, with the memory that they have.
#[derive(Debug, Default)]
pub(super) struct OpenRuns {
    places: HashMap<SpanId, u32, Quick>,
    runs: Vec<Opened>,
    free: Vec<u32>,
}

impl OpenRuns {
    /// The longest fields that a place keeps the memory of, in words.
    const KEPT: usize = 64;

    /// The place of this run, made if there is none.
    pub(super) fn entry(&mut self, span: SpanId) -> &mut Opened {
        let Self { places, runs, free } = self;
        let place = *places.entry(span).or_insert_with(|| {
            free.pop().unwrap_or_else(|| {
                runs.push(Opened::default());
                u32::try_from(runs.len() - 1).unwrap_or(u32::MAX)
            })
        });
        // There are never as many places as would not fit.
        &mut runs[place as usize]
    }

    /// Hands the run to `take` and forgets it, if its start was read.
    #[inline]
    pub(super) fn remove<T>(&mut self, span: SpanId, take: impl FnOnce(Run, &Opened) -> T) -> Option<T> {
        let Entry::Occupied(entry) = self.places.entry(span) else { return None };
        let opened = self.runs.get_mut(*entry.get() as usize)?;
        let run = opened.run.take()?;
        self.free.push(entry.remove());
        let taken = take(run, opened);
        for words in [&mut opened.fields, &mut opened.notes] {
            if words.capacity() > Self::KEPT { *words = Vec::new() } else { words.clear() }
        }
        Some(taken)
    }
}
