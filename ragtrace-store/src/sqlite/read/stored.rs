//! Looks up which records, requests and counts are stored.

use std::collections::HashSet;

use ragtrace::Record;
use serde_json::Value as Json;
use uuid::Uuid;

use super::database::SqliteStore;
use crate::error::StoreError;
use crate::read::{Recounted, to_ask_about};
use crate::sqlite::fault::while_reading;

impl SqliteStore {
    /// Returns the ids of the given records that are stored, in the archive or as scores too.
    pub(crate) async fn stored_ids(&self, records: &[Record]) -> Result<HashSet<Uuid>, StoreError> {
        let ids = records.iter().map(|record| record.id().to_string()).collect::<Json>().to_string();
        let found = sqlx::query_scalar!(
            "SELECT id AS \"id!\" FROM logs WHERE id IN (SELECT value FROM json_each(?1))
            UNION ALL SELECT id FROM logs_archive WHERE id IN (SELECT value FROM json_each(?1))
            UNION ALL SELECT id FROM scores WHERE id IN (SELECT value FROM json_each(?1))",
            ids
        );
        let found = found.fetch_all(&self.pool).await.map_err(while_reading)?;
        Ok(found.iter().filter_map(|id| id.parse().ok()).collect())
    }

    /// Returns the requests and runs that are counted, of the traces, minutes and processes that
    /// the given records end in.
    pub(crate) async fn counted(&self, records: &[Record]) -> Result<Recounted, StoreError> {
        let [traces, minutes, instances] = to_ask_about(records).map(|texts| Json::from(texts).to_string());
        let requests = sqlx::query!(
            "SELECT trace_id AS \"trace_id!\", operation AS \"operation!\", timestamp AS \"timestamp!\" FROM request_metrics INDEXED BY request_metrics_trace
            WHERE trace_id IN (SELECT value FROM json_each(?1))",
            traces
        );
        let requests = requests.fetch_all(&self.pool).await.map_err(while_reading)?;
        let runs = sqlx::query!(
            "SELECT minute AS \"minute!\", instance AS \"instance!\", stage AS \"stage!\", tenant_id AS \"tenant_id!\"
            FROM stage_minutes
            WHERE minute IN (SELECT value FROM json_each(?1)) AND instance IN (SELECT value FROM json_each(?2))",
            minutes,
            instances
        );
        let runs = runs.fetch_all(&self.pool).await.map_err(while_reading)?;
        Ok(Recounted {
            requests: requests.into_iter().map(|row| (row.trace_id, row.operation, row.timestamp)).collect(),
            minutes: runs.into_iter().map(|row| (row.minute, row.instance, row.stage, row.tenant_id)).collect(),
        })
    }
}
