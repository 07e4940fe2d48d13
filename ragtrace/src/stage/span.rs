//! A run of a stage from its start to its end: the part of the runtime that every shape of function shares.
//!
//! Nothing here is generic over the stage, so each annotated function adds calls and no copies.

use crate::SpanId;
use crate::context::{Request, RequestContext, current};
use crate::level::Level;
use crate::pipeline::{Severity, gate};
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

/// A run that began. It lies in the stage's future, so it is kept small: 48 bytes.
#[derive(Debug)]
struct Active {
    stage: &'static StageDescriptor,
    /// The context of what runs inside; it is on the thread, and this empty, during a poll or call.
    context: Option<RequestContext>,
    parent: Option<SpanId>,
    started: Ticks,
    progress: Progress,
}

/// Nanoseconds inside polls so far, and in the upper bits what else is known of the run.
#[derive(Clone, Copy, Debug)]
struct Progress(u64);

impl Progress {
    /// The start was accepted, so the end will be, whatever the queue's state.
    const ACCEPTED: u64 = 1 << 63;
    /// There are no polls, so time inside them means nothing.
    const CALL: u64 = 1 << 62;
    /// `record!` may add to the run. What is added is kept until the end, which only an accepted start has for certain.
    const RECORDS: u64 = 1 << 61;
    /// 73 years.
    const NANOS: u64 = Self::RECORDS - 1;

    fn is(self, flag: u64) -> bool {
        self.0 & flag != 0
    }

    fn nanos(self) -> u64 {
        self.0 & Self::NANOS
    }

    fn add(&mut self, nanos: u64) {
        let sum = self.nanos().saturating_add(nanos).min(Self::NANOS);
        self.0 = self.0 & !Self::NANOS | sum;
    }
}

/// Begins a run of `stage` and records its start, with the fields that `fields` reads. With nobody to listen it costs
/// a load and reads nothing.
#[inline]
pub fn open(stage: &'static StageDescriptor, fields: impl FnOnce(&mut Slots)) -> Span {
    if !gate::is_open() {
        return Span(None);
    }
    let mut span = begin(stage);
    if span.is_active() {
        let mut slots = Slots::new();
        fields(&mut slots);
        span.record_start(&mut slots);
    }
    span
}

/// [`open`] for a stage without fields to read.
#[inline]
pub fn open_bare(stage: &'static StageDescriptor) -> Span {
    if gate::is_open() { Span::begin(stage, &mut Slots::new()) } else { Span(None) }
}

#[inline(never)]
fn begin(stage: &'static StageDescriptor) -> Span {
    let context = match current::current() {
        Some(context) if stage.is_root() => context.new_trace(),
        Some(context) => context,
        None => RequestContext::bare(),
    };
    let RequestContext { request, span: parent } = context;
    if !gate::listens_to(&request) {
        return Span(None);
    }
    let (span, started) = (request.span_id(), request.now());
    let context = Some(RequestContext { request, span: Some(span) });
    Span(Some(Active { stage, context, parent, started, progress: Progress(0) }))
}

impl Active {
    /// What records say of the run; `None` while its context is on a thread.
    fn run(&self) -> Option<(&Arc<Request>, Run)> {
        let RequestContext { request, span } = self.context.as_ref()?;
        let local_root = self.parent == request.remote_parent;
        let run = Run { stage: self.stage, span: (*span)?, parent: self.parent, started: self.started, local_root };
        Some((request, run))
    }

    /// The time that the run sees, while its context is not on the thread.
    #[inline]
    fn now(&self) -> Ticks {
        self.context.as_ref().map_or_else(Ticks::now, |context| context.request.now())
    }

    fn end(self, ended: Ticks) -> Ending {
        let Some((_, run)) = self.run() else { return Ending(None) };
        let busy = if self.progress.is(Progress::CALL) { u64::MAX } else { self.progress.nanos() };
        let accepted = self.progress.is(Progress::ACCEPTED);
        let Some(RequestContext { request, .. }) = self.context else { return Ending(None) };
        let (outcome, fields) = (Outcome::Completed, Slots::new());
        Ending(Some(Pending { request, run, ended, busy, outcome, fields, accepted }))
    }
}

