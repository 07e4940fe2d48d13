//! Creation of runs by generated code, with the fields of their start.

use super::{Span, State};
use crate::catalog::CatalogEntry;
use crate::dispatch;
use crate::value::FieldBuffer;

/// Returns the buffer for the fields of a run that [`open`] then creates. Fields are recorded only
/// if the buffer [is wanted](FieldBuffer::is_wanted). If nobody is recording, this only loads one
/// variable.
// Generated code calls the closure that reads the fields itself, because a generic function that
// takes it would be compiled for each stage.
#[inline]
pub fn start_fields() -> FieldBuffer {
    if dispatch::is_enabled() { start_fields_here() } else { FieldBuffer::unwanted() }
}

#[inline(never)]
fn start_fields_here() -> FieldBuffer {
    if dispatch::is_enabled_here() { FieldBuffer::begin() } else { FieldBuffer::unwanted() }
}

/// Creates a run of `stage` with the recorded fields. The caller must enter it next, on this
/// thread.
#[inline]
pub fn open(stage: &'static CatalogEntry, fields: FieldBuffer) -> Span {
    let stage = if fields.is_wanted() { Some(stage.get()) } else { None };
    Span { stage, state: State::Idle(fields.detach()) }
}

/// Creates a run as [`open`] does, for a stage that reads no fields.
#[inline]
pub fn open_bare(stage: &'static CatalogEntry) -> Span {
    let stage = if dispatch::is_enabled() { Some(stage.get()) } else { None };
    // An index beyond the used part of the scratch buffer, so there are no fields.
    Span { stage, state: State::Idle(usize::MAX) }
}
