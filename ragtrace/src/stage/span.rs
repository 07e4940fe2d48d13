//! A run of a stage from its start to its end: the part of the runtime that every shape of function shares.
//!
//! Nothing here is generic over the stage, so each annotated function adds calls and no copies.
//!
//! A run that begins in the request of what runs around it shares that one's reference for as long as its first poll
//! or call lasts: it changes the thread's span and nothing else. Only a run that is still open after a poll takes a
//! reference of its own, since its next poll may be on another thread.

use std::fmt::{Debug, Display};
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::time::Duration;

use crate::SpanId;
use crate::context::{Request, RequestContext, current};
use crate::level::Level;
use crate::pipeline::{Severity, gate};
use crate::stage::StageDescriptor;
use crate::stage::entry::{self, AcceptedBy, Ended, Failure, Outcome, Run};
use crate::stage::panic;
use crate::stage::recorder;
use crate::stage::slots::Slots;
use crate::time::Ticks;
use crate::value::ToValue;

/// A run that began, or nothing if nobody listens.
#[derive(Debug)]
pub struct Span(Option<Active>);

/// A run that began. It lies in the stage's future, so it is kept small: 48 bytes.
///
/// Between polls it has its span and its request, and while it is inside one the thread has these, and it keeps what
/// the thread had instead.
#[derive(Debug)]
struct Active {
    stage: &'static StageDescriptor,
    span: Option<SpanId>,
    parent: Option<SpanId>,
    started: Ticks,
    /// `None` too for a run that shares the thread's request, as it does up to the end of its first poll.
    request: Option<Arc<Request>>,
    progress: Progress,
}

/// Nanoseconds inside polls so far, and in the upper bits what else is known of the run. Inside a poll the time of its
/// beginning is taken off, so that adding that of its end gives the sum: all of it modulo 2^51.
#[derive(Clone, Copy, Debug)]
struct Progress(u64);

impl Progress {
    /// Who accepted the start, or 0.
    const ACCEPTED_SHIFT: u32 = 56;
    /// There are no polls, so time inside them means nothing.
    const CALL: u64 = 1 << 55;
    /// `record!` may add to the run. What is added is kept until the end, which only an accepted start has for certain.
    const RECORDS: u64 = 1 << 54;
    /// The run has no parent in this process.
    const LOCAL_ROOT: u64 = 1 << 53;
    /// The run was inside a poll before.
    const POLLED: u64 = 1 << 52;
    /// The run shares the thread's request.
    const SHARES: u64 = 1 << 51;
    /// 26 days.
    const NANOS: u64 = Self::SHARES - 1;

    #[inline]
    fn is(self, flag: u64) -> bool {
        self.0 & flag != 0
    }

    #[inline]
    fn set(&mut self, flag: u64) {
        self.0 |= flag;
    }

    #[inline]
    fn unset(&mut self, flag: u64) {
        self.0 &= !flag;
    }

    #[inline]
    fn nanos(self) -> u64 {
        self.0 & Self::NANOS
    }

    #[inline]
    fn set_nanos(&mut self, nanos: u64) {
        self.0 = self.0 & !Self::NANOS | nanos & Self::NANOS;
    }

    #[inline]
    fn enter(&mut self, at: Ticks) {
        self.set_nanos(self.nanos().wrapping_sub(at.0));
    }

    #[inline]
    fn leave(&mut self, at: Ticks) {
        self.set_nanos(self.nanos().wrapping_add(at.0));
    }

    fn accept(&mut self, by: AcceptedBy) {
        self.0 |= u64::from(by.get()) << Self::ACCEPTED_SHIFT;
    }

    fn accepted_by(self) -> Option<AcceptedBy> {
        let [.., by] = self.0.to_le_bytes();
        AcceptedBy::new(by)
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
        span.record_start(&slots);
    }
    span
}

/// [`open`] for a stage without fields to read.
#[inline]
pub fn open_bare(stage: &'static StageDescriptor) -> Span {
    if gate::is_open() { Span::begin(stage, &Slots::new()) } else { Span(None) }
}

#[inline(never)]
fn begin(stage: &'static StageDescriptor) -> Span {
    if !stage.is_root()
        && let Some(active) = current::with_request(|request| Active::new(stage, request, current::span()))
    {
        return Span(active);
    }
    let context = current::current().map_or_else(RequestContext::bare, |context| context.new_trace());
    let mut active = Active::new(stage, &context.request, None);
    if let Some(active) = &mut active {
        active.request = Some(context.request);
        active.progress.unset(Progress::SHARES);
    }
    Span(active)
}

