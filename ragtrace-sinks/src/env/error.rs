//! The error of building sinks from the environment.

use std::error::Error;
use std::fmt;

/// An error of building sinks from the environment. Its message says what to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    kind: Kind,
    message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    UnknownSink,
    RepeatedSink,
    MissingFeature,
    MissingVariable,
    MalformedVariable,
}

impl ConfigError {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// Creates the error of a variable with an invalid value.
    #[cfg(feature = "http")]
    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::new(Kind::MalformedVariable, message)
    }

    /// Returns `true` if `RAGTRACE_SINKS` contains a name that is not a backend's.
    pub fn is_unknown_sink(&self) -> bool {
        self.kind == Kind::UnknownSink
    }

    /// Returns `true` if `RAGTRACE_SINKS` names a backend twice.
    pub fn is_repeated_sink(&self) -> bool {
        self.kind == Kind::RepeatedSink
    }

    /// Returns `true` if `RAGTRACE_SINKS` names a backend whose feature is not enabled.
    pub fn is_missing_feature(&self) -> bool {
        self.kind == Kind::MissingFeature
    }

    /// Returns `true` if a variable that a sink needs is not set, or is empty.
    pub fn is_missing_variable(&self) -> bool {
        self.kind == Kind::MissingVariable
    }

    /// Returns `true` if a variable has an invalid value. The message names the variable.
    pub fn is_malformed_variable(&self) -> bool {
        self.kind == Kind::MalformedVariable
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for ConfigError {}
