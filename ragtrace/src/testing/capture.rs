//! Captures: running code and collecting the records of its stages.

use std::future::Future;
use std::sync::Arc;

use ragtrace_core::RequestContext;
use ragtrace_core::capture::{CapturedEntries, ManualClock};
use ragtrace_core::dispatch::ListenerGuard;
use ragtrace_core::stage::panic_hook;

use super::Captured;

/// Runs `future`, and returns its output and the records of its stages.
pub async fn capture<F: Future>(future: F) -> (F::Output, Captured) {
    Capture::new().run(future).await
}

/// Runs `call`, and returns its output and the records of its stages.
pub fn capture_sync<T>(call: impl FnOnce() -> T) -> (T, Captured) {
    Capture::new().run_sync(call)
}

/// A capture with settings. Without settings, use [`capture`] or [`capture_sync`].
///
/// ```
/// use std::time::Duration;
/// use ragtrace::testing::{Capture, ManualClock};
/// use ragtrace::traced_stage;
///
/// #[traced_stage]
/// fn embed(clock: &ManualClock) {
///     clock.advance(Duration::from_millis(40));
/// }
///
/// let clock = ManualClock::at("2026-11-22T08:20:11Z".parse()?);
/// let ((), captured) = Capture::new().clock(&clock).run_sync(|| embed(&clock));
/// assert_eq!(captured.stage("embed").completed().one().duration(), Some(Duration::from_millis(40)));
/// # Ok::<(), ragtrace::ParseError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a capture does nothing until it runs code"]
pub struct Capture {
    clock: Option<ManualClock>,
}

impl Capture {
    /// Creates a capture that uses the real time and random ids.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the clock, and makes ids count from 1, so that the records are the same in every run of
    /// the test.
    pub fn clock(mut self, clock: &ManualClock) -> Self {
        self.clock = Some(clock.clone());
        self
    }

    /// Runs `future`, and returns its output and the records of its stages.
    pub async fn run<F: Future>(self, future: F) -> (F::Output, Captured) {
        let running = Running::begin(self.clock);
        let output = running.context.scope(future).await;
        (output, running.finish())
    }

    /// Runs `call`, and returns its output and the records of its stages.
    pub fn run_sync<T>(self, call: impl FnOnce() -> T) -> (T, Captured) {
        let running = Running::begin(self.clock);
        let output = running.context.sync_scope(call);
        (output, running.finish())
    }
}

/// A capture that has begun.
struct Running {
    entries: Arc<CapturedEntries>,
    context: RequestContext,
    is_reproducible: bool,
    _guard: ListenerGuard,
}

impl Running {
    fn begin(clock: Option<ManualClock>) -> Self {
        panic_hook::install_hook();
        let is_reproducible = clock.is_some();
        let context = match &clock {
            Some(clock) => RequestContext::reproducible(clock.anchor()),
            None => RequestContext::current().unwrap_or_else(RequestContext::bare),
        };
        let entries = CapturedEntries::new(clock);
        let context = context.with_listener(Arc::<CapturedEntries>::clone(&entries));
        Self { entries, context, is_reproducible, _guard: ListenerGuard::begin() }
    }

    fn finish(&self) -> Captured {
        Captured::from_entries(&self.entries, self.is_reproducible)
    }
}
