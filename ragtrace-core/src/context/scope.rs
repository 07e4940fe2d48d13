//! How a context reaches futures, calls and tasks.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::current::current;
use super::entered::Entered;
use super::request_context::RequestContext;

impl RequestContext {
    /// Runs `future` with this context as the current one: at each poll, and nowhere else.
    pub fn scope<F: Future>(&self, future: F) -> Scoped<F> {
        Scoped { future: Some(future), context: Some(self.inherit(current)) }
    }

    /// Runs `call` with this context as the current one. This is also the way across threads.
    pub fn sync_scope<T>(&self, call: impl FnOnce() -> T) -> T {
        let mut context = Some(self.inherit(current));
        let _entered = Entered::new(&mut context);
        call()
    }
}

/// Carries the current context into a future that will run elsewhere.
pub trait InContext: Future + Sized {
    /// Returns this future in the current context; without one, the future as it is.
    fn in_current_context(self) -> Scoped<Self> {
        Scoped { future: Some(self), context: current() }
    }
}

impl<F: Future> InContext for F {}

/// Spawns a task that belongs to the current request, as `tokio::spawn` does: stages in it have the
/// current span as their parent.
///
/// # Panics
///
/// As `tokio::spawn` does: outside a tokio runtime.
pub fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(future.in_current_context())
}

pin_project! {
    /// A future with a context of its own; see [`RequestContext::scope`].
    #[must_use = "futures do nothing unless polled or awaited"]
    pub struct Scoped<F> {
        #[pin]
        future: Option<F>,
        context: Option<RequestContext>,
    }

    impl<F> PinnedDrop for Scoped<F> {
        fn drop(this: Pin<&mut Self>) {
            // What the future drops (stages that are cancelled, log lines in destructors) is still
            // of its request.
            let mut this = this.project();
            let _entered = this.context.is_some().then(|| Entered::new(this.context));
            this.future.set(None);
        }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = this.context.is_some().then(|| Entered::new(this.context));
        match this.future.as_pin_mut() {
            Some(future) => future.poll(cx),
            // The future is taken away only when this one is dropped.
            None => Poll::Pending,
        }
    }
}

impl<F> std::fmt::Debug for Scoped<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scoped").field("context", &self.context).finish_non_exhaustive()
    }
}
