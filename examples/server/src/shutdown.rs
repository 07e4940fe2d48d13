//! The end of the service, and how its parts learn of it.
//!
//! The first [signal](ragtrace_examples::interrupt) begins the end: event streams end at once,
//! since a client may hold one open for ever; other requests get their time. A second signal ends
//! the process immediately.

use std::io;
use std::time::Duration;

use ragtrace_examples::interrupt::Interrupts;
use tokio_util::sync::CancellationToken;

/// Tells when the end of the service begins. Clones are about the same end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shutdown(CancellationToken);

impl Shutdown {
    /// Returns `true` once the end has begun.
    pub(crate) fn has_begun(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until the end begins.
    pub(crate) async fn begun(&self) {
        self.0.cancelled().await;
    }

    /// Begins the end.
    pub(crate) fn begin(&self) {
        self.0.cancel();
    }

    /// Begins the end at the first signal, and ends the process at the second.
    pub(crate) fn at_signals(&self) -> io::Result<()> {
        let interrupts = Interrupts::listen()?;
        let shutdown = self.clone();
        tokio::spawn(async move {
            interrupts.first().await;
            eprintln!("ending; once more ends at once");
            shutdown.begin();
        });
        Ok(())
    }

    /// Waits until `drain` after the end has begun. From then on no connection is accepted.
    pub(crate) async fn drained(self, drain: Duration) {
        self.begun().await;
        tokio::time::sleep(drain).await;
    }
}
