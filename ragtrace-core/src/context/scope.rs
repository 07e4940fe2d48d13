//! Running futures and calls in a context, and carrying contexts into tasks.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::current::current;
use super::entered::Entered;
use super::request_context::RequestContext;

impl RequestContext {
    /// Runs `future` with this context as the current one.
    ///
    /// The context is current during each poll, and when the future is dropped, which happens as
    /// soon as it is ready.
    ///
    /// # Examples
    ///
    /// ```
    /// use ragtrace::RequestContext;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let request = RequestContext::new().with_user_id("alice");
    /// let user = request.scope(async { RequestContext::current()?.user_id().map(String::from) }).await;
    /// assert_eq!(user.as_deref(), Some("alice"));
    /// # });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn scope<F: Future>(&self, future: F) -> Scoped<F> {
        Scoped { future: Some(future), context: Some(self.inherit(current)) }
    }

    /// Calls `call` with this context as the current one, and returns its result. Use this to take
    /// a context to another thread.
    pub fn sync_scope<T>(&self, call: impl FnOnce() -> T) -> T {
        let mut context = Some(self.inherit(current));
        let _entered = Entered::new(&mut context);
        call()
    }
}

/// An extension trait that carries the current context into a future that will run elsewhere.
pub trait InContext: Future + Sized {
    /// Wraps this future so that it runs in the context that is current now. Without a current
    /// context the future runs as it is.
    fn in_current_context(self) -> Scoped<Self> {
        Scoped { future: Some(self), context: current() }
    }
}

impl<F: Future> InContext for F {}

/// Spawns a tokio task in the current context: stages in it have the current span as their parent.
///
/// # Panics
///
/// Panics outside of a tokio runtime, as `tokio::spawn` does.
pub fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(future.in_current_context())
}

pin_project! {
    /// A future that runs in the context that it carries, created by [`RequestContext::scope`] or
    /// [`InContext::in_current_context`].
    ///
    /// The inner future is dropped in the context as soon as it is ready. If polled after that,
    /// this future is pending forever.
    #[must_use = "futures do nothing unless polled or awaited"]
    pub struct Scoped<F> {
        #[pin]
        future: Option<F>,
        context: Option<RequestContext>,
    }

    impl<F> PinnedDrop for Scoped<F> {
        fn drop(this: Pin<&mut Self>) {
            // Destructors of the future's parts may record cancelled stages and log lines, which
            // belong to its request.
            let mut this = this.project();
            if this.future.is_some() {
                let _entered = this.context.is_some().then(|| Entered::new(this.context));
                this.future.set(None);
            }
        }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else { return Poll::Pending };
        let _entered = this.context.is_some().then(|| Entered::new(this.context));
        let polled = future.poll(cx);
        if polled.is_ready() {
            // A later drop would have to make the context current again.
            this.future.set(None);
        }
        polled
    }
}

impl<F> std::fmt::Debug for Scoped<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scoped").field("context", &self.context).finish_non_exhaustive()
    }
}
