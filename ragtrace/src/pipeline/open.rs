//! The runs that have begun and not ended, as the worker knows them.

use std::collections::HashMap;

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

    /// Whether the start of this run was read.
    pub(super) fn has_started(&self, span: SpanId) -> bool {
        self.places.get(&span).is_some_and(|place| self.runs[*place as usize].run.is_some())
    }

    /// Hands the run to `take` and forgets it.
    pub(super) fn remove<T>(&mut self, span: SpanId, take: impl FnOnce(&mut Opened) -> T) -> Option<T> {
        let place = self.places.remove(&span)?;
        self.free.push(place);
        let run = &mut self.runs[place as usize];
        let taken = take(run);
        run.run = None;
        for words in [&mut run.fields, &mut run.notes] {
            if words.capacity() > Self::KEPT { *words = Vec::new() } else { words.clear() }
        }
        Some(taken)
    }
}
