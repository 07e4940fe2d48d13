//! Runs work that keeps a core busy outside of the async threads.
//!
//! A stage that waits for such work can be dropped at once. The work itself continues to its end on
//! its own thread, and its result is ignored. It keeps its permit until then ([`holding`]);
//! otherwise clients that come and leave could start work on any number of documents at once.

use std::panic::resume_unwind;
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

tokio::task_local! {
    static PLACE: Arc<OwnedSemaphorePermit>;
}

/// Runs `future`, and keeps `place` until the future and all work that it started have ended.
pub(crate) async fn holding<F: Future>(place: OwnedSemaphorePermit, future: F) -> F::Output {
    PLACE.scope(Arc::new(place), future).await
}

/// Runs `work` on a thread that may block. A panic in it continues in the caller.
pub(crate) async fn run<T, F>(work: F) -> T
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let place = PLACE.try_with(Arc::clone).ok();
    let work = move || {
        let _place = place;
        work()
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(stopped) => match stopped.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // Only a runtime that is shutting down refuses the work, and it drops this future next.
            Err(_refused) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn a_place_is_free_when_the_work_has_ended_and_not_when_nobody_waits_for_it() {
        let places = Arc::new(Semaphore::new(1));
        let place = Arc::clone(&places).acquire_owned().await.expect("open");
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (end, is_over) = mpsc::channel::<()>();
        let work = holding(place, run(move || (begun.send(()), is_over.recv())));
        let waiting = tokio::spawn(work);
        has_begun.await.expect("it begins");
        waiting.abort();
        assert!(waiting.await.is_err_and(|error| error.is_cancelled()));
        assert_eq!(places.available_permits(), 0, "the work goes on");
        end.send(()).expect("the work waits");
        assert!(places.acquire().await.is_ok(), "and then its place is free");
    }
}
