//! Events that records report, and the errors of failed stages.

use std::borrow::Cow;
use std::fmt;

/// The kind of event that a record reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// A stage started.
    Started,
    /// A stage returned a value other than `Err`.
    Completed,
    /// A stage returned an `Err`, or panicked.
    Failed,
    /// A stage was dropped before it finished.
    Cancelled,
    /// The application logged a line.
    Log,
    /// A trace or a span was given a score.
    Score,
}

impl Event {
    /// Returns the event's name in records, such as `started`.
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

    /// Returns the suffix that a stage's message gets for this event, such as `_started`.
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

    /// Returns `true` if the event ends a stage: completed, failed or cancelled.
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// Returns the event with this name, the inverse of [`Event::as_str`].
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

/// The error of a failed stage, in the form that records keep.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ErrorInfo {
    pub(crate) type_name: Cow<'static, str>,
    pub(crate) message: String,
    pub(crate) chain: Vec<String>,
}

impl ErrorInfo {
    /// Creates an error from its type's name, its message and the messages of its sources.
    #[doc(hidden)]
    pub fn new(type_name: impl Into<Cow<'static, str>>, message: String, chain: Vec<String>) -> Self {
        Self { type_name: type_name.into(), message, chain }
    }

    /// Returns mutable references to the type name, the message and the chain, for changes such as
    /// redaction.
    #[doc(hidden)]
    pub fn parts_mut(&mut self) -> (&mut Cow<'static, str>, &mut String, &mut Vec<String>) {
        (&mut self.type_name, &mut self.message, &mut self.chain)
    }

    /// Returns the error's type name without its module path, or `panic` for a panic.
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// Returns the error's own message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the messages of the error's sources, from the direct cause to the root cause.
    pub fn chain(&self) -> &[String] {
        &self.chain
    }
}

/// An error as a stage records it, with a backtrace if one was captured.
#[derive(Debug, Default)]
pub struct Failure {
    pub(crate) error: ErrorInfo,
    pub(crate) stack_trace: Option<String>,
}

impl Failure {
    /// Creates a failure from `error`, without a backtrace.
    #[doc(hidden)]
    pub fn new(error: ErrorInfo) -> Self {
        Self { error, stack_trace: None }
    }
}
