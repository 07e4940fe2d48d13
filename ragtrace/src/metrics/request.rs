//! Finished requests.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use ragtrace_core::context::Request;
use ragtrace_core::{Event, ParseError, Timestamp};

use crate::TraceId;
use crate::record::Record;

/// The outcome of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RunStatus {
    /// The run returned a value that is not an `Err`.
    Completed,
    /// The run returned an `Err`, or panicked.
    Failed,
    /// The run was dropped before its end.
    Cancelled,
}

impl RunStatus {
    /// Returns the name that tables use: `completed`, `failed` or `cancelled`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub(crate) fn of(event: Event) -> Self {
        match event {
            Event::Failed => Self::Failed,
            Event::Cancelled => Self::Cancelled,
            _ => Self::Completed,
        }
    }
}

impl FromStr for RunStatus {
    type Err = ParseError;

    /// Parses the name that tables use, in lower case only.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let all = [Self::Completed, Self::Failed, Self::Cancelled];
        let found = all.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| ParseError::new("a status (completed, failed or cancelled)", text))
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A finished request: the run of a stage without a parent in this process.
#[derive(Clone, Debug)]
pub struct RequestMetric {
    pub(crate) timestamp: Timestamp,
    pub(crate) operation: Cow<'static, str>,
    pub(crate) duration: Duration,
    pub(crate) status: RunStatus,
    pub(crate) request: Arc<Request>,
}

impl RequestMetric {
    /// The estimated memory of one value in bytes, with a request that nothing else shares.
    pub(crate) const MEMORY: usize = size_of::<Self>() + size_of::<Request>() + 64;

    /// Returns the request that `record` ends, or `None` if it is not the end record of a local
    /// root.
    ///
    /// It is meant for tests of sinks, and for counting stored records again.
    pub fn of(record: &Record) -> Option<Self> {
        let stage = record.stage().filter(|_| record.is_local_root() && record.event().is_end())?;
        Some(Self {
            timestamp: record.timestamp(),
            operation: Cow::Owned(stage.to_owned()),
            duration: record.duration().unwrap_or_default(),
            status: RunStatus::of(record.event()),
            request: Arc::clone(record.request()?),
        })
    }

    /// Returns the time at which the request ended.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// Returns the operation: the name of the local root stage.
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// Returns the time from the start to the end of the request.
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Returns the outcome of the request.
    pub fn status(&self) -> RunStatus {
        self.status
    }

    /// Returns the id of the trace.
    pub fn trace_id(&self) -> TraceId {
        self.request.trace_id
    }

    /// Returns the id of the user that made the request.
    pub fn user_id(&self) -> Option<&str> {
        self.request.user_id.as_deref()
    }

    /// Returns the id of the user's tenant.
    pub fn tenant_id(&self) -> Option<&str> {
        self.request.tenant_id.as_deref()
    }

    /// Returns the id of the session that the request belongs to, such as a conversation.
    pub fn session_id(&self) -> Option<&str> {
        self.request.session_id.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_from_its_name_and_from_nothing_else() {
        for status in [RunStatus::Completed, RunStatus::Failed, RunStatus::Cancelled] {
            assert_eq!(status.as_str().parse::<RunStatus>().expect("its name"), status);
        }
        let error = "Completed".parse::<RunStatus>().expect_err("it has capitals");
        assert_eq!(error.to_string(), "expected a status (completed, failed or cancelled), found \"Completed\"");
    }
}
