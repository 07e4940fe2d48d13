//! The end of a run.

use std::fmt::{Debug, Display};
use std::mem::{self, ManuallyDrop};
use std::sync::Arc;
use std::time::Duration;

use super::{Begun, Progress, Span, State};
use crate::context::{Request, current};
use crate::gate;
use crate::level::Level;
use crate::queue::Severity;
use crate::stage::StageDescriptor;
use crate::stage::entry::{self, Ended, Failure, Outcome};
use crate::stage::slots::Slots;
use crate::time::Ticks;
use crate::value::ToValue;

/// The end of a run, while generated code says what to record of its result. Dropping it records it.
#[derive(Debug)]
pub struct Ending<'a> {
    span: &'a mut Span,
    at: Ticks,
    outcome: Outcome,
    fields: ManuallyDrop<Slots>,
}

impl<'a> Ending<'a> {
    /// The end of `span` at `at`, if that has not ended.
    #[inline]
    pub(super) fn new(span: &'a mut Span, at: Ticks) -> Self {
        Self { span, at, outcome: Outcome::Completed, fields: ManuallyDrop::new(Slots::begin()) }
    }
}

impl Ending<'_> {
    /// Records how many items there were, if the success value says.
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

    /// The run failed.
    #[expect(clippy::needless_pass_by_value, reason = "generated code makes it where it passes it")]
    pub fn fail(&mut self, failure: Box<Failure>) {
        self.outcome = Outcome::Failed;
        self.fields.failure(&failure);
    }

    /// The run was dropped before its end.
    pub(crate) fn cancel(&mut self) {
        self.outcome = Outcome::Cancelled;
    }

    /// Records how long the first item of a stream took.
    pub(crate) fn first_item(&mut self, first: Option<Duration>) {
        if let Some(first) = first {
            self.fields.first_item(first);
        }
    }

    #[inline(never)]
    fn close(&mut self) {
        if let Span { stage, state: State::Begun(run) } = &mut *self.span
            && let Some(stage) = stage.take()
        {
            let own = run.take_request();
            let is_own = own.is_some();
            let request = ManuallyDrop::new(if is_own { own } else { current::swap_request(None) });
            if let (Some(request), Some(span)) = (&*request, run.span) {
                let listener = gate::listener(request);
                match listener {
                    Some(by) if listener == run.progress.accepted_by() => {
                        let end = entry::end(span, &run.ended(self.at, self.outcome));
                        gate::record(by, request, Severity::Promised, end, &self.fields);
                    }
                    _ => run.record_whole(stage, request, self.at, self.outcome, &self.fields),
                }
            }
            let request = ManuallyDrop::into_inner(request);
            if is_own {
                drop(request);
            } else {
                let _nothing = ManuallyDrop::new(current::swap_request(request));
            }
        }
        ManuallyDrop::into_inner(mem::replace(&mut self.fields, ManuallyDrop::new(Slots::found(usize::MAX))));
    }
}

impl Begun {
    #[inline]
    fn ended(&self, at: Ticks, outcome: Outcome) -> Ended {
        let busy = if self.progress.is(Progress::CALL) { None } else { Some(self.progress.nanos()) };
        Ended { at, busy, outcome }
    }

    /// Records an end whose start was refused, or went to an earlier installation.
    #[cold]
    #[inline(never)]
    fn record_whole(
        &self,
        stage: &'static StageDescriptor,
        request: &Arc<Request>,
        at: Ticks,
        outcome: Outcome,
        fields: &Slots,
    ) {
        let Some(run) = self.facts(stage, self.span) else { return };
        let level = match outcome {
            Outcome::Completed => stage.level(),
            Outcome::Failed => Level::Error,
            Outcome::Cancelled => Level::Warn,
        };
        let head = entry::whole_end(&run, &self.ended(at, outcome));
        gate::record_if_heard(request, Severity::Refusable(level), head, fields);
    }
}

impl Drop for Ending<'_> {
    #[inline]
    fn drop(&mut self) {
        self.close();
    }
}
