//! Installs telemetry for one test at a time, since a process can have only one.

use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ragtrace::{Builder, Report, Telemetry};

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Telemetry that only this test has.
#[derive(Debug)]
pub struct Installed {
    telemetry: Option<Telemetry>,
    _turn: MutexGuard<'static, ()>,
}

/// Installs `builder`, after the test that has telemetry installed is done with it.
///
/// # Panics
///
/// Panics if it cannot be installed.
pub fn install(builder: Builder) -> Installed {
    let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let telemetry = builder.console(ragtrace::Console::Off).install().expect("nothing else is installed");
    Installed { telemetry: Some(telemetry), _turn: turn }
}

impl Installed {
    /// Calls [`Telemetry::shutdown_blocking`].
    ///
    /// # Panics
    ///
    /// Panics if it was shut down already.
    pub fn shutdown(mut self, timeout: Duration) -> Report {
        self.telemetry.take().expect("it is shut down once").shutdown_blocking(timeout)
    }
}

impl Deref for Installed {
    type Target = Telemetry;

    fn deref(&self) -> &Telemetry {
        self.telemetry.as_ref().expect("it is there until it is shut down")
    }
}