impl Active {
    /// A run in `request`, which is the thread's, if anybody listens to it.
    #[inline]
    fn new(stage: &'static StageDescriptor, request: &Request, parent: Option<SpanId>) -> Option<Self> {
        if !gate::listens_to(request) {
            return None;
        }
        let local_root = if parent == request.remote_parent { Progress::LOCAL_ROOT } else { 0 };
        let progress = Progress(Progress::SHARES | local_root);
        let (span, started) = (Some(request.span_id()), request.now());
        Some(Self { stage, span, parent, started, request: None, progress })
    }

    /// What records say of the run, between polls.
    #[inline]
    fn run(&self) -> Option<Run> {
        let local_root = self.progress.is(Progress::LOCAL_ROOT);
        Some(Run { stage: self.stage, span: self.span?, parent: self.parent, started: self.started, local_root })
    }

    /// Lets `look` at the run's request, between polls.
    #[inline]
    fn with_request<T>(&self, look: impl FnOnce(&Arc<Request>) -> T) -> Option<T> {
        match &self.request {
            Some(request) => Some(look(request)),
            None => current::with_request(look),
        }
    }

    /// The context of what runs inside, between polls.
    #[cold]
    fn context(&self) -> Option<RequestContext> {
        let request = self.with_request(Arc::clone)?;
        Some(RequestContext { request, span: self.span })
    }

    /// The time that the run sees, between polls.
    #[inline]
    fn now(&self) -> Ticks {
        // Only a test has time of its own.
        let of_test = if cfg!(feature = "testing") { self.with_request(|request| request.now()) } else { None };
        of_test.unwrap_or_else(Ticks::now)
    }

    /// Puts the run's context on the thread. What the thread had lies here until [`Active::leave`].
    #[inline(never)]
    fn enter(&mut self) {
        // The clock was read just before the first poll, when the run began.
        let at = if self.progress.is(Progress::POLLED) { self.now() } else { self.started };
        self.progress.enter(at);
        if self.progress.is(Progress::RECORDS)
            && let (Some(request), Some(run)) = (self.with_request(Arc::clone), self.run())
        {
            recorder::enter(request, run);
        }
        if !self.progress.is(Progress::SHARES) {
            self.request = current::swap_request(self.request.take());
        }
        self.span = current::swap_span(self.span);
    }

    /// Gives the thread back what it had, and returns when that was. A run that stays open has a request for itself
    /// from then on, since its next poll may be on another thread.
    #[inline]
    fn leave(&mut self, stays_open: bool) -> Ticks {
        self.span = current::swap_span(self.span);
        if !self.progress.is(Progress::SHARES) {
            self.request = current::swap_request(self.request.take());
        } else if stays_open {
            self.request = current::request();
            self.progress.unset(Progress::SHARES);
        }
        if self.progress.is(Progress::RECORDS) {
            recorder::leave();
        }
        let now = self.now();
        self.progress.leave(now);
        self.progress.set(Progress::POLLED);
        now
    }
}

impl Span {
    /// A run that nobody listens to.
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// Begins a run with fields that were read before.
    #[inline(never)]
    pub(crate) fn begin(stage: &'static StageDescriptor, fields: &Slots) -> Self {
        let mut span = begin(stage);
        span.record_start(fields);
        span
    }

    /// Records the start.
    #[inline(never)]
    fn record_start(&mut self, fields: &Slots) {
        let Some(active) = &mut self.0 else { return };
        let severity = Severity::Refusable(active.stage.level());
        let (fields, Some(run)) = (fields.words(), active.run()) else { return };
        let head = entry::start(&run, fields);
        let accepted = active.with_request(|request| gate::record(request, severity, &head, fields));
        if let Some(by) = accepted.flatten() {
            active.progress.accept(by);
            if recorder::declares(active.stage) {
                active.progress.set(Progress::RECORDS);
            }
        }
    }

