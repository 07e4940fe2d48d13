//! A sink whose panics become errors, so that they do not end the pipeline's threads.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ragtrace_core::Level;
use ragtrace_core::guard::{contain, dispose};

use super::{Batch, BatchLimits, BoxSink, Delivered, Needs, Sink, SinkError};

/// The longest age of a batch, because an `Instant` cannot hold every sum with a `Duration`.
const LONGEST_AGE: Duration = Duration::from_hours(24 * 365);

/// A sink with the settings that it returned when it was asked once.
pub(crate) struct GuardedSink {
    /// `None` only while it is being dropped.
    sink: Option<BoxSink>,
    pub(crate) name: String,
    pub(crate) limits: BatchLimits,
    pub(crate) level: Option<Level>,
    pub(crate) needs: Needs,
}

impl GuardedSink {
    /// Asks a sink for its name and settings, and returns the message of a panic.
    pub(crate) fn new(sink: BoxSink) -> Result<Self, String> {
        let asked = contain(|| (sink.name().to_owned(), sink.limits(), Sink::level(&sink), sink.needs()));
        let (asked, why) = match asked {
            Ok(asked) => (asked, None),
            Err(payload) => (<_>::default(), Some(message_of(payload))),
        };
        let (name, mut limits, level, needs) = asked;
        limits.age = limits.age.min(LONGEST_AGE);
        let guarded = Self { sink: Some(sink), name, limits, level, needs };
        why.map_or(Ok(guarded), Err)
    }

    /// Delivers a batch. An error holds only text, so it cannot run code of the sink.
    pub(crate) async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        let Some(sink) = &self.sink else { return Ok(Delivered::all()) };
        deliver_guarded(sink, batch).await
    }

    /// Closes the sink. A panic is ignored here, because the panic hook has already reported it.
    pub(crate) async fn close(&self) {
        if let Some(sink) = &self.sink {
            let _ = guarded(sink.close()).await;
        }
    }
}

impl Drop for GuardedSink {
    fn drop(&mut self) {
        let sink = self.sink.take();
        if let Err(payload) = contain(|| drop(sink)) {
            dispose(payload);
        }
    }
}

/// Delivers a batch to any sink. An error holds only text, so it cannot run code of the sink.
pub(crate) async fn deliver_guarded(sink: &impl Sink, batch: &Batch) -> Result<Delivered, SinkError> {
    let answer = guarded(async move { sink.deliver(batch).await.map_err(SinkError::detached) }).await;
    answer.unwrap_or_else(|why| Err(SinkError::panicked(&why)))
}

/// A future that returns the message of a panic in a poll or in its destructor.
struct Guarded<F>(Option<Pin<Box<F>>>);

/// Wraps a future so that it returns the message of a panic.
fn guarded<F: Future>(future: F) -> impl Future<Output = Result<F::Output, String>> {
    let mut guarded = Guarded(Some(Box::pin(future)));
    poll_fn(move |cx| guarded.poll(cx))
}

impl<F: Future> Guarded<F> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<F::Output, String>> {
        let Some(future) = &mut self.0 else { return Poll::Pending };
        match contain(|| future.as_mut().poll(cx)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => {
                // The future has its output; a panic in its destructor does not change that.
                self.drop_future();
                Poll::Ready(Ok(output))
            }
            Err(payload) => {
                self.drop_future();
                Poll::Ready(Err(message_of(payload)))
            }
        }
    }
}

impl<F> Guarded<F> {
    fn drop_future(&mut self) {
        let future = self.0.take();
        if let Err(payload) = contain(|| drop(future)) {
            dispose(payload);
        }
    }
}

impl<F> Drop for Guarded<F> {
    fn drop(&mut self) {
        self.drop_future();
    }
}

/// Returns the message of a panic's payload.
pub(crate) fn message_of(payload: Box<dyn Any + Send>) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    dispose(payload);
    text.unwrap_or_else(|| "a value that is not a text".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bomb(&'static str);

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("{}", self.0);
        }
    }

    #[tokio::test]
    async fn a_future_that_panics_in_its_poll_and_in_its_destructor_is_answered() {
        let answered = guarded(async { Bomb("in the destructor of the answer").0 }).await;
        assert_eq!(answered, Err("in the destructor of the answer".to_owned()));
        let panicked = guarded(async { std::panic::panic_any(Bomb("of the payload")) }).await;
        assert_eq!(panicked, Err("a value that is not a text".to_owned()));
    }

    #[tokio::test]
    async fn a_future_that_is_dropped_while_it_waits_takes_nobody_along() {
        let mut waiting = Box::pin(guarded(async {
            let _bomb = Bomb("while it waits");
            std::future::pending::<()>().await;
        }));
        let is_pending = poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx).is_pending())).await;
        assert!(is_pending);
        drop(waiting);
    }
}