impl Span {
    /// A run that nobody listens to.
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// Begins a run with fields that were read before.
    #[inline(never)]
    pub(crate) fn begin(stage: &'static StageDescriptor, fields: &mut Slots) -> Self {
        let mut span = begin(stage);
        span.record_start(fields);
        span
    }

    /// Records the start, and takes the fields.
    #[inline(never)]
    fn record_start(&mut self, fields: &mut Slots) {
        let Some(active) = &mut self.0 else { return };
        let Some((request, run)) = active.run() else { return };
        let severity = Severity::Refusable(active.stage.level());
        if gate::record(request, severity, || Entry::Start(Start { run, fields: fields.take() })) {
            let records = if recorder::declares(active.stage) { Progress::RECORDS } else { 0 };
            active.progress.0 |= Progress::ACCEPTED | records;
        }
    }

    /// Puts the run's context on the thread until the guard ends.
    // The question whether there is a run is inlined, so that without one a poll has no call in it; the rest is not,
    // so that a stage adds little code.
    #[inline]
    pub(crate) fn enter(&mut self) -> Inside<'_> {
        if self.0.is_some() { self.enter_active() } else { Inside { span: self, since: Ticks(0), before: None } }
    }

    #[inline(never)]
    fn enter_active(&mut self) -> Inside<'_> {
        let Some(active) = &mut self.0 else {
            return Inside { span: self, since: Ticks(0), before: None };
        };
        // The clock was read just before the first poll, when the run began.
        let since = if active.progress.nanos() == 0 { active.started } else { active.now() };
        if let (true, Some(context)) = (active.progress.is(Progress::RECORDS), &active.context) {
            recorder::enter(active.stage, context.clone());
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

    /// Drops by `drop_parts` what the run holds, with the run's context on the thread, and then ends it as cancelled:
    /// inner stages are dropped, and so cancelled, before this one is.
    #[inline(never)]
    pub(crate) fn abandon(&mut self, drop_parts: &mut dyn FnMut()) {
        self.drop_inside(drop_parts);
        self.cancel();
    }

    /// The time that the run sees, while it is not on a thread.
    pub(crate) fn now(&self) -> Ticks {
        self.0.as_ref().map_or_else(Ticks::now, Active::now)
    }

    /// Ends the run; what is said to the end of a run that has ended is ignored.
    pub(crate) fn end_at(&mut self, ended: Ticks) -> Ending {
        self.0.take().map_or(Ending(None), |active| active.end(ended))
    }

    /// Time from the run's start to `at`.
    pub(crate) fn since_start(&self, at: Ticks) -> Duration {
        self.0.as_ref().map_or(Duration::ZERO, |active| at.since(active.started))
    }

    /// The context of what runs inside, while the run is not on a thread.
    pub(crate) fn context(&self) -> Option<&RequestContext> {
        self.0.as_ref()?.context.as_ref()
    }

    /// Says that the run is a call, which has no polls.
    pub(crate) fn is_call(&mut self) {
        if let Some(active) = &mut self.0 {
            active.progress.0 |= Progress::CALL;
        }
    }

    #[inline]
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

impl Drop for Span {
    // The parts of a run that did not end are let go of out of line: a stage has three places that drop its span.
    #[inline]
    fn drop(&mut self) {
        if self.0.is_some() {
            self.let_go();
        }
    }
}

impl Span {
    #[cold]
    #[inline(never)]
    fn let_go(&mut self) {
        self.0 = None;
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
    #[inline]
    pub(crate) fn pause(mut self) -> Option<Ticks> {
        let now = if self.span.0.is_some() { self.leave() } else { None };
        std::mem::forget(self);
        now
    }

    /// The poll or call returned its last value, of which `tell` says what to record if anybody listens.
    #[inline]
    pub(crate) fn finish(self, tell: &mut dyn FnMut(&mut Ending)) {
        if self.span.0.is_some() {
            self.finish_active(tell);
        } else {
            std::mem::forget(self);
        }
    }

    #[inline(never)]
    fn finish_active(self, tell: &mut dyn FnMut(&mut Ending)) {
        tell(&mut self.end());
    }

    fn end(mut self) -> Ending {
        let ended = self.leave();
        let active = self.span.0.take();
        std::mem::forget(self);
        match (active, ended) {
            (Some(active), Some(ended)) => active.end(ended),
            _ => Ending(None),
        }
    }

    /// Gives the thread back what it had, and returns when that was; `None` if nobody listens.
    #[inline(never)]
    fn leave(&mut self) -> Option<Ticks> {
        let active = self.span.0.as_mut()?;
        active.context = current::swap(self.before.take());
        if active.progress.is(Progress::RECORDS) {
            recorder::leave();
        }
        let now = active.now();
        // A nanosecond at least, so that a second poll is told from the first one.
        active.progress.add(now.0.saturating_sub(self.since.0).max(1));
        Some(now)
    }
}

impl Drop for Inside<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.span.0.is_some() {
            self.panicked();
        }
    }
}

