//! The error of an installation.

use std::error::Error;
use std::fmt;
use std::io;

use ragtrace_core::ParseError;

/// An error returned when telemetry cannot be installed.
///
/// The message says what to change. Use the predicates to tell the causes apart.
#[derive(Debug)]
pub struct SetupError(Kind);

#[derive(Debug)]
enum Kind {
    Installed,
    Setting(String),
    Thread(io::Error),
}

impl SetupError {
    /// Returns `true` if telemetry is already installed in this process. Shut it down before you
    /// install again.
    pub fn is_already_installed(&self) -> bool {
        matches!(self.0, Kind::Installed)
    }

    /// Returns `true` if a setting, made in code or in the environment, is invalid: it is
    /// malformed, it needs another setting that is missing, or the name of a sink is invalid or
    /// used twice.
    pub fn is_setting(&self) -> bool {
        matches!(self.0, Kind::Setting(_))
    }

    /// Returns `true` if the system refused to start the worker thread.
    ///
    /// [`source`](Error::source) returns the system's error.
    pub fn is_io(&self) -> bool {
        matches!(self.0, Kind::Thread(_))
    }

    pub(super) fn installed() -> Self {
        Self(Kind::Installed)
    }

    pub(super) fn setting(what: impl Into<String>) -> Self {
        Self(Kind::Setting(what.into()))
    }

    pub(super) fn thread(error: io::Error) -> Self {
        Self(Kind::Thread(error))
    }
}

impl From<ParseError> for SetupError {
    fn from(error: ParseError) -> Self {
        Self::setting(error.to_string())
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Installed => f.write_str(
                "telemetry is already installed in this process: call `install` once, at the start of `main`",
            ),
            Kind::Setting(what) => f.write_str(what),
            Kind::Thread(_) => f.write_str("the telemetry thread could not be started"),
        }
    }
}

impl Error for SetupError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Kind::Thread(error) => Some(error),
            Kind::Installed | Kind::Setting(_) => None,
        }
    }
}
