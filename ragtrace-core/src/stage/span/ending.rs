//! The end of a run.

use std::fmt::{Debug, Display};
use std::mem::{self, ManuallyDrop};
use std::sync::Arc;
use std::time::Duration;

use super::{Progress, Span};
use crate::context::{Request, current};
use crate::gate;
use crate::level::Level;
use crate::queue::Severity;
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
        let own = mem::replace(&mut self.span.request, ManuallyDrop::new(None));
        let is_own = own.is_some();
        let request = if is_own { own } else { ManuallyDrop::new(current::swap_request(None)) };
        if let Some(request) = &*request {
            self.record(request);
        }
        if is_own {
            drop(ManuallyDrop::into_inner(request));
        } else {
            let _nothing = ManuallyDrop::new(current::swap_request(ManuallyDrop::into_inner(request)));
        }
        self.span.stage = None;
        ManuallyDrop::into_inner(mem::replace(&mut self.fields, ManuallyDrop::new(Slots::found(usize::MAX))));
    }

    #[inline]
    fn record(&self, request: &Arc<Request>) {
        let (Some(run), progress) = (self.span.facts(), self.span.progress) else { return };
        let listener = gate::listener(request);
        match listener {
            Some(by) if listener == progress.accepted_by() => {
                gate::record(by, request, Severity::Promised, entry::end(&run, &self.ended()), &self.fields);
            }
            _ => self.record_whole(request),
        }
    }

    /// The start was refused, or went to an earlier installation.
    #[cold]
    #[inline(never)]
    fn record_whole(&self, request: &Arc<Request>) {
        let Some(run) = self.span.facts() else { return };
        let level = match self.outcome {
            Outcome::Completed => run.stage.level(),
            Outcome::Failed => Level::Error,
            Outcome::Cancelled => Level::Warn,
        };
        let head = entry::whole_end(&run, &self.ended());
        gate::record_if_heard(request, Severity::Refusable(level), head, &self.fields);
    }

    #[inline]
    fn ended(&self) -> Ended {
        let progress = self.span.progress;
        let busy = if progress.is(Progress::CALL) { None } else { Some(progress.nanos()) };
        Ended { at: self.at, busy, outcome: self.outcome }
    }
}

impl Drop for Ending<'_> {
    #[inline]
    fn drop(&mut self) {
        self.close();
    }
}
