//! A run of a stage from its start to its end: the part of the runtime that all shapes of functions
//! share.
//!
//! Nothing in this module is generic over the stage, so each annotated function adds only calls and
//! no copies. Only the check for an active run is inlined into a stage.
//!
//! A run begins at its first poll or call, in its final place in memory. Before that, it consists
//! of its descriptor and of fields in the thread's scratch buffer. A run that begins in the current
//! request borrows the thread's reference to it during its first poll or call, and only changes the
//! thread's span. If it is still open after that poll, it takes a reference of its own, because its
//! next poll may be on another thread.
//!
//! `open` creates runs, [`Span`] enters and leaves threads, `guard` covers one poll or call, and
//! `ending` ends the run.

mod ending;
mod guard;
mod open;
mod run_state;

use std::mem::{self, ManuallyDrop};
use std::sync::Arc;
use std::time::Duration;

pub use self::ending::Ending;
pub(crate) use self::guard::EnteredSpan;
pub use self::open::{open, open_bare, start_fields};
use self::run_state::RunState;
use crate::catalog::StageDescriptor;
use crate::context::{Request, RequestContext, carried, current};
use crate::dispatch;
use crate::entry::{self, Run};
use crate::id::SpanId;
use crate::observer;
use crate::queue::Admission;
use crate::stage::{panic, recorder};
use crate::time::Ticks;
use crate::value::FieldBuffer;

/// A run of a stage, or nothing if nobody is recording. It is stored in the stage's future and
/// therefore kept small: 48 bytes.
#[derive(Debug)]
pub struct Span {
    /// `None` for a run that is not recorded or has ended.
    stage: Option<&'static StageDescriptor>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Not begun. The fields are in the thread's scratch buffer from this index on, so the owner
    /// must enter the run next, on this thread.
    Idle(usize),
    Begun(Begun),
}

/// A run that has begun. Between polls it holds its own span and request. During a poll the thread
/// holds these, and the run holds the thread's previous ones.
#[derive(Debug)]
struct Begun {
    span: Option<SpanId>,
    parent: Option<SpanId>,
    started: Ticks,
    /// Also `None` while the run shares the thread's request, up to the end of its first poll.
    request: ManuallyDrop<Option<Arc<Request>>>,
    run_state: RunState,
}

const _: () = assert!(size_of::<Span>() <= 48);

impl Span {
    /// Creates a run that is not recorded.
    #[inline]
    pub(crate) const fn none() -> Self {
        Self { stage: None, state: State::Idle(usize::MAX) }
    }

    /// Creates a run with its fields. The caller must enter it next, on this thread.
    #[inline]
    pub(crate) fn idle(stage: &'static StageDescriptor, fields: FieldBuffer) -> Self {
        Self { stage: Some(stage), state: State::Idle(fields.detach()) }
    }

    /// Returns `true` if there is a run that has not ended.
    #[inline]
    pub(crate) fn is_active(&self) -> bool {
        self.stage.is_some()
    }

    /// Returns `true` if `record!` or an observer tracks the run.
    #[inline]
    fn is_tracked(&self) -> bool {
        matches!(&self.state, State::Begun(run) if run.run_state.has(RunState::TRACKED))
    }

    /// Returns `true` if the body is no longer running.
    #[inline]
    fn is_aside(&self) -> bool {
        matches!(&self.state, State::Begun(run) if run.run_state.has(RunState::ASIDE))
    }

    #[inline(never)]
    fn enter_poll(&mut self) {
        match self.state {
            State::Begun(_) => self.enter_again(),
            State::Idle(fields_at) => self.begin(fields_at, 0),
        }
    }

    #[inline(never)]
    fn begin_call(&mut self) {
        if let State::Idle(fields_at) = self.state {
            self.begin(fields_at, RunState::CALL);
        }
    }

    /// Enters a run that has begun.
    #[inline(never)]
    fn enter_again(&mut self) {
        let State::Begun(run) = &mut self.state else { return };
        let now = run.now();
        run.run_state.enter(now);
        // A run that shares the thread's request is never entered twice.
        run.swap_request();
        run.span = current::swap_span(run.span);
        if current::is_carrying() {
            carried::enter_scope();
        }
        if run.run_state.has(RunState::TRACKED) {
            self.track_entered();
        }
    }

