//! Stage logs as typed assertions (feature `testing`).
//!
//! A capture belongs to the task that makes it, so tests run in parallel, with telemetry installed or not:
//!
//! ```
//! use ragtrace::{testing, traced_stage};
//!
//! #[traced_stage(kind = chunk, fields(max), ok(|chunks| longest = chunks.iter().map(String::len).max()))]
//! async fn chunk(text: &str, max: usize) -> Vec<String> {
//!     text.as_bytes().chunks(max).map(|chunk| String::from_utf8_lossy(chunk).into_owned()).collect()
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let (chunks, captured) = testing::capture(chunk("some text", 4)).await;
//! let completed = captured.stage("chunk").completed();
//! assert_eq!(completed.one().count(), Some(chunks.len() as u64));
//! assert_eq!(completed.one().metric("longest"), Some(4.0));
//! assert!(captured.stage("chunk").failed().is_empty());
//! # });
//! ```
//!
//! Tasks that the code under test starts are captured if they carry the context: with [`crate::spawn`] or
//! [`crate::InContext::in_current_context`]. What they record after the capture has ended is not in it.

mod captured;

use std::future::Future;
use std::sync::Arc;

use ragtrace_core::RequestContext;
use ragtrace_core::capture::Capture;
use ragtrace_core::dispatch::ListenerGuard;
use ragtrace_core::stage::panic_hook;

pub use captured::{Captured, View};
#[doc(inline)]
pub use ragtrace_core::capture::ManualClock;

/// Runs `future`, and returns its output and what its stages recorded.
pub async fn capture<F: Future>(future: F) -> (F::Output, Captured) {
    Capturing::new(None).run(future).await
}

/// Runs `call`, and returns its output and what its stages recorded.
pub fn capture_sync<T>(call: impl FnOnce() -> T) -> (T, Captured) {
    Capturing::new(None).call(call)
}

/// Runs `future` with the time of `clock` and ids that count from 1, so that what is recorded is the same in every run.
pub async fn capture_with_clock<F: Future>(clock: &ManualClock, future: F) -> (F::Output, Captured) {
    Capturing::new(Some(clock.clone())).run(future).await
}

/// Runs `call` with the time of `clock` and ids that count from 1, so that what is recorded is the same in every run.
pub fn capture_sync_with_clock<T>(clock: &ManualClock, call: impl FnOnce() -> T) -> (T, Captured) {
    Capturing::new(Some(clock.clone())).call(call)
}

struct Capturing {
    capture: Arc<Capture>,
    context: RequestContext,
    is_made_up: bool,
    _listening: ListenerGuard,
}

impl Capturing {
    fn new(clock: Option<ManualClock>) -> Self {
        panic_hook::install_hook();
        let is_made_up = clock.is_some();
        let context = RequestContext::current();
        let context = match &clock {
            Some(clock) => RequestContext::reproducible(clock.anchor()),
            None => context.unwrap_or_else(RequestContext::bare),
        };
        let capture = Capture::new(clock);
        let context = context.with_listener(Arc::<Capture>::clone(&capture));
        Self { capture, context, is_made_up, _listening: ListenerGuard::begin() }
    }

    async fn run<F: Future>(self, future: F) -> (F::Output, Captured) {
        let output = self.context.scope(future).await;
        (output, self.finish())
    }

    fn call<T>(self, call: impl FnOnce() -> T) -> (T, Captured) {
        let output = self.context.sync_scope(call);
        (output, self.finish())
    }

    fn finish(&self) -> Captured {
        Captured::from_capture(&self.capture, self.is_made_up)
    }
}
