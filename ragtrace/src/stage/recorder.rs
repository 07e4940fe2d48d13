//! `record!`: fields that a stage's body adds while it runs.
//!
//! A stage that declares such fields notes on its thread that it runs there, so that `record!` finds it from closures,
//! helper futures and stages inside it too. What is recorded goes to the queue at once, and so outlives a panic.

use std::cell::RefCell;

use crate::SpanId;
use crate::context::RequestContext;
use crate::pipeline::{Severity, gate};
use crate::stage::entry;
use crate::stage::slots::Slots;
use crate::stage::typed::{CostValue, CountValue};
use crate::stage::{FieldSource, StageDescriptor};
use crate::value::ToValue;

thread_local! {
    /// The recording stages that run on this thread, the innermost last.
    static RUNNING: RefCell<Vec<Recording>> = const { RefCell::new(Vec::new()) };
}

struct Recording {
    stage: &'static StageDescriptor,
    context: RequestContext,
}

/// Whether `stage` declares fields for `record!`.
pub(crate) fn declares(stage: &StageDescriptor) -> bool {
    stage.fields().last().is_some_and(|field| field.source() == FieldSource::Record)
}

/// Notes that a run of `stage` is on this thread, until [`leave`].
#[cold]
pub(crate) fn enter(stage: &'static StageDescriptor, context: RequestContext) {
    let _ = RUNNING.try_with(|running| running.borrow_mut().push(Recording { stage, context }));
}

/// Takes back the last [`enter`].
#[cold]
pub(crate) fn leave() {
    // The context is dropped after the borrow has ended.
    let _last = RUNNING.try_with(|running| running.borrow_mut().pop());
}

/// Records a field of the innermost run of `stage` on this thread; without one, nothing.
pub fn record(stage: &'static StageDescriptor, name: u16, value: &(impl ToValue + ?Sized)) {
    if !gate::is_open() {
        return;
    }
    if let Some((context, span)) = running(stage) {
        let mut fields = Slots::new();
        fields.set(name, value);
        let severity = Severity::Refusable(stage.level());
        gate::record(&context.request, severity, &entry::note(span, fields.words()), fields.words());
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

fn running(stage: &'static StageDescriptor) -> Option<(RequestContext, SpanId)> {
    let find = |running: &RefCell<Vec<Recording>>| {
        let running = running.borrow();
        let found = running.iter().rev().find(|recording| std::ptr::eq(recording.stage, stage))?;
        Some((found.context.clone(), found.context.span?))
    };
    RUNNING.try_with(find).ok().flatten()
}
