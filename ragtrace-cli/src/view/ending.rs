//! The end of the viewer, and how its parts learn of it.
//!
//! The first signal begins the end: event streams end at once, since a page may hold one open for
//! ever, and other answers are finished. A second signal ends the process immediately.

use std::io;
use std::process;

use tokio::sync::watch;

use crate::output::tell;

/// The exit code of a program that is interrupted, as a shell reports it: 128 and the number of
/// SIGINT.
const INTERRUPTED: i32 = 130;

/// Tells when the end begins. Clones are about the same end.
#[derive(Clone, Debug)]
pub(crate) struct Ending(watch::Receiver<bool>);

impl Ending {
    /// Listens for the signals that end the process.
    pub(crate) fn at_signals() -> io::Result<Self> {
        let mut signals = Signals::new()?;
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            signals.next().await;
            tell("ending; interrupt once more to end at once");
            sender.send_replace(true);
            signals.next().await;
            process::exit(INTERRUPTED);
        });
        Ok(Self(receiver))
    }

    /// Waits until the end begins.
    pub(crate) async fn begun(&self) {
        // The sender lives as long as the process.
        let _ = self.0.clone().wait_for(|has_begun| *has_begun).await;
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

#[cfg(windows)]
struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    terminate: tokio::signal::windows::CtrlBreak,
    close: tokio::signal::windows::CtrlClose,
    shutdown: tokio::signal::windows::CtrlShutdown,
}

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
        Ok(Self { interrupt: ctrl_c()?, terminate: ctrl_break()?, close: ctrl_close()?, shutdown: ctrl_shutdown()? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
            _ = self.close.recv() => (),
            _ = self.shutdown.recv() => (),
        }
    }
}

#[cfg(not(any(unix, windows)))]
struct Signals;

#[cfg(not(any(unix, windows)))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "other systems can refuse")]
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
