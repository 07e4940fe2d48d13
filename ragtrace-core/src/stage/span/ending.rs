//! The end of a run.

use std::fmt::{Debug, Display};
use std::mem::{self, ManuallyDrop};
use std::sync::Arc;
use std::time::Duration;

use super::{Begun, RunState, Span, State};
use crate::catalog::StageDescriptor;
use crate::context::{Request, current};
use crate::dispatch;
use crate::entry::{self, Outcome, RunEnd};
use crate::event::Failure;
use crate::guard::Payload;
use crate::item::ItemWriter;
use crate::level::Level;
use crate::observer;
use crate::queue::Admission;
use crate::stage::panic;
use crate::stage::typed::{CostValue, CountValue};
use crate::time::Ticks;
use crate::value::encoding::field_id;
use crate::value::{FieldBuffer, ToValue};

impl Span {
    /// Ends the run; what is recorded of a run that has ended is ignored.
    #[inline]
    pub(crate) fn end_at(&mut self, at: Ticks) -> Ending<'_> {
        Ending::new(self, at)
    }

    /// Ends the run as cancelled, if it has not ended.
    #[inline(never)]
    pub(crate) fn cancel(&mut self) {
        if self.is_active() {
            let now = self.now();
            self.end_at(now).cancel();
        }
    }

    /// Leaves the thread after the last poll or the call, and ends the run.
    #[inline(never)]
    pub(crate) fn finish(&mut self) -> Ending<'_> {
        let at = self.leave(false);
        self.end_at(at)
    }

    /// Ends the run, if it has not ended, as failed by the panic whose payload this is. It has left
    /// the thread.
    #[cold]
    #[inline(never)]
    pub(crate) fn fail_by(&mut self, payload: &Payload) {
        if let Some(failure) = self.failure_by(payload) {
            let now = self.now();
            self.end_at(now).fail(Box::new(failure));
        }
    }

    /// Returns the failure of the run, if it has not ended, by the panic whose payload this is. It
    /// has left the thread.
    #[cold]
    #[inline(never)]
    pub(crate) fn failure_by(&self, payload: &Payload) -> Option<Failure> {
        let (Some(_), State::Begun(run)) = (self.stage, &self.state) else { return None };
        let is_in_result = run.run_state.has(RunState::ASIDE);
        Some(panic::failure(payload, if is_in_result { current::span() } else { run.span }))
    }

    /// Does as [`Span::fail_by`] for a panic whose payload nobody has seen.
    #[cold]
    #[inline(never)]
    pub(crate) fn fail_unseen(&mut self) {
        if let (Some(_), State::Begun(run)) = (self.stage, &self.state) {
            let is_in_result = run.run_state.has(RunState::ASIDE);
            let failure = panic::unseen_failure(if is_in_result { current::span() } else { run.span });
            let now = run.now();
            self.end_at(now).fail(Box::new(failure));
        }
    }

    #[cold]
    #[inline(never)]
    fn dropped(&mut self) {
        let run_state = match &self.state {
            State::Begun(run) if run.run_state.has(RunState::ASIDE) => run.run_state,
            _ => return self.discard(),
        };
        let has_panicked = std::thread::panicking() && !run_state.has(RunState::UNWINDING);
        let at = self.leave(false);
        if has_panicked {
            let span = if let State::Begun(run) = &self.state { run.span } else { None };
            self.end_at(at).fail(Box::new(panic::unseen_failure(span)));
        } else {
            self.end_at(at).cancel();
        }
    }
}

impl Drop for Span {
    // The part for a run that did not end is out of line: a stage has three places that drop its
    // span.
    #[inline]
    fn drop(&mut self) {
        if self.is_active() {
            self.dropped();
        }
    }
}

/// The end of a run, while generated code records what is of interest in its result. Dropping it
/// records the end, but that of a run that has completed: what generated code calls has panicked
/// then, and so the run fails.
#[derive(Debug)]
pub struct Ending<'a> {
    span: &'a mut Span,
    at: Ticks,
    outcome: Outcome,
    fields: ManuallyDrop<FieldBuffer>,
}

impl<'a> Ending<'a> {
    #[inline]
    fn new(span: &'a mut Span, at: Ticks) -> Self {
        Self { span, at, outcome: Outcome::Completed, fields: ManuallyDrop::new(FieldBuffer::begin()) }
    }
}

