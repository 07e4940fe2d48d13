//! Lists of traces, and what is under way.

use std::time::Duration;

use ragtrace::metrics::RunStatus;
use ragtrace::{StageDescriptor, Timestamp, TraceId};

use super::page::Position;
use super::{LogRow, StoreError};
use crate::object::Object;

/// Which requests to list: all that match every part that is set, the newest first, 100 at most unless told otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceFilter {
    pub(super) user: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) operation: Option<String>,
    pub(super) status: Option<RunStatus>,
    pub(super) since: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    pub(super) after: Position,
    pub(super) limit: usize,
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

/// A finished local root: a request as one process served it. A trace that crosses processes has several. Those whose
/// records a level or retention has taken away are listed too.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSummary {
    pub(super) trace_id: TraceId,
    pub(super) operation: String,
    pub(super) status: String,
    pub(super) ended_at: Timestamp,
    pub(super) duration: Duration,
    pub(super) user_id: Option<String>,
    pub(super) tenant_id: Option<String>,
}

/// A row of `request_metrics`, the same for every backend.
pub(super) struct Requested {
    pub(super) timestamp: String,
    pub(super) operation: String,
    pub(super) duration_ms: Option<f64>,
    pub(super) status: String,
    pub(super) trace_id: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) tenant_id: Option<String>,
}

impl TryFrom<Requested> for TraceSummary {
    type Error = StoreError;

    fn try_from(row: Requested) -> Result<Self, StoreError> {
        let ended_at = row.timestamp.parse().ok();
        let trace_id = row.trace_id.as_deref().and_then(|id| id.parse().ok());
        let duration = Duration::try_from_secs_f64(row.duration_ms.unwrap_or(0.0) / 1_000.0).unwrap_or_default();
        let (Some(ended_at), Some(trace_id)) = (ended_at, trace_id) else {
            return Err(StoreError::unreadable_row("request_metrics"));
        };
        let Requested { operation, status, user_id, tenant_id, .. } = row;
        Ok(Self { trace_id, operation, status, ended_at, duration, user_id, tenant_id })
    }
}

impl TraceSummary {
    /// The trace.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The root stage.
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// How it ended: `completed`, `failed` or `cancelled`.
    pub fn status(&self) -> &str {
        &self.status
    }

    /// When it ended.
    pub fn ended_at(&self) -> Timestamp {
        self.ended_at
    }

    /// From its start to its end.
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Who asked.
    pub fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    /// Which tenant the user belongs to.
    pub fn tenant_id(&self) -> Option<&str> {
        self.tenant_id.as_deref()
    }

    /// Where the next page begins, if this is the last of one.
    pub fn position(&self) -> Position {
        Position { timestamp: self.ended_at, id: self.trace_id.as_uuid() }
    }

    /// One JSON object: `{trace_id, operation, status, ended_at, duration_ms, user_id, tenant_id}`.
    pub fn to_json(&self) -> String {
        Object::new()
            .with("trace_id", self.trace_id.to_string())
            .with("operation", self.operation())
            .with("status", self.status())
            .with("ended_at", self.ended_at.to_string())
            .with("duration_ms", crate::tables::millis(self.duration))
            .with("user_id", self.user_id())
            .with("tenant_id", self.tenant_id())
            .close()
    }
}

/// Where a tail has got to. It is of the store that gave it, and of no use after that store was restored from a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TailCursor(pub(super) Place);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The last row, by its number: with one writer at a time numbers grow as rows are committed.
    #[cfg(feature = "sqlite")]
    Row(i64),
    /// What was seen, as snapshots: everything that `seen` shows, and of what `seeing` shows besides what comes up to
    /// a transaction and a record in it.
    #[cfg(feature = "postgres")]
    Snapshot { seen: String, seeing: String, after: (i64, uuid::Uuid) },
}

/// What was written since a cursor.
#[derive(Clone, Debug, PartialEq)]
pub struct Tail {
    /// The rows, in the order they were written as far as there is one; at most 10,000.
    pub rows: Vec<LogRow>,
    /// Where to go on.
    pub cursor: TailCursor,
}
