//! `record!`: fields that a stage's body adds while it runs.
//!
//! A stage that declares such fields notes on its thread that it runs there, so that `record!` finds it from closures,
//! helper futures and stages inside it too. What is recorded goes to the queue at once, and so outlives a panic. Where a
//! panic ends the process, every stage notes it, for then nobody else knows what the panic passes.

use std::cell::RefCell;
use std::sync::Arc;

use crate::context::Request;
use crate::gate;
use crate::queue::Severity;
use crate::stage::StageDescriptor;
use crate::stage::abort::ENDS_THE_PROCESS;
use crate::stage::entry::{self, Run};
use crate::stage::slots::Slots;
use crate::stage::typed::{CostValue, CountValue};
use crate::value::ToValue;

thread_local! {
    /// The runs that note it and are on this thread, the innermost last.
    static RUNNING: RefCell<Vec<Running>> = const { RefCell::new(Vec::new()) };
}

/// A run that is on a thread, and whose it is.
#[derive(Clone)]
pub(crate) struct Running {
    pub(crate) request: Arc<Request>,
    pub(crate) run: Run,
}

/// Whether runs of `stage` are noted on their thread: if it declares fields for `record!`.
pub(crate) fn declares(stage: &StageDescriptor) -> bool {
    ENDS_THE_PROCESS || stage.declares_records()
}

/// Notes that `run` is on this thread, until [`leave`].
#[cold]
pub(crate) fn enter(request: Arc<Request>, run: Run) {
    let _ = RUNNING.try_with(|running| running.borrow_mut().push(Running { request, run }));
}

/// Takes back the last [`enter`].
#[cold]
pub(crate) fn leave() {
    // The request is dropped after the borrow has ended.
    let _last = RUNNING.try_with(|running| running.borrow_mut().pop());
}

/// Records a field of the innermost run of `stage` on this thread; without one, nothing.
pub fn record(stage: &'static StageDescriptor, name: u16, value: &(impl ToValue + ?Sized)) {
    if !gate::is_open() {
        return;
    }
    if let Some(Running { request, run }) = innermost(stage) {
        let mut fields = Slots::begin();
        fields.set(name, value);
        let severity = Severity::Refusable(stage.level());
        gate::record_if_heard(&request, severity, entry::note(run.span), &fields);
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

fn innermost(stage: &'static StageDescriptor) -> Option<Running> {
    let find = |running: &RefCell<Vec<Running>>| {
        running.borrow().iter().rev().find(|running| std::ptr::eq(running.run.stage, stage)).cloned()
    };
    RUNNING.try_with(find).ok().flatten()
}

/// The runs that are noted on this thread, the innermost first.
pub(crate) fn running() -> Vec<Running> {
    let all = |running: &RefCell<Vec<Running>>| {
        let running = running.try_borrow().ok()?;
        Some(running.iter().rev().cloned().collect())
    };
    RUNNING.try_with(all).ok().flatten().unwrap_or_default()
}
