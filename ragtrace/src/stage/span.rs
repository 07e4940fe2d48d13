//! A run of a stage from its start to its end: the part of the runtime that every shape of function shares.
//!
//! Nothing here is generic over the stage, so each annotated function adds calls and no copies.

use crate::context::{Request, RequestContext, current};
use crate::pipeline::gate;
use crate::stage::StageDescriptor;
use crate::stage::entry::{End, Entry, Failure, Outcome, Run, Start};
use crate::stage::panic;
use crate::stage::recorder;
use crate::stage::slots::Slots;
use crate::time::Ticks;
use crate::value::ToValue;
use std::fmt::{Debug, Display};
use std::sync::Arc;
use std::time::Duration;

/// A run that began, or nothing if nobody listens.
#[derive(Debug)]
pub struct Span(Option<Active>);

#[derive(Debug)]
struct Active {
    run: Run,
    /// The context of what runs inside; it is on the thread, and this empty, during a poll or call.
    context: Option<RequestContext>,
    /// Nanoseconds inside polls so far.
    busy: u64,
    /// Whether it has polls, so that time inside them means anything.
    is_polled: bool,
    /// Whether the start was accepted, in which case the end will be, whatever the queue's state.
    accepted: bool,
}

/// Begins a run of `stage` and records its start, with the fields that `fields` reads. With nobody to listen it costs
/// a load and reads nothing.
pub fn open(stage: &'static StageDescriptor, fields: impl FnOnce(&mut Slots)) -> Span {
    if !gate::is_open() {
        return Span(None);
    }
    let Some(mut active) = begin(stage) else { return Span(None) };
    let mut slots = Slots::new();
    fields(&mut slots);
    active.record_start(slots);
    Span(Some(active))
}

#[inline(never)]
fn begin(stage: &'static StageDescriptor) -> Option<Active> {
    let around = current::current();
    let context = match around {
        Some(context) if stage.is_root() => context.new_trace(),
        Some(context) => context,
        None => RequestContext::bare(),
    };
    if !gate::listens_to(&context.request) {
        return None;
    }
    let (parent, local_root) = (context.span, context.at_local_root());
    let span = context.request.span_id();
    let run = Run { stage, span, parent, started: context.request.now(), local_root };
    let context = RequestContext { request: context.request, span: Some(span) };
    Some(Active { run, context: Some(context), busy: 0, is_polled: true, accepted: false })
}

impl Active {
    #[inline(never)]
    fn record_start(&mut self, fields: Slots) {
        if let Some(context) = &self.context {
            let start = Entry::Start(Start { run: self.run, fields });
            self.accepted = gate::record(&context.request, start, false);
        }
    }

    /// Whether `record!` may add to the run. What is added is kept until the end, which only an accepted start has for
    /// certain.
    fn records(&self) -> bool {
        self.accepted && recorder::declares(self.run.stage)
    }

    /// The time that the run sees, while its context is not on the thread.
    fn now(&self) -> Ticks {
        self.context.as_ref().map_or_else(Ticks::now, |context| context.request.now())
    }

    fn end(self, ended: Ticks) -> Option<Ending> {
        let busy = if self.is_polled { self.busy } else { u64::MAX };
        let request = self.context?.request;
        let end = End { run: self.run, ended, busy, outcome: Outcome::Completed, fields: Slots::new() };
        Some(Ending(Some(Pending { request, end, accepted: self.accepted })))
    }
}

impl Span {
    /// A run that nobody listens to.
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// Begins a run with fields that were read before.
    pub(crate) fn begin(stage: &'static StageDescriptor, fields: Slots) -> Self {
        let mut active = begin(stage);
        if let Some(active) = &mut active {
            active.record_start(fields);
        }
        Self(active)
    }

