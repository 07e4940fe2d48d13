//! The end of the service, as its parts hear of it.
//!
//! The first signal (Ctrl-C, or SIGTERM where there is one) begins the end: event streams end at
//! once, since a client may hold one open for ever; other requests have their time. A second signal
//! ends the process where it stands.

use std::io;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// The beginning of the end. A clone hears of the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shutdown(CancellationToken);

impl Shutdown {
    /// Returns true once the end has begun.
    pub(crate) fn has_begun(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits for the beginning of the end.
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

    /// Waits until `drain` after the beginning of the end: no connection is taken any more then.
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
        // Where it cannot be listened for, there is no second signal to wait for either.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
