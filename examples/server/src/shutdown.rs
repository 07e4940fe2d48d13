//! The end of the service, and how its parts learn of it.
//!
//! The first signal (Ctrl-C, or SIGTERM if the system has it) begins the end: event streams end at
//! once, since a client may hold one open for ever; other requests get their time. A second signal
//! ends the process immediately.

use std::io;
use std::time::Duration;

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
        let mut signals = Signals::new()?;
        let shutdown = self.clone();
        tokio::spawn(async move {
            signals.next().await;
            eprintln!("ending; once more ends at once");
            shutdown.begin();
            signals.next().await;
            std::process::exit(130);
        });
        Ok(())
    }

    /// Waits until `drain` after the end has begun. From then on no connection is accepted.
    pub(crate) async fn drained(self, drain: Duration) {
        self.begun().await;
        tokio::time::sleep(drain).await;
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        // If this signal cannot be received, no second signal can either.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
