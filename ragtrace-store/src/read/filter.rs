//! Which records to read.

use ragtrace::metrics::RunStatus;
use ragtrace::{Level, StageDescriptor, Timestamp, TraceId};

use super::position::Position;

/// Which records to read: all that match every part that is set, the newest first, 1,000 at most unless told otherwise.
///
/// ```
/// use ragtrace::{Level, Timestamp};
/// use ragtrace_store::LogFilter;
/// use std::time::Duration;
///
/// let yesterday = Timestamp::now().minus(Duration::from_secs(86_400));
/// let filter = LogFilter::new().user("alice").level(Level::Warn).since(yesterday).limit(50);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter {
    pub(crate) trace: Option<TraceId>,
    pub(crate) request: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) tenant: Option<String>,
    pub(crate) stage: Option<String>,
    pub(crate) level: Option<Level>,
    pub(crate) since: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    pub(crate) after: Position,
    pub(crate) limit: usize,
}

impl Default for LogFilter {
    fn default() -> Self {
        Self {
            trace: None,
            request: None,
            user: None,
            tenant: None,
            stage: None,
            level: None,
            since: None,
            until: None,
            after: Position::START,
            limit: 1_000,
        }
    }
}

impl LogFilter {
    /// Every record, up to the limit.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records of one trace.
    pub fn trace(mut self, trace: TraceId) -> Self {
        self.trace = Some(trace);
        self
    }

    /// Records of one request.
    pub fn request(mut self, request_id: impl Into<String>) -> Self {
        self.request = Some(request_id.into());
        self
    }

    /// Records of one user.
    pub fn user(mut self, user_id: impl Into<String>) -> Self {
        self.user = Some(user_id.into());
        self
    }

    /// Records of one tenant.
    pub fn tenant(mut self, tenant_id: impl Into<String>) -> Self {
        self.tenant = Some(tenant_id.into());
        self
    }

    /// Records of one stage, by its name, log lines written in it included.
    pub fn stage(mut self, stage: impl Into<String>) -> Self {
        self.stage = Some(stage.into());
        self
    }

    /// Records of one stage, by its descriptor: a stage that is renamed is still found.
    pub fn of(self, stage: &StageDescriptor) -> Self {
        self.stage(stage.name())
    }

    /// Records at least this severe.
    pub fn level(mut self, at_least: Level) -> Self {
        self.level = Some(at_least);
        self
    }

    /// Records at or after this time.
    pub fn since(mut self, since: Timestamp) -> Self {
        self.since = Some(since);
        self
    }

    /// Records before this time.
    pub fn until(mut self, until: Timestamp) -> Self {
        self.until = Some(until);
        self
    }

    /// The page after the record at this position ([`LogRow::position`](crate::LogRow::position)).
    pub fn after(mut self, position: Position) -> Self {
        self.after = position;
        self
    }

    /// At most this many records.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

/// Which requests to list: all that match every part that is set, the newest first, 100 at most unless told otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceFilter {
    pub(crate) user: Option<String>,
    pub(crate) tenant: Option<String>,
    pub(crate) operation: Option<String>,
    pub(crate) status: Option<RunStatus>,
    pub(crate) since: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    pub(crate) after: Position,
    pub(crate) limit: usize,
}

impl Default for TraceFilter {
    fn default() -> Self {
        let (user, tenant, operation, status, since, until) = (None, None, None, None, None, None);
        Self { user, tenant, operation, status, since, until, after: Position::START, limit: 100 }
    }
}

impl TraceFilter {
    /// Every request, up to the limit.
    pub fn new() -> Self {
        Self::default()
    }

    /// Requests of one user.
    pub fn user(mut self, user_id: impl Into<String>) -> Self {
        self.user = Some(user_id.into());
        self
    }

    /// Requests of one tenant.
    pub fn tenant(mut self, tenant_id: impl Into<String>) -> Self {
        self.tenant = Some(tenant_id.into());
        self
    }

    /// Requests whose root is this stage.
    pub fn stage(mut self, stage: impl Into<String>) -> Self {
        self.operation = Some(stage.into());
        self
    }

    /// Requests whose root is this stage, by its descriptor.
    pub fn of(self, stage: &StageDescriptor) -> Self {
        self.stage(stage.name())
    }

    /// Requests that ended so.
    pub fn status(mut self, status: RunStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// Requests that ended at or after this time.
    pub fn since(mut self, since: Timestamp) -> Self {
        self.since = Some(since);
        self
    }

    /// Requests that ended before this time.
    pub fn until(mut self, until: Timestamp) -> Self {
        self.until = Some(until);
        self
    }

    /// The page after the one that ended there.
    pub fn after(mut self, position: Position) -> Self {
        self.after = position;
        self
    }

    /// At most this many.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}
