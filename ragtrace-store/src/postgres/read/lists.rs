//! Reads the catalog and the audit.

use super::database::PostgresStore;
use crate::error::StoreError;
use crate::postgres::fault::while_reading;
use crate::read::{AuditColumns, AuditEntry, CatalogColumns, CatalogStage};

impl PostgresStore {
    /// Returns every stage of the catalog.
    pub(crate) async fn stages(&self) -> Result<Vec<CatalogStage>, StoreError> {
        let stages = sqlx::query_as!(
            CatalogColumns,
            r#"SELECT service, name, kind, level, target, file, line, fields::text AS "fields!",
                to_char(last_seen_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "last_seen_at!"
            FROM stages ORDER BY service, name"#
        );
        stages.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(CatalogStage::try_from).collect()
    }

    /// Returns the newest lines of the audit, newest first. A tenant's reader sees none.
    pub(crate) async fn audit(&self, limit: i64) -> Result<Vec<AuditEntry>, StoreError> {
        let entries = sqlx::query_as!(
            AuditColumns,
            r#"SELECT to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "at!", action, actor, subject_hash, reference,
                details::text AS "details!"
            FROM audit ORDER BY number DESC LIMIT $1"#,
            limit
        );
        entries.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(AuditEntry::try_from).collect()
    }
}
