//! How generated code makes a run, with the fields of its start.

use super::{Span, State};
use crate::catalog::CatalogEntry;
use crate::dispatch;
use crate::value::FieldBuffer;

/// Returns the place for the fields of a run to come. They are recorded if it
/// [is wanted](FieldBuffer::is_wanted), and [`open`] makes the run. With nobody to listen it costs
/// a load.
// The closure that reads the fields is called by generated code: a generic function would be
// compiled for each stage.
#[inline]
pub fn start_fields() -> FieldBuffer {
    if dispatch::is_enabled() { start_fields_here() } else { FieldBuffer::unwanted() }
}

#[inline(never)]
fn start_fields_here() -> FieldBuffer {
    if dispatch::is_enabled_here() { FieldBuffer::begin() } else { FieldBuffer::unwanted() }
}

/// Makes a run of `stage` to come, with the fields that have been recorded. Whoever has it enters
/// it next, on this thread.
#[inline]
pub fn open(stage: &'static CatalogEntry, fields: FieldBuffer) -> Span {
    let stage = if fields.is_wanted() { Some(stage.get()) } else { None };
    Span { stage, state: State::Idle(fields.detach()) }
}

/// [`open`] for a stage without fields to read.
#[inline]
pub fn open_bare(stage: &'static CatalogEntry) -> Span {
    let stage = if dispatch::is_enabled() { Some(stage.get()) } else { None };
    // Beyond whatever lies in the scratch buffer, so none.
    Span { stage, state: State::Idle(usize::MAX) }
}
