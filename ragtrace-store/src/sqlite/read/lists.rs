//! Reads the catalog and the audit.

use super::database::SqliteStore;
use crate::error::StoreError;
use crate::read::{AuditColumns, AuditEntry, CatalogColumns, CatalogStage};
use crate::sqlite::fault::while_reading;

impl SqliteStore {
    /// Returns every stage of the catalog.
    pub(crate) async fn stages(&self) -> Result<Vec<CatalogStage>, StoreError> {
        let stages = sqlx::query_as!(
            CatalogColumns,
            "SELECT service, name, kind, level, target, file, line, fields, last_seen_at FROM stages ORDER BY service, name"
        );
        stages.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(CatalogStage::try_from).collect()
    }

    /// Returns the newest lines of the audit, newest first.
    pub(crate) async fn audit(&self, limit: i64) -> Result<Vec<AuditEntry>, StoreError> {
        let entries = sqlx::query_as!(
            AuditColumns,
            "SELECT at, action, actor, subject_hash, reference, details FROM audit ORDER BY number DESC LIMIT ?1",
            limit
        );
        entries.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(AuditEntry::try_from).collect()
    }
}
