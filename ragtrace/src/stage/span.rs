//! A run of a stage from its start to its end: the part of the runtime that every shape of function shares.
//!
//! Nothing here is generic over the stage, so each annotated function adds calls and no copies.
//!
//! A run that begins in the request of what runs around it shares that one's reference for as long as its first poll
//! or call lasts: it changes the thread's span and nothing else. Only a run that is still open after a poll takes a
//! reference of its own, since its next poll may be on another thread.

use std::fmt::{Debug, Display};
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
#[derive(Debug)]
struct Active {
    stage: &'static StageDescriptor,
    span: SpanId,
    parent: Option<SpanId>,
    started: Ticks,
    /// The run's request; `None` while it is the thread's.
    request: Option<Arc<Request>>,
    progress: Progress,
}

/// Nanoseconds inside polls so far, and in the upper bits what else is known of the run.
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
    /// 104 days.
    const NANOS: u64 = Self::LOCAL_ROOT - 1;

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
    let active = Active::new(stage, &context.request, None);
    Span(active.map(|active| Active { request: Some(context.request), ..active }))
}

impl Active {
    /// A run in `request`, if anybody listens to it.
    #[inline]
    fn new(stage: &'static StageDescriptor, request: &Request, parent: Option<SpanId>) -> Option<Self> {
        if !gate::listens_to(request) {
            return None;
        }
        let progress = Progress(if parent == request.remote_parent { Progress::LOCAL_ROOT } else { 0 });
        let (span, started) = (request.span_id(), request.now());
        Some(Self { stage, span, parent, started, request: None, progress })
    }

    /// What records say of the run.
    #[inline]
    fn run(&self) -> Run {
        let local_root = self.progress.is(Progress::LOCAL_ROOT);
        Run { stage: self.stage, span: self.span, parent: self.parent, started: self.started, local_root }
    }

    /// Lets `look` at the run's request, wherever it is.
    #[inline]
    fn with_request<T>(&self, look: impl FnOnce(&Arc<Request>) -> T) -> Option<T> {
        match &self.request {
            Some(request) => Some(look(request)),
            None => current::with_request(look),
        }
    }

    /// The context of what runs inside.
    #[cold]
    fn context(&self) -> Option<RequestContext> {
        let request = self.with_request(Arc::clone)?;
        Some(RequestContext { request, span: Some(self.span) })
    }

    /// The time that the run sees.
    #[inline]
    fn now(&self) -> Ticks {
        // Only a test has time of its own.
        let of_test = if cfg!(feature = "testing") { self.with_request(|request| request.now()) } else { None };
        of_test.unwrap_or_else(Ticks::now)
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
        let fields = fields.words();
        let head = entry::start(&active.run(), fields);
        let accepted = active.with_request(|request| gate::record(request, severity, &head, fields));
        if let Some(by) = accepted.flatten() {
            active.progress.accept(by);
            if recorder::declares(active.stage) {
                active.progress.0 |= Progress::RECORDS;
            }
        }
    }

    /// Puts the run's context on the thread until the guard ends.
    // The question whether there is a run is inlined, so that without one a poll has no call in it; the rest is not,
    // so that a stage adds little code.
    #[inline]
    pub(crate) fn enter(&mut self) -> Inside<'_> {
        if self.0.is_some() { self.enter_active() } else { Inside::of_nothing(self) }
    }

    #[inline(never)]
    fn enter_active(&mut self) -> Inside<'_> {
        let Some(active) = &mut self.0 else { return Inside::of_nothing(self) };
        // The clock was read just before the first poll, when the run began.
        let since = if active.progress.nanos() == 0 { active.started } else { active.now() };
        if active.progress.is(Progress::RECORDS)
            && let Some(context) = active.context()
        {
            recorder::enter(active.stage, context);
        }
        let around = active.request.take().map(|request| Around(current::swap_request(Some(request))));
        let parent = current::swap_span(Some(active.span));
        Inside { span: self, since, parent, around }
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
            active.progress.0 |= Progress::CALL;
        }
    }

    #[inline]
    pub(crate) fn is_active(&self) -> bool {
        self.0.is_some()
    }

    /// The run's context on the thread while `drop_parts` drops what the run holds.
    pub(crate) fn drop_inside(&mut self, drop_parts: impl FnOnce()) {
        let mut context = self.context();
        let _entered = context.is_some().then(|| current::Entered::new(&mut context));
        drop_parts();
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
    /// The span that the thread had before.
    parent: Option<SpanId>,
    /// The request that the thread had before; `None` if the run shares it.
    around: Option<Around>,
}

/// What a thread had instead of a request of the run's own.
struct Around(Option<Arc<Request>>);

impl Inside<'_> {
    #[inline]
    fn of_nothing(span: &mut Span) -> Inside<'_> {
        Inside { span, since: Ticks(0), parent: None, around: None }
    }

    /// The poll returned, and the run goes on. Returns when that was.
    #[inline]
    pub(crate) fn pause(mut self) -> Option<Ticks> {
        let now = if self.span.0.is_some() { self.leave_open() } else { None };
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
    fn finish_active(mut self, tell: &mut dyn FnMut(&mut Ending)) {
        let Some(at) = self.leave() else { return };
        let mut ending = self.span.end_at(at);
        std::mem::forget(self);
        tell(&mut ending);
    }

    /// Leaves the run open: it has its request for itself then, wherever it is polled next.
    #[inline(never)]
    fn leave_open(&mut self) -> Option<Ticks> {
        if let (None, Some(active)) = (&self.around, &mut self.span.0) {
            active.request = current::request();
        }
        self.leave()
    }

    /// Gives the thread back what it had, and returns when that was; `None` if nobody listens.
    #[inline]
    fn leave(&mut self) -> Option<Ticks> {
        let active = self.span.0.as_mut()?;
        current::swap_span(self.parent);
        if let Some(Around(before)) = self.around.take() {
            active.request = current::swap_request(before);
        }
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
        if let Some(at) = self.leave() {
            self.span.end_at(at).fail(Box::new(panic::failure()));
        }
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
        let run = active.run();
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