    /// Begins the run in the thread's request, records its start and enters it, provided that its
    /// entries have a recipient.
    #[inline]
    fn begin(&mut self, fields_at: usize, flags: u64) {
        let Some(stage) = self.stage else { return };
        let fields = FieldBuffer::attach(fields_at);
        let mut flags = flags | RunState::SHARES_REQUEST;
        let mut request = ManuallyDrop::new(current::swap_request(None));
        let mut kept = ManuallyDrop::new(None);
        let before = current::span();
        let mut parent = before;
        if request.is_none() || stage.is_root() {
            kept = ManuallyDrop::new(begin_trace(&mut request));
            (parent, flags) = (None, flags & !RunState::SHARES_REQUEST);
        }
        let mut began = None;
        if let Some(request) = &*request
            && let Some(recipient) = dispatch::recipient(request)
        {
            let (span, started) = (request.new_span_id(), request.now());
            let local_root = parent == request.remote_parent;
            let run = Run { stage, span, parent, started, local_root };
            let admission = Admission::Droppable(stage.level());
            if dispatch::send(recipient, request, admission, entry::start(&run), &fields) {
                flags |= u64::from(recipient.get());
                if stage.declares_records() {
                    flags |= RunState::TRACKED;
                }
            }
            if local_root {
                flags |= RunState::LOCAL_ROOT;
            }
            began = Some((span, started));
        }
        // The value replaced here is `None`, which needs no drop.
        let _nothing = ManuallyDrop::new(current::swap_request(ManuallyDrop::into_inner(request)));
        let Some((span, started)) = began else { return self.stay_out(ManuallyDrop::into_inner(kept), flags) };
        let run_state = RunState::begun(flags, started);
        self.state = State::Begun(Begun { span: before, parent, started, request: kept, run_state });
        current::swap_span(Some(span));
        if current::is_carrying() {
            carried::enter_scope();
        }
        if flags & RunState::TRACKED != 0 || observer::any() {
            self.track_began(&fields);
        }
        fields.clear();
    }

    /// Drops a run whose entries have no recipient.
    #[cold]
    #[inline(never)]
    fn stay_out(&mut self, kept: Option<Arc<Request>>, flags: u64) {
        if flags & RunState::SHARES_REQUEST == 0 {
            drop(current::swap_request(kept));
        }
        self.discard();
    }

    /// Notifies observers of the beginning, and registers the run on this thread.
    #[cold]
    #[inline(never)]
    fn track_began(&mut self, fields: &FieldBuffer) {
        let (Some(stage), State::Begun(begun)) = (self.stage, &mut self.state) else { return };
        begun.run_state.set(RunState::TRACKED);
        if let (Some(request), Some(run)) = (current::request(), begun.to_run(stage, current::span())) {
            observer::each(|observer| observer.began(&request, &run, fields));
        }
        self.track_entered();
    }

    /// Registers the run on this thread, after it has entered.
    #[cold]
    #[inline(never)]
    fn track_entered(&self) {
        let (Some(stage), State::Begun(begun)) = (self.stage, &self.state) else { return };
        let (Some(request), Some(run)) = (current::request(), begun.to_run(stage, current::span())) else { return };
        observer::each(|observer| observer.entered(&request, &run));
        if begun.records(stage) {
            recorder::enter(request, run);
        }
    }

    /// Returns the current time as the run sees it. The run must not be entered.
    #[inline]
    pub(crate) fn now(&self) -> Ticks {
        match &self.state {
            State::Begun(run) => run.now(),
            State::Idle(_) => Ticks::now(),
        }
    }

    /// Returns the context for code inside the run. The run must not be entered.
    #[cold]
    pub(crate) fn context(&self) -> Option<RequestContext> {
        let (Some(_), State::Begun(run)) = (self.stage, &self.state) else { return None };
        Some(RequestContext { request: run.with_request(Arc::clone)?, span: run.span })
    }

    /// Returns the time from the run's start to `at`.
    pub(crate) fn since_start(&self, at: Ticks) -> Duration {
        match &self.state {
            State::Begun(run) => at.since(run.started),
            State::Idle(_) => Duration::ZERO,
        }
    }