impl Ending<'_> {
    /// Records how many items there were, if the success value can be counted.
    pub fn count(&mut self, count: Option<u64>) {
        if let Some(count) = count {
            self.fields.count(count);
        }
    }

    /// Records a value as it is.
    pub fn set(&mut self, name: u16, value: &(impl ToValue + ?Sized)) {
        self.fields.set(name, value);
    }

    /// Records the `Display` of a value.
    pub fn display(&mut self, name: u16, value: &dyn Display) {
        self.fields.display(name, value);
    }

    /// Records the `Debug` of a value.
    pub fn debug(&mut self, name: u16, value: &dyn Debug) {
        self.fields.debug(name, value);
    }

    /// Begins the items that the stage generated.
    pub fn generated(&mut self) -> ItemWriter<'_> {
        self.fields.generated()
    }

    /// Makes the run a failed one.
    #[expect(clippy::needless_pass_by_value, reason = "generated code makes it where it passes it")]
    pub fn fail(&mut self, failure: Box<Failure>) {
        self.outcome = Outcome::Failed;
        self.fields.failure(&failure);
    }

    /// Has a run that fails be one that failed by its answer: there was one.
    pub fn answered(&mut self) {
        self.fields.set(field_id::ANSWERED, &true);
    }

    /// Makes the run one that was dropped before its end.
    pub fn cancel(&mut self) {
        self.outcome = Outcome::Cancelled;
    }

    /// Records how long the first item of a stream took.
    pub(crate) fn first_item(&mut self, first: Option<Duration>) {
        if let Some(first) = first {
            self.fields.first_item(first);
        }
    }

    /// Records how many items there were.
    pub fn set_count(&mut self, count: impl CountValue) {
        self.count(count.items());
    }

    /// Records what the stage cost, in US dollars.
    pub fn set_cost(&mut self, name: u16, cost: impl CostValue) {
        self.set(name, &cost.usd());
    }

    /// Records the end.
    #[inline]
    pub(crate) fn record(self) {
        ManuallyDrop::new(self).close();
    }

    #[inline(never)]
    fn close(&mut self) {
        if self.span.is_tracked() {
            self.track_ended();
        }
        if let Span { stage, state: State::Begun(run) } = &mut *self.span
            && let Some(stage) = stage.take()
        {
            let own = run.take_request();
            let is_own = own.is_some();
            let request = ManuallyDrop::new(if is_own { own } else { current::swap_request(None) });
            if let (Some(request), Some(span)) = (&*request, run.span) {
                let recipient = dispatch::recipient(request);
                match recipient {
                    Some(by) if recipient == run.run_state.accepted_by() => {
                        let end = entry::end(span, &run.ended(self.at, self.outcome));
                        dispatch::send(by, request, Admission::Guaranteed, end, &self.fields);
                    }
                    _ => run.record_with_start(stage, request, (self.at, self.outcome), &self.fields),
                }
            }
            let request = ManuallyDrop::into_inner(request);
            if is_own {
                drop(request);
            } else {
                let _nothing = ManuallyDrop::new(current::swap_request(request));
            }
        }
        self.clear();
    }

    #[inline]
    fn clear(&mut self) {
        ManuallyDrop::into_inner(mem::replace(&mut self.fields, ManuallyDrop::new(FieldBuffer::unwanted()))).clear();
    }

    /// Leaves the run to whoever catches the panic.
    #[cold]
    #[inline(never)]
    fn abandon(&mut self) {
        if let State::Begun(run) = &mut self.span.state {
            run.run_state.set(RunState::ASIDE);
        }
        self.clear();
    }
}

impl Ending<'_> {
    /// Lets observers know of the end.
    #[cold]
    #[inline(never)]
    fn track_ended(&self) {
        let (Some(stage), State::Begun(begun)) = (self.span.stage, &self.span.state) else { return };
        let (Some(request), Some(run)) = (begun.with_request(Arc::clone), begun.to_run(stage, begun.span)) else {
            return;
        };
        let end = begun.ended(self.at, self.outcome);
        observer::each(|observer| observer.ended(&request, &run, &end, &self.fields));
    }
}

impl Begun {
    #[inline]
    fn ended(&self, at: Ticks, outcome: Outcome) -> RunEnd {
        let busy = if self.run_state.has(RunState::CALL) { None } else { Some(self.run_state.nanos()) };
        RunEnd { at, busy, outcome }
    }

    /// Records an end whose start was refused, or went to an earlier installation.
    #[cold]
    #[inline(never)]
    fn record_with_start(
        &self,
        stage: &'static StageDescriptor,
        request: &Arc<Request>,
        (at, outcome): (Ticks, Outcome),
        fields: &FieldBuffer,
    ) {
        let Some(run) = self.to_run(stage, self.span) else { return };
        let level = match outcome {
            Outcome::Completed => stage.level(),
            Outcome::Failed => Level::Error,
            Outcome::Cancelled => Level::Warn,
        };
        let head = entry::end_with_start(&run, &self.ended(at, outcome));
        dispatch::send_if_enabled(request, Admission::Droppable(level), head, fields);
    }
}

impl Drop for Ending<'_> {
    // Out of line: each stage has a place for the panic of whatever reads its result.
    #[inline(never)]
    fn drop(&mut self) {
        if self.outcome == Outcome::Completed { self.abandon() } else { self.close() }
    }
}
