//! Reads finished traces.

use ragtrace::TraceId;
use ragtrace::metrics::RunStatus;
use serde_json::json;

use super::database::SqliteStore;
use crate::error::StoreError;
use crate::read::{RequestColumns, TraceCounts, TraceFilter, TraceSummary};
use crate::sqlite::fault::while_reading;
use crate::tables::millis;

/// A filter in the form in which statements take it.
struct Parameters<'a> {
    since: String,
    /// The last instant that may match. An index is read from there, and not from the newest row.
    up_to: String,
    user_id: Option<&'a str>,
    tenant_id: Option<&'a str>,
    session_id: Option<&'a str>,
    operation: Option<&'a str>,
    status: Option<&'static str>,
    longer_than: Option<f64>,
    limit: i64,
    after_time: String,
    after_id: String,
    after_number: i64,
}

impl<'a> Parameters<'a> {
    fn of(filter: &'a TraceFilter) -> Self {
        Self {
            // Every time sorts after the empty string.
            since: filter.since.map_or_else(String::new, |since| since.to_string()),
            up_to: filter.after.last_instant(filter.until).to_string(),
            user_id: filter.user_id.as_deref(),
            tenant_id: filter.tenant_id.as_deref(),
            session_id: filter.session_id.as_deref(),
            operation: filter.operation.as_deref(),
            status: filter.status.map(RunStatus::as_str),
            longer_than: filter.longer_than.map(millis),
            limit: i64::try_from(filter.limit).unwrap_or(i64::MAX),
            after_time: filter.after.timestamp.to_string(),
            after_id: filter.after.id.to_string(),
            after_number: filter.after.number,
        }
    }
}

/// The index by which rows are found.
enum By {
    Session,
    User,
    Operation,
    Tenant,
    /// The index on time also has the outcome and the duration, so that rows of another outcome are
    /// passed over without being read.
    Time,
}

impl By {
    fn of(filter: &TraceFilter) -> Self {
        let is_rare = filter.status.is_some_and(|status| status != RunStatus::Completed);
        match filter {
            TraceFilter { session_id: Some(_), .. } => Self::Session,
            TraceFilter { user_id: Some(_), .. } => Self::User,
            _ if is_rare => Self::Time,
            TraceFilter { operation: Some(_), .. } => Self::Operation,
            TraceFilter { tenant_id: Some(_), .. } => Self::Tenant,
            _ => Self::Time,
        }
    }
}

/// Selects the rows that match a filter, by an index under a condition on the index's column.
macro_rules! select_requests {
    ($parameters:expr, $index:literal, $condition:literal $(, $more:expr)?) => {
        sqlx::query_as!(
            RequestColumns,
            "SELECT timestamp, operation, duration_ms, status, trace_id, user_id, tenant_id, session_id, number AS \"number!\"
            FROM request_metrics INDEXED BY " + $index + " WHERE " + $condition +
            " AND timestamp >= ?1 AND timestamp <= ?2 AND (timestamp, trace_id, number) < (?3, ?4, ?5)
                AND (?6 IS NULL OR status = ?6) AND (?7 IS NULL OR duration_ms >= ?7)
                AND (?8 IS NULL OR user_id = ?8) AND (?9 IS NULL OR tenant_id = ?9)
                AND (?10 IS NULL OR session_id = ?10) AND (?11 IS NULL OR operation = ?11)
            ORDER BY timestamp DESC, trace_id DESC, number DESC LIMIT ?12",
            $parameters.since,
            $parameters.up_to,
            $parameters.after_time,
            $parameters.after_id,
            $parameters.after_number,
            $parameters.status,
            $parameters.longer_than,
            $parameters.user_id,
            $parameters.tenant_id,
            $parameters.session_id,
            $parameters.operation,
            $parameters.limit
            $(, $more)?
        )
    };
}

