//! What happened to a stage, and why it failed.

use std::borrow::Cow;
use std::fmt;

/// The event that a record reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// A stage began.
    Started,
    /// A stage returned, and not an `Err`.
    Completed,
    /// A stage returned an `Err`, or panicked.
    Failed,
    /// A stage was dropped before its end.
    Cancelled,
    /// A log line that is not a stage's.
    Log,
    /// A judgement on a trace or a span.
    Score,
}

impl Event {
    /// Returns the name in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Log => "log",
            Self::Score => "score",
        }
    }

    /// What a stage's message ends in.
    #[doc(hidden)]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Started => "_started",
            Self::Completed => "_completed",
            Self::Failed => "_failed",
            Self::Cancelled => "_cancelled",
            Self::Log => "_log",
            Self::Score => "_score",
        }
    }

    /// Returns true for the end of a stage.
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// The event of this name.
    #[doc(hidden)]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Started, Self::Completed, Self::Failed, Self::Cancelled, Self::Log, Self::Score]
            .into_iter()
            .find(|event| event.as_str() == name)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The error that a stage failed with.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ErrorInfo {
    pub(crate) type_name: Cow<'static, str>,
    pub(crate) message: String,
    pub(crate) chain: Vec<String>,
}

impl ErrorInfo {
    /// An error as records have it.
    #[doc(hidden)]
    pub fn new(type_name: impl Into<Cow<'static, str>>, message: String, chain: Vec<String>) -> Self {
        Self { type_name: type_name.into(), message, chain }
    }

    /// Type, message and chain, to be changed before anybody has seen them.
    #[doc(hidden)]
    pub fn parts_mut(&mut self) -> (&mut Cow<'static, str>, &mut String, &mut Vec<String>) {
        (&mut self.type_name, &mut self.message, &mut self.chain)
    }

    /// Returns the error's type without its path, or `panic`.
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// Returns the error's own message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the messages of its sources, the nearest first.
    pub fn chain(&self) -> &[String] {
        &self.chain
    }
}

/// An error as a stage records it, with the backtrace if one was taken.
#[derive(Debug, Default)]
pub struct Failure {
    pub(crate) error: ErrorInfo,
    pub(crate) stack_trace: Option<String>,
}

impl Failure {
    /// Makes the failure of a run by `error`.
    #[doc(hidden)]
    pub fn new(error: ErrorInfo) -> Self {
        Self { error, stack_trace: None }
    }
}