impl Inside<'_> {
    #[cold]
    #[inline(never)]
    fn panicked(&mut self) {
        let Some(ended) = self.leave() else { return };
        let Some(active) = self.span.0.take() else { return };
        active.end(ended).fail(Box::new(panic::failure()));
    }
}

/// The end of a run, while generated code says what to record of its result. Dropping it records it.
#[derive(Debug)]
pub struct Ending(Option<Pending>);

#[derive(Debug)]
struct Pending {
    request: Arc<Request>,
    run: Run,
    ended: Ticks,
    busy: u64,
    outcome: Outcome,
    fields: Slots,
    accepted: bool,
}

impl Ending {
    /// Records how many items there were, if the success value says.
    pub fn count(&mut self, count: Option<u64>) {
        if let (Some(pending), Some(count)) = (&mut self.0, count) {
            pending.fields.count(count);
        }
    }

    /// Records a value as it is.
    pub fn set(&mut self, name: u16, value: &(impl ToValue + ?Sized)) {
        if let Some(pending) = &mut self.0 {
            pending.fields.set(name, value);
        }
    }

    /// Records the `Display` of a value.
    pub fn display(&mut self, name: u16, value: &dyn Display) {
        if let Some(pending) = &mut self.0 {
            pending.fields.display(name, value);
        }
    }

    /// Records the `Debug` of a value.
    pub fn debug(&mut self, name: u16, value: &dyn Debug) {
        if let Some(pending) = &mut self.0 {
            pending.fields.debug(name, value);
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
            pending.fields.first_item(first);
        }
    }

    fn set_outcome(&mut self, outcome: Outcome) {
        if let Some(pending) = &mut self.0 {
            pending.outcome = outcome;
        }
    }
}

impl Drop for Ending {
    #[inline]
    fn drop(&mut self) {
        if self.0.is_some() {
            self.record();
        }
    }
}

impl Ending {
    #[inline(never)]
    fn record(&mut self) {
        let Some(pending) = &mut self.0 else { return };
        let severity = match &pending.outcome {
            _ if pending.accepted => Severity::Promised,
            Outcome::Completed => Severity::Refusable(pending.run.stage.level()),
            Outcome::Failed(_) => Severity::Refusable(Level::Error),
            Outcome::Cancelled => Severity::Refusable(Level::Warn),
        };
        let Pending { request, run, ended, busy, outcome, fields, .. } = pending;
        // Taken apart field by field, so that the entry is put together where it stays.
        gate::record(request, severity, || {
            let outcome = std::mem::replace(outcome, Outcome::Completed);
            Entry::End(End { run: *run, ended: *ended, busy: *busy, outcome, fields: fields.take() })
        });
    }
}
