//! Looks up which records, requests and counts are stored.

use std::collections::HashSet;

use ragtrace::{Record, TraceId};
use uuid::Uuid;

use super::database::PostgresStore;
use crate::error::StoreError;
use crate::postgres::days::sensible;
use crate::postgres::fault::while_reading;
use crate::postgres::time::PgTime;
use crate::read::{Recounted, to_ask_about};

impl PostgresStore {
    /// Returns the ids of the given records that are stored, in the archive or as scores too.
    ///
    /// Rows have no index by id. They are looked up by their traces, within the days of the
    /// records.
    pub(crate) async fn stored_ids(&self, records: &[Record]) -> Result<HashSet<Uuid>, StoreError> {
        let ids: Vec<Uuid> = records.iter().map(Record::id).collect();
        let mut traces: Vec<Uuid> = records.iter().filter_map(Record::trace_id).map(TraceId::as_uuid).collect();
        traces.sort_unstable();
        traces.dedup();
        let times = || records.iter().map(|record| sensible(record.timestamp().as_micros()));
        let (Some(first), Some(last)) = (times().min(), times().max()) else { return Ok(HashSet::new()) };
        let found = sqlx::query_scalar!(
            r#"SELECT id AS "id!" FROM logs
            WHERE timestamp >= $2 AND timestamp <= $3 AND (trace_id = ANY ($4) OR trace_id IS NULL) AND id = ANY ($1)
            UNION ALL SELECT id FROM logs_archive WHERE id = ANY ($1)
            UNION ALL SELECT id FROM scores WHERE id = ANY ($1)"#,
            &ids,
            PgTime(first) as _,
            PgTime(last) as _,
            &traces
        );
        Ok(found.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().collect())
    }

    /// Returns the requests and runs that are counted, of the traces, minutes and processes that
    /// the given records end in.
    pub(crate) async fn counted(&self, records: &[Record]) -> Result<Recounted, StoreError> {
        let [traces, minutes, instances] = to_ask_about(records);
        let uuids = |texts: &[String]| -> Vec<Uuid> { texts.iter().filter_map(|text| text.parse().ok()).collect() };
        let requests = sqlx::query!(
            r#"SELECT trace_id, operation, to_char(timestamp, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "timestamp!"
            FROM request_metrics WHERE trace_id = ANY ($1)"#,
            &uuids(&traces)
        );
        let requests = requests.fetch_all(&self.pool).await.map_err(while_reading)?;
        let runs = sqlx::query!(
            r#"SELECT to_char(minute, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "minute!", instance, stage, tenant_id
            FROM stage_minutes WHERE minute = ANY ($1::text[]::timestamptz[]) AND instance = ANY ($2)"#,
            &minutes,
            &uuids(&instances)
        );
        let runs = runs.fetch_all(&self.pool).await.map_err(while_reading)?;
        let request = |trace: Uuid| TraceId::from_u128(trace.as_u128()).map(|id| id.to_string()).unwrap_or_default();
        Ok(Recounted {
            requests: requests.into_iter().map(|row| (request(row.trace_id), row.operation, row.timestamp)).collect(),
            minutes: runs
                .into_iter()
                .map(|row| (row.minute, row.instance.to_string(), row.stage, row.tenant_id))
                .collect(),
        })
    }
}
