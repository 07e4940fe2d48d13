//! The error of a model that did not embed.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// The error of a model that did not embed.
#[derive(Debug)]
pub struct EmbedError {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    retry: Option<Retry>,
    requests: u32,
}

/// The permission to try a request again.
#[derive(Debug, Clone, Copy)]
struct Retry {
    /// The time that the model asked for, if it did.
    after: Option<Duration>,
}

impl EmbedError {
    /// Creates an error with a message that says what to do. The same request would fail again.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None, retry: None, requests: 0 }
    }

    /// Sets the cause of the error.
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Allows to try the request again, no earlier than `after`.
    pub fn retryable(mut self, after: Option<Duration>) -> Self {
        self.retry = Some(Retry { after });
        self
    }

    /// Returns `true` if the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.retry.is_some()
    }

    /// Returns the time for which the model asked to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry.and_then(|retry| retry.after)
    }

    /// Returns the number of requests that were made before this one was final.
    pub fn requests(&self) -> u32 {
        self.requests
    }

    /// Sets the number of requests that were made, and mentions it if there is more than one.
    pub(super) fn after_requests(mut self, requests: u32, attempts: u32) -> Self {
        self.requests = requests;
        if attempts > 1 {
            self.message = format!("{} (tried {attempts} times)", self.message);
        }
        self
    }
}

impl fmt::Display for EmbedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for EmbedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
