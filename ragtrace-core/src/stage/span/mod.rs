//! A run of a stage from its start to its end: the part of the runtime that every shape of function shares.
//!
//! Nothing here is generic over the stage, so each annotated function adds calls and no copies. What a stage inlines is
//! the question whether there is a run at all.
//!
//! A run begins where its first poll or call does, at the place in memory where it stays; until then it is its stage and
//! the fields that lie on the thread's desk. One that begins in the request of what runs around it shares that one's
//! reference for as long as its first poll or call lasts: it changes the thread's span and nothing else. Only a run that
//! is still open after a poll takes a reference of its own, since its next poll may be on another thread.

mod ending;
mod progress;

use std::mem::{self, ManuallyDrop};
use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::ending::Ending;
use self::progress::Progress;
use crate::SpanId;
use crate::context::{Request, RequestContext, current};
use crate::gate;
use crate::queue::Severity;
use crate::stage::entry::{self, Run};
use crate::stage::panic;
use crate::stage::recorder;
use crate::stage::slots::Slots;
use crate::stage::{Listed, StageDescriptor};
use crate::time::Ticks;

/// A run of a stage, or nothing if nobody listens. It lies in the stage's future, so it is kept small: 48 bytes.
#[derive(Debug)]
pub struct Span {
    /// `None` for a run that nobody listens to, and for one that has ended.
    stage: Option<&'static StageDescriptor>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Its fields lie on the thread's desk from this place on: whoever has the run enters it next, on this thread.
    Idle(usize),
    Begun(Begun),
}

/// What a run has from its beginning to its end. Between polls it has its span and its request, and while it is inside one
/// the thread has these, and it keeps what the thread had instead.
#[derive(Debug)]
struct Begun {
    span: Option<SpanId>,
    parent: Option<SpanId>,
    started: Ticks,
    /// `None` too for a run that shares the thread's request, as it does up to the end of its first poll.
    request: ManuallyDrop<Option<Arc<Request>>>,
    progress: Progress,
}

const _: () = assert!(size_of::<Span>() <= 48);

/// A run of `stage` to come, with the fields that `fields` reads. Whoever has it enters it next, on this thread. With
/// nobody to listen it costs a load and reads nothing.
#[inline]
pub fn open(stage: &'static Listed, fields: impl FnOnce(&mut Slots)) -> Span {
    if !gate::is_open() || !gate::is_heard_here() {
        return Span::none();
    }
    let mut slots = Slots::begin();
    fields(&mut slots);
    Span::idle(stage.get(), slots)
}

/// [`open`] for a stage without fields to read.
#[inline]
pub fn open_bare(stage: &'static Listed) -> Span {
    let stage = if gate::is_open() { Some(stage.get()) } else { None };
    // Beyond whatever lies on the desk, so none.
    Span { stage, state: State::Idle(usize::MAX) }
}

impl Span {
    /// A run that nobody listens to.
    #[inline]
    pub(crate) const fn none() -> Self {
        Self { stage: None, state: State::Idle(usize::MAX) }
    }

    /// A run to come, which is entered next on this thread.
    #[inline]
    pub(crate) fn idle(stage: &'static StageDescriptor, fields: Slots) -> Self {
        Self { stage: Some(stage), state: State::Idle(fields.leave()) }
    }

    /// Whether there is a run that has not ended.
    #[inline]
    pub(crate) fn is_active(&self) -> bool {
        self.stage.is_some()
    }

