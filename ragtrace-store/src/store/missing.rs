//! Which records a store does not have yet.

use ragtrace::Record;

use super::LogStore;
use crate::error::StoreError;
use crate::read::{Missing, batches, without_stored};

impl LogStore {
    /// Returns those of the records that are not stored yet, as batches for the store's
    /// [`sink`](crate::sink), with the counts that are missing too.
    ///
    /// A record is recognized by its id. The runs that missing records end are counted unless the
    /// process that made them had counted them. Records of about the same time are looked up
    /// fastest, a few thousand at once.
    pub async fn missing(&self, records: Vec<Record>) -> Result<Missing, StoreError> {
        let ids = with_backend!(self, store => store.stored_ids(&records))?;
        let (records, stored) = without_stored(records, &ids);
        let counted = with_backend!(self, store => store.counted(&records))?;
        Ok(Missing { batches: batches(records, &counted), stored })
    }
}
