//! `record!`: fields that a stage's body adds while it runs.
//!
//! A stage that declares such fields is registered on its thread while it runs there, so that
//! `record!` finds it also from closures, helper futures and inner stages. Recorded fields go to
//! the queue at once and therefore survive a panic.

use std::cell::RefCell;
use std::sync::Arc;

use crate::catalog::StageDescriptor;
use crate::context::Request;
use crate::dispatch;
use crate::entry::{self, Run};
use crate::id::SpanId;
use crate::observer;
use crate::queue::Admission;
use crate::stage::typed::{CostValue, CountValue};
use crate::value::{FieldBuffer, ToValue};

thread_local! {
    /// The runs on this thread that `record!` can add to, the innermost last.
    static RECORDING: RefCell<Vec<RecordingRun>> = const { RefCell::new(Vec::new()) };
}

/// A run that `record!` can add to, with its request.
#[derive(Clone)]
struct RecordingRun {
    request: Arc<Request>,
    run: Run,
}

/// Registers `run` on this thread until [`leave`].
#[cold]
pub(crate) fn enter(request: Arc<Request>, run: Run) {
    let _ = RECORDING.try_with(|recording| recording.borrow_mut().push(RecordingRun { request, run }));
}

/// Undoes the last [`enter`] if it was for the run `span`.
#[cold]
pub(crate) fn leave(span: SpanId) {
    // The request is dropped after the borrow has ended.
    let _last = RECORDING.try_with(|recording| recording.borrow_mut().pop_if(|last| last.run.span == span));
}

/// Records a field for the innermost run of `stage` on this thread. Does nothing if there is none.
pub fn record(stage: &'static StageDescriptor, name: u16, value: &(impl ToValue + ?Sized)) {
    if !dispatch::is_enabled() {
        return;
    }
    if let Some(RecordingRun { request, run }) = innermost(stage) {
        let mut fields = FieldBuffer::begin();
        fields.set(name, value);
        if observer::any() {
            observer::each(|observer| observer.recorded(&run, &fields));
        }
        let admission = Admission::Droppable(stage.level());
        dispatch::send_if_enabled(&request, admission, entry::note(run.span), &fields);
    }
}

/// Records the field `count`, as [`record`] does.
pub fn record_count(stage: &'static StageDescriptor, name: u16, count: &(impl CountValue + Copy)) {
    record(stage, name, &count.items());
}

/// Records the field `cost_usd`, as [`record`] does.
pub fn record_cost(stage: &'static StageDescriptor, name: u16, cost: &(impl CostValue + Copy)) {
    record(stage, name, &cost.usd());
}

/// Returns the innermost run of `stage` on this thread.
fn innermost(stage: &'static StageDescriptor) -> Option<RecordingRun> {
    let find = |recording: &RefCell<Vec<RecordingRun>>| {
        recording.borrow().iter().rev().find(|recording| std::ptr::eq(recording.run.stage, stage)).cloned()
    };
    RECORDING.try_with(find).ok().flatten()
}