    /// Puts the run's context on the thread until the guard ends. The first time this begins the run.
    // The question whether there is a run is inlined, so that without one a poll has no call in it; the rest is not,
    // so that a stage adds little code.
    #[inline]
    pub(crate) fn enter(&mut self) -> Inside<'_> {
        if self.is_active() {
            self.go_inside();
        }
        Inside(self)
    }

    /// The same for a run that is a call, which has no polls.
    #[inline]
    pub(crate) fn enter_call(&mut self) -> Inside<'_> {
        if self.is_active() {
            self.begin_call();
        }
        Inside(self)
    }

    #[inline(never)]
    fn go_inside(&mut self) {
        match self.state {
            State::Begun(_) => self.enter_again(),
            State::Idle(fields_at) => self.begin(fields_at, 0),
        }
    }

    #[inline(never)]
    fn begin_call(&mut self) {
        if let State::Idle(fields_at) = self.state {
            self.begin(fields_at, Progress::CALL);
        }
    }

    /// Enters a run that has begun.
    #[inline(never)]
    fn enter_again(&mut self) {
        let State::Begun(run) = &mut self.state else { return };
        let now = run.now();
        run.progress.enter(now);
        // A run that shares the thread's request is never entered twice.
        run.swap_request();
        run.span = current::swap_span(run.span);
        if run.progress.is(Progress::RECORDS) {
            self.note();
        }
    }

    /// Begins the run in the thread's request, records its start, and enters it, if anybody listens.
    #[inline]
    fn begin(&mut self, fields_at: usize, flags: u64) {
        let Some(stage) = self.stage else { return };
        let fields = Slots::found(fields_at);
        let mut flags = flags | Progress::SHARES;
        let mut request = ManuallyDrop::new(current::swap_request(None));
        let mut kept = ManuallyDrop::new(None);
        let before = current::span();
        let mut parent = before;
        if request.is_none() || stage.is_root() {
            kept = ManuallyDrop::new(begin_trace(&mut request));
            (parent, flags) = (None, flags & !Progress::SHARES);
        }
        let mut began = None;
        if let Some(request) = &*request
            && let Some(listener) = gate::listener(request)
        {
            let (span, started) = (request.span_id(), request.now());
            let local_root = parent == request.remote_parent;
            let run = Run { stage, span, parent, started, local_root };
            let severity = Severity::Refusable(stage.level());
            if gate::record(listener, request, severity, entry::start(&run), &fields) {
                flags |= u64::from(listener.get());
                if recorder::declares(stage) {
                    flags |= Progress::RECORDS;
                }
            }
            if local_root {
                flags |= Progress::LOCAL_ROOT;
            }
            began = Some((span, started));
        }
        // What was put in its place is `None`, which has nothing to drop.
        let _nothing = ManuallyDrop::new(current::swap_request(ManuallyDrop::into_inner(request)));
        let Some((span, started)) = began else { return self.stay_out(ManuallyDrop::into_inner(kept), flags) };
        let progress = Progress::begun(flags, started);
        self.state = State::Begun(Begun { span: before, parent, started, request: kept, progress });
        current::swap_span(Some(span));
        if flags & Progress::RECORDS != 0 {
            self.note();
        }
    }

    /// Nobody listens, so there is no run.
    #[cold]
    #[inline(never)]
    fn stay_out(&mut self, kept: Option<Arc<Request>>, flags: u64) {
        if flags & Progress::SHARES == 0 {
            drop(current::swap_request(kept));
        }
        self.let_go();
    }

    /// Notes that the run is on this thread, once it is.
    #[cold]
    #[inline(never)]
    fn note(&self) {
        let (Some(stage), State::Begun(run)) = (self.stage, &self.state) else { return };
        if let (Some(request), Some(run)) = (current::request(), run.facts(stage, current::span())) {
            recorder::enter(request, run);
        }
    }

    /// The time that the run sees, between polls.
    #[inline]
    pub(crate) fn now(&self) -> Ticks {
        match &self.state {
            State::Begun(run) => run.now(),
            State::Idle(_) => Ticks::now(),
        }
    }

    /// The context of what runs inside, between polls.
    #[cold]
    pub(crate) fn context(&self) -> Option<RequestContext> {
        let (Some(_), State::Begun(run)) = (self.stage, &self.state) else { return None };
        Some(RequestContext { request: run.with_request(Arc::clone)?, span: run.span })
    }

    /// Time from the run's start to `at`.
    pub(crate) fn since_start(&self, at: Ticks) -> Duration {
        match &self.state {
            State::Begun(run) => at.since(run.started),
            State::Idle(_) => Duration::ZERO,
        }
    }

    /// Ends the run; what is said to the end of a run that has ended is ignored.
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

    #[inline(never)]
    fn pause(&mut self) -> Ticks {
        self.leave(true)
    }

    #[inline]
    fn leave(&mut self, stays_open: bool) -> Ticks {
        match &mut self.state {
            State::Begun(run) => run.leave(stays_open),
            State::Idle(_) => Ticks::now(),
        }
    }

    #[inline(never)]
    fn finish(&mut self) -> Ending<'_> {
        let at = self.leave(false);
        self.end_at(at)
    }

    #[cold]
    #[inline(never)]
    fn panicked(&mut self) {
        self.finish().fail(Box::new(panic::failure()));
    }

    /// What runs inside is going to be dropped: in the run's context, so that it is cancelled before the run is and its
    /// destructors log to the right trace. The run ends when it is dropped itself.
    #[inline]
    pub(crate) fn before_drop(&mut self) {
        if self.is_active() {
            self.drop_inside();
        }
    }

    #[cold]
    #[inline(never)]
    fn drop_inside(&mut self) {
        if let State::Idle(_) = self.state {
            return self.let_go();
        }
        self.enter_again();
        if let State::Begun(run) = &mut self.state {
            run.progress.set(Progress::DROPS);
            if std::thread::panicking() {
                run.progress.set(Progress::UNWINDS);
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn dropped(&mut self) {
        let progress = match &self.state {
            State::Begun(run) if run.progress.is(Progress::DROPS) => run.progress,
            _ => return self.let_go(),
        };
        let has_panicked = std::thread::panicking() && !progress.is(Progress::UNWINDS);
        if has_panicked { self.panicked() } else { self.finish().cancel() }
    }

    /// Forgets the run.
    #[inline(never)]
    fn let_go(&mut self) {
        self.stage = None;
        if let State::Begun(run) = &mut self.state {
            drop(run.take_request());
        }
    }
}

impl Drop for Span {
    // What is to be done for a run that did not end is out of line: a stage has three places that drop its span.
    #[inline]
    fn drop(&mut self) {
        if self.is_active() {
            self.dropped();
        }
    }
}

impl Begun {
    /// Gives the thread back what it had, and returns when that was. A run that stays open has a request for itself
    /// from then on, since its next poll may be on another thread.
    #[inline]
    fn leave(&mut self, stays_open: bool) -> Ticks {
        self.span = current::swap_span(self.span);
        if !self.progress.is(Progress::SHARES) {
            self.swap_request();
        } else if stays_open {
            self.request = ManuallyDrop::new(current::request());
            self.progress.unset(Progress::SHARES);
        }
        if self.progress.is(Progress::RECORDS) {
            recorder::leave();
        }
        let now = self.now();
        self.progress.leave(now);
        now
    }

    /// What records say of the run, whose span is `span`.
    #[inline]
    fn facts(&self, stage: &'static StageDescriptor, span: Option<SpanId>) -> Option<Run> {
        let local_root = self.progress.is(Progress::LOCAL_ROOT);
        Some(Run { stage, span: span?, parent: self.parent, started: self.started, local_root })
    }

    /// Lets `look` at the run's request, between polls.
    #[inline]
    fn with_request<T>(&self, look: impl FnOnce(&Arc<Request>) -> T) -> Option<T> {
        match &*self.request {
            Some(request) => Some(look(request)),
            None => current::with_request(look),
        }
    }

    /// The time that the run sees, between polls.
    #[inline]
    fn now(&self) -> Ticks {
        // Only a test has time of its own.
        let of_test = if cfg!(feature = "testing") { self.with_request(|request| request.now()) } else { None };
        of_test.unwrap_or_else(Ticks::now)
    }

    #[inline]
    fn swap_request(&mut self) {
        self.request = ManuallyDrop::new(current::swap_request(self.take_request()));
    }

    #[inline]
    fn take_request(&mut self) -> Option<Arc<Request>> {
        ManuallyDrop::into_inner(mem::replace(&mut self.request, ManuallyDrop::new(None)))
    }
}

/// Puts a new trace's request in the place of the thread's, which is returned.
#[cold]
#[inline(never)]
fn begin_trace(request: &mut Option<Arc<Request>>) -> Option<Arc<Request>> {
    let context = RequestContext::root_of(request.as_ref());
    request.replace(context.request)
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
        if inside.0.is_active() { Some(inside.0.pause()) } else { None }
    }

    /// The poll or call returned its last value, of which `tell` says what to record if anybody listens.
    #[inline]
    pub(crate) fn finish(self, tell: impl FnOnce(&mut Ending<'_>)) {
        let mut inside = ManuallyDrop::new(self);
        if inside.0.is_active() {
            tell(&mut inside.0.finish());
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
