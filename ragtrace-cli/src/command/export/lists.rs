//! The lists of a store that are exported.

use ragtrace::{Timestamp, TraceId};
use ragtrace_store::{LogFilter, LogRow, LogStore, ScoreFilter, ScoreRow, StoreError};

use super::pages::NewestFirst;

/// The records of a store that a filter selects.
pub(super) struct Records<'a> {
    pub(super) store: &'a LogStore,
    pub(super) filter: LogFilter,
    pub(super) trace: Option<TraceId>,
}

impl NewestFirst for Records<'_> {
    type Row = LogRow;

    async fn rows(
        &self,
        since: Option<i64>,
        until: Option<i64>,
        after: Option<&LogRow>,
        limit: usize,
    ) -> Result<Vec<LogRow>, StoreError> {
        let mut filter = self.filter.clone().limit(limit);
        if let Some(since) = since {
            filter = filter.since(Timestamp::from_micros(since));
        }
        if let Some(until) = until {
            filter = filter.until(Timestamp::from_micros(until));
        }
        if let Some(after) = after {
            filter = filter.after(after.position());
        }
        self.store.logs(filter).await
    }

    async fn newest_before(&self, until: i64) -> Result<Option<Timestamp>, StoreError> {
        let mut filter = LogFilter::new().until(Timestamp::from_micros(until)).limit(1);
        if let Some(trace) = self.trace {
            filter = filter.trace_id(trace);
        }
        Ok(self.store.logs(filter).await?.first().map(|row| row.timestamp()))
    }

    fn time(row: &LogRow) -> Timestamp {
        row.timestamp()
    }
}

/// The scores of a store, or of one trace.
pub(super) struct Scores<'a> {
    pub(super) store: &'a LogStore,
    pub(super) trace: Option<TraceId>,
}

impl NewestFirst for Scores<'_> {
    type Row = ScoreRow;

    async fn rows(
        &self,
        since: Option<i64>,
        until: Option<i64>,
        after: Option<&ScoreRow>,
        limit: usize,
    ) -> Result<Vec<ScoreRow>, StoreError> {
        let [since, until] = [since, until].map(|at| at.map(Timestamp::from_micros));
        let mut rows = match self.trace {
            Some(trace) => self.of_trace(trace, since, until).await?,
            None => return self.of_all(since, until, after, limit).await,
        };
        rows.retain(|row| after.is_none_or(|after| row.position() < after.position()));
        rows.truncate(limit);
        Ok(rows)
    }

    async fn newest_before(&self, until: i64) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.rows(None, Some(until), None, 1).await?.first().map(|row| row.timestamp()))
    }

    fn time(row: &ScoreRow) -> Timestamp {
        row.timestamp()
    }
}

impl Scores<'_> {
    async fn of_trace(
        &self,
        trace: TraceId,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<Vec<ScoreRow>, StoreError> {
        let mut rows = self.store.scores(trace).await?;
        rows.retain(|row| since.is_none_or(|since| row.timestamp() >= since));
        rows.retain(|row| until.is_none_or(|until| row.timestamp() < until));
        rows.reverse();
        Ok(rows)
    }

    async fn of_all(
        &self,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        after: Option<&ScoreRow>,
        limit: usize,
    ) -> Result<Vec<ScoreRow>, StoreError> {
        let mut filter = ScoreFilter::new().limit(limit);
        if let Some(since) = since {
            filter = filter.since(since);
        }
        if let Some(until) = until {
            filter = filter.until(until);
        }
        if let Some(after) = after {
            filter = filter.after(after.position());
        }
        self.store.recent_scores(filter).await
    }
}
