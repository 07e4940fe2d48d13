//! Finished traces in a list.

use std::time::Duration;

use ragtrace::metrics::RunStatus;
use ragtrace::{Timestamp, TraceId};

use super::position::Position;
use crate::error::StoreError;
use crate::object::Object;
use crate::tables::millis;

/// A finished trace as one process took part in it: the run of its local root.
///
/// A trace that crosses processes has one summary per process. Traces whose records were filtered
/// by level or removed by retention are listed too.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSummary {
    trace_id: TraceId,
    operation: String,
    status: RunStatus,
    ended_at: Timestamp,
    duration: Duration,
    user_id: Option<String>,
    tenant_id: Option<String>,
    session_id: Option<String>,
    number: i64,
}

/// A row of `request_metrics`, the same for every backend.
pub(crate) struct RequestColumns {
    pub(crate) timestamp: String,
    pub(crate) operation: String,
    pub(crate) duration_ms: Option<f64>,
    pub(crate) status: String,
    pub(crate) trace_id: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) tenant_id: Option<String>,
    pub(crate) session_id: Option<String>,
    pub(crate) number: i64,
}

impl TryFrom<RequestColumns> for TraceSummary {
    type Error = StoreError;

    fn try_from(row: RequestColumns) -> Result<Self, StoreError> {
        let ended_at = row.timestamp.parse().ok();
        let trace_id = row.trace_id.as_deref().and_then(|id| id.parse().ok());
        let status = row.status.parse::<RunStatus>().ok();
        let duration = Duration::try_from_secs_f64(row.duration_ms.unwrap_or(0.0) / 1_000.0).unwrap_or_default();
        let (Some(ended_at), Some(trace_id), Some(status)) = (ended_at, trace_id, status) else {
            return Err(StoreError::unreadable_row("request_metrics"));
        };
        let RequestColumns { operation, user_id, tenant_id, session_id, number, .. } = row;
        Ok(Self { trace_id, operation, status, ended_at, duration, user_id, tenant_id, session_id, number })
    }
}

impl TraceSummary {
    /// Returns the trace's id.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// Returns the operation, which is the name of the local root stage.
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// Returns the outcome of the local root.
    pub fn status(&self) -> RunStatus {
        self.status
    }

    /// Returns when the local root ended.
    pub fn ended_at(&self) -> Timestamp {
        self.ended_at
    }

    /// Returns the duration of the local root.
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Returns the id of the user who made the request.
    pub fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    /// Returns the id of the tenant that the user belongs to.
    pub fn tenant_id(&self) -> Option<&str> {
        self.tenant_id.as_deref()
    }

    /// Returns the id of the session that the request belongs to, such as a conversation.
    pub fn session_id(&self) -> Option<&str> {
        self.session_id.as_deref()
    }

    /// Returns the summary's position, with which [`TraceFilter::after`](crate::TraceFilter::after)
    /// gets the next page.
    pub fn position(&self) -> Position {
        Position { timestamp: self.ended_at, id: self.trace_id.as_uuid(), number: self.number }
    }

    /// Returns the summary as one JSON object: `{trace_id, operation, status, ended_at,
    /// duration_ms, user_id, tenant_id, session_id}`.
    pub fn to_json(&self) -> String {
        Object::new()
            .with("trace_id", self.trace_id.to_string())
            .with("operation", self.operation.as_str())
            .with("status", self.status.as_str())
            .with("ended_at", self.ended_at.to_string())
            .with("duration_ms", millis(self.duration))
            .with("user_id", self.user_id.as_deref())
            .with("tenant_id", self.tenant_id.as_deref())
            .with("session_id", self.session_id.as_deref())
            .close()
    }
}