    #[inline]
    fn leave(&mut self, stays_open: bool) -> Ticks {
        match &mut self.state {
            State::Begun(run) => run.leave(stays_open),
            State::Idle(_) => Ticks::now(),
        }
    }

    /// Prepares for the drop of the body. It is dropped in the run's context, so that inner stages
    /// are cancelled before this one and destructors log to the right trace. The run ends when the
    /// span itself is dropped.
    #[inline]
    pub(crate) fn before_drop(&mut self) {
        if self.is_active() {
            self.enter_drop();
        }
    }

    #[cold]
    #[inline(never)]
    fn enter_drop(&mut self) {
        if let State::Idle(_) = self.state {
            return self.discard();
        }
        self.enter_again();
        // Removes the note of an earlier, caught panic, so that it is not used for a panic of a
        // destructor.
        panic::forget(current::span());
        if let State::Begun(run) = &mut self.state {
            run.run_state.set(RunState::ASIDE);
            if std::thread::panicking() {
                run.run_state.set(RunState::UNWINDING);
            }
        }
    }

    /// Drops the run without recording an end.
    #[inline(never)]
    fn discard(&mut self) {
        self.stage = None;
        if let State::Begun(run) = &mut self.state {
            drop(run.take_request());
        }
    }
}

impl Begun {
    /// Restores the thread's previous context, and returns the time. A run that stays open takes
    /// its own reference to the request, because its next poll may be on another thread.
    #[inline]
    fn leave(&mut self, stays_open: bool) -> Ticks {
        if current::is_carrying() { self.leave_carrying(stays_open) } else { self.leave_thread(stays_open) }
    }

    /// Leaves a thread that has contexts carried by `tracing` spans.
    #[cold]
    #[inline(never)]
    fn leave_carrying(&mut self, stays_open: bool) -> Ticks {
        carried::before_scope_leaves();
        let now = self.leave_thread(stays_open);
        carried::after_scope_left();
        now
    }

    #[inline]
    fn leave_thread(&mut self, stays_open: bool) -> Ticks {
        self.span = current::swap_span(self.span);
        if !self.run_state.has(RunState::SHARES_REQUEST) {
            self.swap_request();
        } else if stays_open {
            self.request = ManuallyDrop::new(current::request());
            self.run_state.unset(RunState::SHARES_REQUEST);
        }
        if self.run_state.has(RunState::TRACKED) {
            self.track_left();
        }
        let now = self.now();
        self.run_state.leave(now);
        now
    }

    /// Unregisters the run from this thread, after it has left.
    #[cold]
    #[inline(never)]
    fn track_left(&self) {
        let Some(span) = self.span else { return };
        recorder::leave(span);
        observer::each(|observer| observer.left(span));
    }

    /// Returns `true` if `record!` can add to the run. Added fields are kept for the end, which is
    /// guaranteed to be accepted only if the start was.
    fn records(&self, stage: &'static StageDescriptor) -> bool {
        stage.declares_records() && self.run_state.accepted_by().is_some()
    }

    /// Returns the parts of the run that entries contain. `span` is the run's span.
    #[inline]
    fn to_run(&self, stage: &'static StageDescriptor, span: Option<SpanId>) -> Option<Run> {
        let local_root = self.run_state.has(RunState::LOCAL_ROOT);
        Some(Run { stage, span: span?, parent: self.parent, started: self.started, local_root })
    }

    /// Calls `look` with the run's request. The run must not be entered.
    #[inline]
    fn with_request<T>(&self, look: impl FnOnce(&Arc<Request>) -> T) -> Option<T> {
        match &*self.request {
            Some(request) => Some(look(request)),
            None => current::with_request(look),
        }
    }

    /// Returns the current time as the run sees it. The run must not be entered.
    #[inline]
    fn now(&self) -> Ticks {
        // Only tests have their own clock.
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

/// Replaces the thread's request by one with a new trace, and returns the previous one.
#[cold]
#[inline(never)]
fn begin_trace(request: &mut Option<Arc<Request>>) -> Option<Arc<Request>> {
    let context = RequestContext::root_of(request.as_ref());
    request.replace(context.request)
}
