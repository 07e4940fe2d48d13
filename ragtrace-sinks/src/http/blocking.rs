//! Runs calls that may block, such as those that read files.

use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::task;

/// Runs calls that may block, one at a time, on the runtime's threads for blocking work.
///
/// A call continues even if its caller has given up. Since the next call waits for it, a file
/// system or a vault that hangs blocks only one thread, and not another with each attempt.
#[derive(Clone, Debug, Default)]
pub(super) struct OneAtATime(Arc<Mutex<()>>);

impl OneAtATime {
    /// Runs a call, and returns its value.
    ///
    /// # Errors
    ///
    /// Returns an error if the call panics, or the runtime ends before its turn. The message says
    /// which.
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
