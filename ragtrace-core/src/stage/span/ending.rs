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
    /// Ends the run. If it has already ended, the recorded fields are ignored.
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

    /// Ends the run, if it has not ended, as failed by a panic with the given payload. The run has
    /// left the thread.
    #[cold]
    #[inline(never)]
    pub(crate) fn fail_by(&mut self, payload: &Payload) {
        if let Some(failure) = self.failure_by(payload) {
            let now = self.now();
            self.end_at(now).fail(Box::new(failure));
        }
    }

    /// Returns the failure of the run by a panic with the given payload, or `None` if the run has
    /// ended. The run has left the thread.
    #[cold]
    #[inline(never)]
    pub(crate) fn failure_by(&self, payload: &Payload) -> Option<Failure> {
        let (Some(_), State::Begun(run)) = (self.stage, &self.state) else { return None };
        let is_in_result = run.run_state.has(RunState::ASIDE);
        Some(panic::failure(payload, if is_in_result { current::span() } else { run.span }))
    }

    /// Ends the run as [`Span::fail_by`] does, for a panic whose payload is not available.
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
    // The code for a run that has not ended is not inlined, because each stage drops its span in
    // three places.
    #[inline]
    fn drop(&mut self) {
        if self.is_active() {
            self.dropped();
        }
    }
}

/// The end of a run, to which generated code adds fields from the result. When dropped, a failed or
/// cancelled end is recorded. If the outcome is still completed, the drop was caused by a panic of
/// the code that reads the result, and the run fails.
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
    /// Records the number of items, if the success value can be counted.
    pub fn count(&mut self, count: Option<u64>) {
        if let Some(count) = count {
            self.fields.count(count);
        }
    }

    /// Records a value.
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

    /// Returns a writer for the items that the stage generated.
    pub fn generated(&mut self) -> ItemWriter<'_> {
        self.fields.generated()
    }

    /// Makes the outcome a failure.
    #[expect(clippy::needless_pass_by_value, reason = "generated code creates the value in the call")]
    pub fn fail(&mut self, failure: Box<Failure>) {
        self.outcome = Outcome::Failed;
        self.fields.failure(&failure);
    }

    /// Marks a failed run as one that has sent a response.
    pub fn answered(&mut self) {
        self.fields.set(field_id::ANSWERED, &true);
    }

    /// Makes the outcome a cancellation.
    pub fn cancel(&mut self) {
        self.outcome = Outcome::Cancelled;
    }

    /// Records the time until the first item of a stream.
    pub(crate) fn first_item(&mut self, first: Option<Duration>) {
        if let Some(first) = first {
            self.fields.first_item(first);
        }
    }

    /// Records the number of items.
    pub fn set_count(&mut self, count: impl CountValue) {
        self.count(count.items());
    }

    /// Records the stage's cost in US dollars.
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

    /// Leaves the end to the code that catches the panic.
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
    /// Notifies observers of the end.
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

    /// Records an end whose start was refused or went to an earlier installation.
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
    // Not inlined, because each stage contains a call for a panic of the code that reads its
    // result.
    #[inline(never)]
    fn drop(&mut self) {
        if self.outcome == Outcome::Completed { self.abandon() } else { self.close() }
    }
}
