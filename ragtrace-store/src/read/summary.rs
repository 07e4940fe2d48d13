//! Finished requests in a list.

use std::time::Duration;

use ragtrace::{Timestamp, TraceId};
use serde_json::json;

use super::position::Position;
use crate::error::StoreError;
use crate::tables::millis;

/// A finished local root: a request as one process served it. A trace that crosses processes has several. Those whose
/// records a level or retention has taken away are listed too.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSummary {
    pub(crate) trace_id: TraceId,
    pub(crate) operation: String,
    pub(crate) status: String,
    pub(crate) ended_at: Timestamp,
    pub(crate) duration: Duration,
    pub(crate) user_id: Option<String>,
    pub(crate) tenant_id: Option<String>,
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
}

impl TryFrom<RequestColumns> for TraceSummary {
    type Error = StoreError;

    fn try_from(row: RequestColumns) -> Result<Self, StoreError> {
        let ended_at = row.timestamp.parse().ok();
        let trace_id = row.trace_id.as_deref().and_then(|id| id.parse().ok());
        let duration = Duration::try_from_secs_f64(row.duration_ms.unwrap_or(0.0) / 1_000.0).unwrap_or_default();
        let (Some(ended_at), Some(trace_id)) = (ended_at, trace_id) else {
            return Err(StoreError::unreadable_row("request_metrics"));
        };
        let RequestColumns { operation, status, user_id, tenant_id, .. } = row;
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
        let summary = json!({
            "trace_id": self.trace_id.to_string(), "operation": self.operation, "status": self.status,
            "ended_at": self.ended_at.to_string(), "duration_ms": millis(self.duration),
            "user_id": self.user_id, "tenant_id": self.tenant_id,
        });
        summary.to_string()
    }
}