    /// Puts the run's context on the thread until the guard ends.
    #[inline(never)]
    pub(crate) fn enter(&mut self) -> Inside<'_> {
        let Some(active) = &mut self.0 else {
            return Inside { span: self, since: Ticks(0), before: None };
        };
        // The clock was read just before the first poll, when the run began.
        let since = if active.busy == 0 { active.run.started } else { active.now() };
        if active.records() {
            if let Some(context) = &active.context {
                recorder::enter(active.run.stage, context.clone());
            }
        }
        let before = current::swap(active.context.take());
        Inside { span: self, since, before }
    }

    /// Ends the run as cancelled, if it has not ended.
    #[inline(never)]
    pub(crate) fn cancel(&mut self) {
        if self.is_active() {
            self.end_at(self.now()).cancel();
        }
    }

    /// The time that the run sees, while it is not on a thread.
    pub(crate) fn now(&self) -> Ticks {
        self.0.as_ref().map_or_else(Ticks::now, Active::now)
    }

    /// Ends the run; what is said to the end of a run that has ended is ignored.
    pub(crate) fn end_at(&mut self, ended: Ticks) -> Ending {
        self.0.take().and_then(|active| active.end(ended)).unwrap_or(Ending(None))
    }

    /// Time from the run's start to `at`.
    pub(crate) fn since_start(&self, at: Ticks) -> Duration {
        self.0.as_ref().map_or(Duration::ZERO, |active| at.since(active.run.started))
    }

    /// The context of what runs inside, while the run is not on a thread.
    pub(crate) fn context(&self) -> Option<&RequestContext> {
        self.0.as_ref()?.context.as_ref()
    }

    /// Says that the run is a call, which has no polls.
    pub(crate) fn is_call(&mut self) {
        if let Some(active) = &mut self.0 {
            active.is_polled = false;
        }
    }

    pub(crate) fn is_active(&self) -> bool {
        self.0.is_some()
    }

    /// The run's context on the thread while `drop_parts` drops what the run holds.
    pub(crate) fn drop_inside(&mut self, drop_parts: impl FnOnce()) {
        match &mut self.0 {
            Some(active) => {
                let _entered = current::Entered::new(&mut active.context);
                drop_parts();
            }
            None => drop_parts(),
        }
    }
}

/// The time inside one poll or call. Dropped without [`Inside::pause`] or [`Inside::finish`] it means that the poll
/// panicked, whatever else goes on in the thread.
pub(crate) struct Inside<'a> {
    span: &'a mut Span,
    since: Ticks,
    before: Option<RequestContext>,
}

impl Inside<'_> {
    /// The poll returned, and the run goes on. Returns when that was.
    #[inline(never)]
    pub(crate) fn pause(mut self) -> Option<Ticks> {
        let now = self.leave();
        std::mem::forget(self);
        now
    }

    /// The poll or call returned its last value.
    #[inline(never)]
    pub(crate) fn finish(mut self) -> Option<Ending> {
        let ended = self.leave();
        let active = self.span.0.take();
        std::mem::forget(self);
        active?.end(ended?)
    }

    /// Gives the thread back what it had, and returns when that was; `None` if nobody listens.
    fn leave(&mut self) -> Option<Ticks> {
        let active = self.span.0.as_mut()?;
        active.context = current::swap(self.before.take());
        if active.records() {
            recorder::leave();
        }
        let now = active.now();
        // A nanosecond at least, so that a second poll is told from the first one.
        active.busy += now.0.saturating_sub(self.since.0).max(1);
        Some(now)
    }
}

impl Drop for Inside<'_> {
    #[cold]
    fn drop(&mut self) {
        let Some(ended) = self.leave() else { return };
        let Some(active) = self.span.0.take() else { return };
        if let Some(mut ending) = active.end(ended) {
            ending.set_outcome(Outcome::Failed(Box::new(panic::failure())));
        }
    }
}

/// The end of a run, while generated code says what to record of its result. Dropping it records it.
#[derive(Debug)]
pub struct Ending(Option<Pending>);

#[derive(Debug)]
struct Pending {
    request: Arc<Request>,
    end: End,
    accepted: bool,
}

impl Ending {
    /// Records how many items there were, if the success value says.
    pub fn count(&mut self, count: Option<u64>) {
        if let (Some(pending), Some(count)) = (&mut self.0, count) {
            pending.end.fields.count(count);
        }
    }

    /// Records a value as it is.
    pub fn set(&mut self, name: u16, value: &(impl ToValue + ?Sized)) {
        if let Some(pending) = &mut self.0 {
            pending.end.fields.set(name, value);
        }
    }

    /// Records the `Display` of a value.
    pub fn display(&mut self, name: u16, value: &dyn Display) {
        if let Some(pending) = &mut self.0 {
            pending.end.fields.display(name, value);
        }
    }

    /// Records the `Debug` of a value.
    pub fn debug(&mut self, name: u16, value: &dyn Debug) {
        if let Some(pending) = &mut self.0 {
            pending.end.fields.debug(name, value);
        }
    }

    /// The run failed.
    pub fn fail(&mut self, failure: Box<Failure>) {
        self.set_outcome(Outcome::Failed(failure));
    }

    /// The run was dropped before its end.
    pub(crate) fn cancel(&mut self) {
        self.set_outcome(Outcome::Cancelled);
    }

    /// Records how long the first item of a stream took.
    pub(crate) fn first_item(&mut self, first: Option<Duration>) {
        if let (Some(pending), Some(first)) = (&mut self.0, first) {
            pending.end.fields.first_item(first);
        }
    }

    fn set_outcome(&mut self, outcome: Outcome) {
        if let Some(pending) = &mut self.0 {
            pending.end.outcome = outcome;
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(Pending { request, end, accepted }) = self.0.take() {
            gate::record(&request, Entry::End(end), accepted);
        }
    }
}