    /// Puts the run's context on the thread until the guard ends.
    // The question whether there is a run is inlined, so that without one a poll has no call in it; the rest is not,
    // so that a stage adds little code.
    #[inline]
    pub(crate) fn enter(&mut self) -> Inside<'_> {
        if let Some(active) = &mut self.0 {
            active.enter();
        }
        Inside(self)
    }

    /// Ends the run as cancelled, if it has not ended.
    #[inline(never)]
    pub(crate) fn cancel(&mut self) {
        if self.is_active() {
            self.end_at(self.now()).cancel();
        }
    }

    /// The time that the run sees.
    pub(crate) fn now(&self) -> Ticks {
        self.0.as_ref().map_or_else(Ticks::now, Active::now)
    }

    /// Ends the run; what is said to the end of a run that has ended is ignored.
    pub(crate) fn end_at(&mut self, at: Ticks) -> Ending {
        Ending { active: self.0.take(), at, outcome: Outcome::Completed, fields: Slots::new() }
    }

    /// Time from the run's start to `at`.
    pub(crate) fn since_start(&self, at: Ticks) -> Duration {
        self.0.as_ref().map_or(Duration::ZERO, |active| at.since(active.started))
    }

    /// The context of what runs inside.
    pub(crate) fn context(&self) -> Option<RequestContext> {
        self.0.as_ref()?.context()
    }

    /// Says that the run is a call, which has no polls.
    pub(crate) fn is_call(&mut self) {
        if let Some(active) = &mut self.0 {
            active.progress.set(Progress::CALL);
        }
    }

    #[inline]
    pub(crate) fn is_active(&self) -> bool {
        self.0.is_some()
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
pub(crate) struct Inside<'a>(&'a mut Span);

impl Inside<'_> {
    /// The poll returned, and the run goes on. Returns when that was.
    #[inline]
    pub(crate) fn pause(self) -> Option<Ticks> {
        // Out of the guard, which would take the poll for one that panicked.
        let mut inside = ManuallyDrop::new(self);
        if inside.0.is_active() { inside.0.pause() } else { None }
    }

    /// The poll or call returned its last value, of which `tell` says what to record if anybody listens.
    #[inline]
    pub(crate) fn finish(self, tell: impl FnOnce(&mut Ending)) {
        let mut inside = ManuallyDrop::new(self);
        if inside.0.is_active() {
            inside.0.finish_and(tell);
        }
    }

    /// What the run held was dropped. Ends it as cancelled, after what ran inside it.
    #[inline]
    pub(crate) fn cancel(self) {
        let mut inside = ManuallyDrop::new(self);
        if inside.0.is_active() {
            inside.0.cancelled();
        }
    }
}

impl Drop for Inside<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.0.is_active() {
            self.0.panicked();
        }
    }
}

impl Span {
    #[inline(never)]
    fn pause(&mut self) -> Option<Ticks> {
        Some(self.0.as_mut()?.leave(true))
    }

    #[inline]
    fn finish(&mut self) -> Ending {
        let at = self.0.as_mut().map_or(Ticks(0), |active| active.leave(false));
        self.end_at(at)
    }

    // Out of line, so that a poll has no room for an end on its stack: without anybody who listens it has none.
    #[inline(never)]
    fn finish_and(&mut self, tell: impl FnOnce(&mut Ending)) {
        let mut ending = self.finish();
        tell(&mut ending);
    }

    #[inline(never)]
    fn cancelled(&mut self) {
        self.finish().cancel();
    }

    #[cold]
    #[inline(never)]
    fn panicked(&mut self) {
        self.finish().fail(Box::new(panic::failure()));
    }
}

/// The end of a run, while generated code says what to record of its result. Dropping it records it.
#[derive(Debug)]
pub struct Ending {
    active: Option<Active>,
    at: Ticks,
    outcome: Outcome,
    fields: Slots,
}

impl Ending {
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
}

impl Drop for Ending {
    #[inline]
    fn drop(&mut self) {
        if self.active.is_some() {
            self.record();
        }
    }
}

impl Ending {
    #[inline(never)]
    fn record(&mut self) {
        let Some(active) = self.active.take() else { return };
        let Some(run) = active.run() else { return };
        let busy = if active.progress.is(Progress::CALL) { None } else { Some(active.progress.nanos()) };
        let ended = Ended { at: self.at, busy, outcome: self.outcome };
        let accepted_by = active.progress.accepted_by();
        active.with_request(|request| {
            let is_known = accepted_by.is_some_and(|by| gate::knows(request, by));
            let severity = match self.outcome {
                _ if is_known => Severity::Promised,
                Outcome::Completed => Severity::Refusable(run.stage.level()),
                Outcome::Failed => Severity::Refusable(Level::Error),
                Outcome::Cancelled => Severity::Refusable(Level::Warn),
            };
            let fields = self.fields.words();
            if is_known {
                gate::record(request, severity, &entry::end(&run, &ended, fields), fields);
            } else {
                gate::record(request, severity, &entry::whole_end(&run, &ended, fields), fields);
            }
        });
    }
}
