//! Traces, records, scores, and what else a store lists.

use ragtrace::{Level, TraceId};
use uuid::Uuid;

use super::{Backend, LogStore};
use crate::error::StoreError;
use crate::read::{
    AuditEntry, CatalogStage, LogFilter, LogRow, Merged, Place, ScoreFilter, ScoreRow, Tail, TailCursor, Trace,
    TraceFilter, TraceSummary, assemble, merge,
};

impl LogStore {
    /// Returns the trace with this id, or `None` if nothing was recorded under it. The archive is
    /// searched too.
    pub async fn trace(&self, id: TraceId) -> Result<Option<Trace>, StoreError> {
        let (rows, input) = with_backend!(self, store => store.trace(id))?;
        match assemble(id, rows, &input) {
            Some(trace) => Ok(Some(trace.with_scores(self.scores(id).await?))),
            None => Ok(None),
        }
    }

    /// Returns the scores of a trace and of its spans, oldest first and at most 10,000.
    ///
    /// This includes scores of a trace without records in the store, such as one excluded by
    /// sampling. Retention removes the scores of a trace together with the trace.
    pub async fn scores(&self, trace: TraceId) -> Result<Vec<ScoreRow>, StoreError> {
        with_backend!(self, store => store.scores(trace))
    }

    /// Returns the scores that match, newest first.
    ///
    /// For the next page, pass the last one's position to [`ScoreFilter::after`].
    ///
    /// ```no_run
    /// use ragtrace_store::ScoreFilter;
    ///
    /// # async fn show(store: ragtrace_store::LogStore) -> Result<(), ragtrace_store::StoreError> {
    /// for score in store.recent_scores(ScoreFilter::new().name("helpful")).await? {
    ///     println!("{} {:?}", score.timestamp(), score.value());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn recent_scores(&self, filter: ScoreFilter) -> Result<Vec<ScoreRow>, StoreError> {
        with_backend!(self, store => store.recent_scores(&filter))
    }

    /// Returns the trace of the newest record, or `None` if no record belongs to a trace. The
    /// archive is searched too.
    pub async fn latest_trace(&self) -> Result<Option<Trace>, StoreError> {
        match with_backend!(self, store => store.latest())? {
            Some(id) => self.trace(id).await,
            None => Ok(None),
        }
    }

    /// Returns the finished traces that match, newest first.
    ///
    /// For the next page, pass the last one's position to [`TraceFilter::after`].
    pub async fn traces(&self, filter: TraceFilter) -> Result<Vec<TraceSummary>, StoreError> {
        let limit = filter.limit;
        let mut found = Vec::new();
        for filter in filter.by_name() {
            found.push(self.traces_of_one_name(&filter).await?);
        }
        Ok(merge(found, limit, TraceSummary::position).rows)
    }

    /// Returns up to `limit` traces whose ids begin with the hex digits of `prefix`.
    ///
    /// Hyphens are ignored, and the archive is searched too. The result is empty if `prefix` is
    /// empty or contains other characters.
    pub async fn traces_starting_with(&self, prefix: &str, limit: usize) -> Result<Vec<TraceId>, StoreError> {
        let Some((first, last)) = range_of(prefix) else { return Ok(Vec::new()) };
        let at_most = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut found = Vec::new();
        for place in Place::BOTH {
            found.extend(with_backend!(self, store => store.traces_between(place, (first, last), at_most))?);
        }
        found.sort_unstable_by_key(|id| id.as_u128());
        found.dedup();
        found.truncate(limit);
        Ok(found)
    }

    /// Returns the records that match, newest first, including those in the archive.
    ///
    /// For the next page, pass the last one's position to [`LogFilter::after`].
    pub async fn logs(&self, filter: LogFilter) -> Result<Vec<LogRow>, StoreError> {
        let limit = filter.limit;
        let mut filters = filter.by_name();
        let mut found = Vec::new();
        while found.len() < limit {
            let page = self.next_logs(&filters, limit - found.len()).await?;
            found.extend(page.rows);
            let Some(end) = page.read_up_to else { break };
            for filter in &mut filters {
                filter.after = end;
            }
        }
        Ok(found)
    }

    /// Returns the next rows of all these filters, from both tables. Once one list has enough rows,
    /// the others are not asked for rows older than its last one.
    async fn next_logs(&self, filters: &[LogFilter], wanted: usize) -> Result<Merged<LogRow>, StoreError> {
        let mut lists: Vec<Vec<LogRow>> = Vec::new();
        for place in Place::BOTH {
            for filter in filters {
                let ends = lists.iter().filter(|list| list.len() >= wanted).filter_map(|list| list.last());
                let since = ends.map(|row| row.timestamp()).chain(filter.since).max();
                let mut filter = filter.clone();
                (filter.since, filter.limit) = (since, wanted);
                lists.push(with_backend!(self, store => store.logs(place, &filter))?);
            }
        }
        Ok(merge(lists, wanted, LogRow::position))
    }

    /// Returns the records of level ERROR that match, newest first: failed stages, and errors that
    /// the application logged.
    pub async fn errors(&self, filter: LogFilter) -> Result<Vec<LogRow>, StoreError> {
        self.logs(filter.level(Level::Error)).await
    }

    /// Returns the start records of stages that are running now, as far as the store knows, oldest
    /// first and at most 10,000.
    ///
    /// A stage counts as running if its end is not recorded, and its process has reported to the
    /// store in the last three minutes, as it does every 30 seconds. Stages whose start record is
    /// excluded by the level are missing, and so are stages that began more than a day ago.
    pub async fn inflight(&self) -> Result<Vec<LogRow>, StoreError> {
        with_backend!(self, store => store.inflight())
    }

    /// Returns the rows written since `cursor`, and the cursor for the next call. Without a cursor,
    /// returns no rows and a cursor at the end.
    ///
    /// No row is missed or returned twice, whatever its time, in whichever order its writers
    /// finished, and even if retention has moved it since; only rows that were removed meanwhile
    /// are not returned. If another SQLite file has replaced the one that the cursor belongs to,
    /// all rows of the new file are returned.
    pub async fn tail(&self, cursor: Option<TailCursor>) -> Result<Tail, StoreError> {
        match &self.backend {
            #[cfg(feature = "sqlite")]
            Backend::Sqlite(file) => file.tail(cursor).await,
            #[cfg(feature = "postgres")]
            Backend::Postgres(store) => store.tail(cursor).await,
        }
    }

    /// Returns the newest lines of the audit, newest first and at most `limit`: every purge leaves
    /// one.
    ///
    /// A role of PostgreSQL that may only read some tenants' rows sees none.
    pub async fn audit(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        with_backend!(self, store => store.audit(limit))
    }

    /// Returns the catalog: every stage of the programs that have written to the store, by service
    /// and name.
    pub async fn stages(&self) -> Result<Vec<CatalogStage>, StoreError> {
        with_backend!(self, store => store.stages())
    }
}

/// Returns the first and the last id that begin with these digits.
fn range_of(prefix: &str) -> Option<(Uuid, Uuid)> {
    let digits: String = prefix.chars().filter(|c| *c != '-').collect();
    let well_formed = (1..=32).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let filled = |with: char| {
        let all = format!("{digits}{}", with.to_string().repeat(32 - digits.len()));
        u128::from_str_radix(&all, 16).map(Uuid::from_u128).ok()
    };
    well_formed.then(|| Some((filled('0')?, filled('f')?))).flatten()
}
