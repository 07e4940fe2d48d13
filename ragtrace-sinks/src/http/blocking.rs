//! Calls that may block, such as those that read files.

use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::task;

/// Runs calls that may block, one at a time, on a thread of the runtime's that is there for it.
///
/// A call whose caller has given up goes on. Since the next one waits for it, a file system or a
/// vault that hangs takes one thread, and not another with each attempt.
#[derive(Clone, Debug, Default)]
pub(super) struct OneAtATime(Arc<Mutex<()>>);

impl OneAtATime {
    /// Runs a call, and returns its value.
    ///
    /// # Errors
    ///
    /// If it panics, or the runtime ends before its turn. The message says which.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, &'static str> {
        let turn = Arc::clone(&self.0).lock_owned().await;
        let called = task::spawn_blocking(move || {
            let value = call();
            drop(turn);
            value
        });
        called.await.map_err(|error| if error.is_panic() { "panicked" } else { "was cancelled" })
    }
}