/// Counts the rows of each step that match a filter, by an index under a condition on the index's
/// column. Each step is counted along the index, without sorting.
macro_rules! count_requests {
    ($parameters:expr, $steps:expr, $index:literal, $condition:literal) => {
        sqlx::query_as!(
            Step,
            "SELECT CAST(steps.key AS INTEGER) AS \"step!: i64\", (
                SELECT json_array(
                    count(*) FILTER (WHERE status = 'completed'), count(*) FILTER (WHERE status = 'failed'),
                    count(*) FILTER (WHERE status = 'cancelled'))
                FROM request_metrics INDEXED BY "
                + $index
                + " WHERE "
                + $condition
                + " AND timestamp >= max(?1, steps.value ->> 0) AND timestamp < steps.value ->> 1 AND timestamp <= ?2
                    AND (?3 IS NULL OR status = ?3) AND (?4 IS NULL OR duration_ms >= ?4)
                    AND (?5 IS NULL OR user_id = ?5) AND (?6 IS NULL OR tenant_id = ?6)
                    AND (?7 IS NULL OR session_id = ?7) AND (?8 IS NULL OR operation = ?8)
                ) AS \"counts!: String\"
            FROM json_each(?9) AS steps",
            $parameters.since,
            $parameters.up_to,
            $parameters.status,
            $parameters.longer_than,
            $parameters.user_id,
            $parameters.tenant_id,
            $parameters.session_id,
            $parameters.operation,
            $steps
        )
    };
}

/// The counts of one step: of traces that completed, failed and were cancelled, as JSON.
struct Step {
    step: i64,
    counts: String,
}

impl SqliteStore {
    /// Returns finished traces, newest first. Conditions on records are not considered.
    pub(crate) async fn traces(&self, filter: &TraceFilter) -> Result<Vec<TraceSummary>, StoreError> {
        let parameters = Parameters::of(filter);
        macro_rules! fetch {
            ($index:literal, $condition:literal) => {
                select_requests!(parameters, $index, $condition).fetch_all(&self.pool).await
            };
        }
        let rows = match By::of(filter) {
            By::Session => fetch!("request_metrics_session", "session_id = ?10"),
            By::User => fetch!("request_metrics_user", "user_id = ?8"),
            By::Operation => fetch!("request_metrics_operation", "operation = ?11"),
            By::Tenant => fetch!("request_metrics_tenant", "tenant_id = ?9"),
            By::Time => fetch!("request_metrics_time", "true"),
        };
        rows.map_err(while_reading)?.into_iter().map(TraceSummary::try_from).collect()
    }

    /// Returns those of the traces that match, newest first. Conditions on records are not
    /// considered.
    pub(crate) async fn traces_of(
        &self,
        filter: &TraceFilter,
        traces: &[TraceId],
    ) -> Result<Vec<TraceSummary>, StoreError> {
        let parameters = Parameters::of(filter);
        let traces = ids(traces);
        let rows = select_requests!(
            parameters,
            "request_metrics_trace",
            "trace_id IN (SELECT value FROM json_each(?13))",
            traces
        );
        rows.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(TraceSummary::try_from).collect()
    }

    /// Counts finished traces by step and outcome. Conditions on records are not considered.
    pub(crate) async fn trace_counts(
        &self,
        filter: &TraceFilter,
        mut steps: Vec<TraceCounts>,
    ) -> Result<Vec<TraceCounts>, StoreError> {
        let parameters = Parameters::of(filter);
        let limits = steps.iter().map(|step| json!([step.from().to_string(), step.until().to_string()]));
        let limits = limits.collect::<serde_json::Value>().to_string();
        macro_rules! fetch {
            ($index:literal, $condition:literal) => {
                count_requests!(parameters, limits, $index, $condition).fetch_all(&self.pool).await
            };
        }
        let counted = match By::of(filter) {
            By::Session => fetch!("request_metrics_session", "session_id = ?7"),
            By::User => fetch!("request_metrics_user", "user_id = ?5"),
            By::Operation => fetch!("request_metrics_operation", "operation = ?8"),
            By::Tenant => fetch!("request_metrics_tenant", "tenant_id = ?6"),
            By::Time => fetch!("request_metrics_time", "true"),
        };
        for Step { step, counts } in counted.map_err(while_reading)? {
            let step = usize::try_from(step).ok().and_then(|step| steps.get_mut(step));
            let counts: Option<[u64; 3]> = serde_json::from_str(&counts).ok();
            let (Some(step), Some([completed, failed, cancelled])) = (step, counts) else { continue };
            step.add(RunStatus::Completed, completed);
            step.add(RunStatus::Failed, failed);
            step.add(RunStatus::Cancelled, cancelled);
        }
        Ok(steps)
    }
}

/// Returns ids as a JSON array.
pub(super) fn ids(traces: &[TraceId]) -> String {
    json!(traces.iter().map(TraceId::to_string).collect::<Vec<_>>()).to_string()
}
