//! Work that keeps a core busy, moved off the async threads.
//!
//! A stage that waits here can be dropped at once: the work itself runs to its end on its own thread, and
//! nobody reads what it returns.

use std::panic::resume_unwind;

/// Runs `work` on a thread where blocking is allowed. A panic in it goes on in the caller.
pub(crate) async fn run<T, F>(work: F) -> T
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(stopped) => match stopped.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // Only a runtime that is shutting down refuses the work, and it drops this future next.
            Err(_refused) => std::future::pending().await,
        },
    }
}
