//! The signals that end a program: Ctrl-C, and SIGTERM on Unix or Ctrl-Break, the closing of the
//! window, logging off and the system's shutdown on Windows.
//!
//! The first one lets the program end in order. A second one ends it at once.

use std::{io, process, thread};

use tokio::sync::watch;

/// A signal that ends the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// Ctrl-C or Ctrl-Break.
    Interrupted,
    /// SIGTERM, or an end of the session on Windows.
    Terminated,
}

impl Interrupt {
    /// Returns the exit code of a program that the signal has ended, as a shell reports it: 128 and
    /// the number of the signal.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

/// The signals that the process receives.
#[derive(Debug, Clone)]
pub struct Interrupts(watch::Receiver<Option<Interrupt>>);

impl Interrupts {
    /// Begins to listen, on a thread of its own, so that a second signal ends the process even
    /// while its runtime is ending.
    pub fn listen() -> io::Result<Self> {
        let (sender, receiver) = watch::channel(None);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // This is done here, so that no signal is missed.
        let mut signals = {
            let _guard = runtime.enter();
            Signals::new()?
        };
        thread::Builder::new().name("interrupts".to_owned()).spawn(move || {
            runtime.block_on(async {
                sender.send_replace(Some(signals.next().await));
                let second = signals.next().await;
                process::exit(second.exit_code().into());
            });
        })?;
        Ok(Self(receiver))
    }

    /// Waits for the first signal.
    pub async fn first(mut self) -> Interrupt {
        match self.0.wait_for(Option::is_some).await.map(|interrupt| *interrupt) {
            Ok(Some(interrupt)) => interrupt,
            // The thread ends with the process only.
            _ => std::future::pending().await,
        }
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

    async fn next(&mut self) -> Interrupt {
        tokio::select! {
            _ = self.interrupt.recv() => Interrupt::Interrupted,
            _ = self.terminate.recv() => Interrupt::Terminated,
        }
    }
}

#[cfg(windows)]
struct Signals {
    c: tokio::signal::windows::CtrlC,
    r#break: tokio::signal::windows::CtrlBreak,
    close: tokio::signal::windows::CtrlClose,
    logoff: tokio::signal::windows::CtrlLogoff,
    shutdown: tokio::signal::windows::CtrlShutdown,
}

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};
        Ok(Self {
            c: ctrl_c()?,
            r#break: ctrl_break()?,
            close: ctrl_close()?,
            logoff: ctrl_logoff()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    async fn next(&mut self) -> Interrupt {
        tokio::select! {
            _ = self.c.recv() => Interrupt::Interrupted,
            _ = self.r#break.recv() => Interrupt::Interrupted,
            _ = self.close.recv() => Interrupt::Terminated,
            _ = self.logoff.recv() => Interrupt::Terminated,
            _ = self.shutdown.recv() => Interrupt::Terminated,
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

    async fn next(&mut self) -> Interrupt {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Interrupt::Interrupted
    }
}
