//! The runs that have begun and not ended, as far as the worker has read their entries.

use std::collections::HashMap;

use ragtrace_core::StageDescriptor;
use ragtrace_core::entry::Run;
use ragtrace_core::time::Ticks;

use crate::SpanId;
use crate::hash::{FastHash, spread};
use crate::record::{EncodedRange, FieldSizes};

/// A run that has not ended, as far as its entries have been read.
#[derive(Debug, Default)]
pub(super) struct OpenRun {
    /// `None` until the start is read. Fields that the body recorded may be read before it, from
    /// another thread.
    start: Option<Start>,
    /// The encoded start fields; `notes` are those that the body recorded.
    pub(super) fields: Vec<u64>,
    pub(super) notes: Vec<u64>,
    /// The position of the start fields in a chunk, if the start's record was made.
    pub(super) start_encoding: Option<StartEncoding>,
    /// The size of these fields in a record.
    pub(super) sizes: FieldSizes,
}

/// The position of a start's fields, which a second record can share as long as it is in the same
/// output.
#[derive(Clone, Copy, Debug)]
pub(super) struct StartEncoding {
    pub(super) output: u32,
    pub(super) range: EncodedRange,
}

/// A run without its span.
#[derive(Clone, Copy, Debug)]
struct Start {
    stage: &'static StageDescriptor,
    parent: Option<SpanId>,
    started: Ticks,
    local_root: bool,
}

impl OpenRun {
    /// The maximum capacity that an entry of the table keeps for fields, in 64-bit words.
    const KEPT: usize = 64;

    /// Notes that the start of the run was read.
    #[inline]
    pub(super) fn begin(&mut self, run: &Run) {
        let Run { stage, parent, started, local_root, .. } = *run;
        self.start = Some(Start { stage, parent, started, local_root });
    }

    #[inline]
    fn run(&self, span: SpanId) -> Option<Run> {
        let Start { stage, parent, started, local_root } = self.start?;
        Some(Run { stage, span, parent, started, local_root })
    }

    #[inline]
    fn clear(&mut self) {
        self.start = None;
        self.start_encoding = None;
        self.sizes = FieldSizes::default();
        for encoding in [&mut self.fields, &mut self.notes] {
            encoding.clear();
            if encoding.capacity() > Self::KEPT {
                *encoding = Vec::new();
            }
        }
    }
}

/// The open runs by span id. A few hundred are in a direct-mapped table, whose entries are reused
/// with their memory; if an entry is taken, the run goes to a map.
#[derive(Debug)]
pub(super) struct OpenRuns {
    table: Box<[(Option<SpanId>, OpenRun)]>,
    overflow: HashMap<SpanId, OpenRun, FastHash>,
}

/// The table has 2^8 entries.
const TABLE_BITS: u32 = 8;

/// Returns the index of a span in the table: the upper bits of its hash.
fn table_index(span: SpanId) -> usize {
    (spread(span.as_u64()) >> (u64::BITS - TABLE_BITS)) as usize
}

impl Default for OpenRuns {
    fn default() -> Self {
        let table = std::iter::repeat_with(Default::default).take(1 << TABLE_BITS).collect();
        Self { table, overflow: HashMap::default() }
    }
}

impl OpenRuns {
    /// Returns the entry of a run, adding one if necessary.
    #[inline]
    pub(super) fn entry(&mut self, span: SpanId) -> &mut OpenRun {
        let (of, open_run) = &mut self.table[table_index(span)];
        match of {
            Some(of) if *of != span => self.overflow.entry(span).or_default(),
            // The run went to the map while the table's entry belonged to another run.
            None if !self.overflow.is_empty() && self.overflow.contains_key(&span) => {
                self.overflow.entry(span).or_default()
            }
            of => {
                *of = Some(span);
                open_run
            }
        }
    }

    /// Returns the run, if its start has been read.
    #[inline]
    pub(super) fn started(&mut self, span: SpanId) -> Option<(Run, &mut OpenRun)> {
        let (of, open_run) = &mut self.table[table_index(span)];
        let open_run = if *of == Some(span) { open_run } else { self.overflow.get_mut(&span)? };
        Some((open_run.run(span)?, open_run))
    }

    /// Removes the run.
    #[inline]
    pub(super) fn remove(&mut self, span: SpanId) {
        let (of, open_run) = &mut self.table[table_index(span)];
        if *of == Some(span) {
            *of = None;
            open_run.clear();
        } else {
            self.overflow.remove(&span);
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
            // Fields that the body recorded may be read first.
            open.entry(span).notes.push(span.as_u64());
            assert!(open.started(span).is_none(), "its start was not read");
            open.entry(span).begin(&run);
        }
        for &span in spans.iter().rev() {
            let seen = open.started(span).map(|(run, open_run)| (run.started.0, open_run.notes.clone()));
            assert_eq!(seen, Some((span.as_u64(), vec![span.as_u64()])));
            open.remove(span);
            assert!(open.started(span).is_none());
        }
    }
}
