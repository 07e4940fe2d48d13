//! `record!`: fields that a stage's body adds while it runs.
//!
//! A stage that declares such fields notes on its thread that it runs there, so that `record!`
//! finds it from closures, helper futures and stages inside it too. What is recorded goes to the
//! queue at once, and so outlives a panic.

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
    /// The runs on this thread that `record!` may add to, the innermost last.
    static RECORDING: RefCell<Vec<RecordingRun>> = const { RefCell::new(Vec::new()) };
}

/// A run that `record!` may add to, and whose it is.
#[derive(Clone)]
struct RecordingRun {
    request: Arc<Request>,
    run: Run,
}

/// Notes that `run` is on this thread, until [`leave`].
#[cold]
pub(crate) fn enter(request: Arc<Request>, run: Run) {
    let _ = RECORDING.try_with(|recording| recording.borrow_mut().push(RecordingRun { request, run }));
}

/// Takes back the last [`enter`], if it was of the run `span`.
#[cold]
pub(crate) fn leave(span: SpanId) {
    // The request is dropped after the borrow has ended.
    let _last = RECORDING.try_with(|recording| recording.borrow_mut().pop_if(|last| last.run.span == span));
}

/// Records a field of the innermost run of `stage` on this thread; without one, nothing.
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

/// [`record`] for the name `count`.
pub fn record_count(stage: &'static StageDescriptor, name: u16, count: &(impl CountValue + Copy)) {
    record(stage, name, &count.items());
}

/// [`record`] for the name `cost_usd`.
pub fn record_cost(stage: &'static StageDescriptor, name: u16, cost: &(impl CostValue + Copy)) {
    record(stage, name, &cost.usd());
}

fn innermost(stage: &'static StageDescriptor) -> Option<RecordingRun> {
    let find = |recording: &RefCell<Vec<RecordingRun>>| {
        recording.borrow().iter().rev().find(|recording| std::ptr::eq(recording.run.stage, stage)).cloned()
    };
    RECORDING.try_with(find).ok().flatten()
}
