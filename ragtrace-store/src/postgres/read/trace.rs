//! Reads traces and finds their ids.

use std::collections::{HashMap, HashSet};

use ragtrace::{Event, Timestamp, TraceId};
use uuid::Uuid;

use super::database::PostgresStore;
use super::rows::select_rows;
use crate::error::StoreError;
use crate::postgres::fault::while_reading;
use crate::postgres::session::PgTransaction;
use crate::read::{AssemblyInput, Heartbeat, LogFilter, LogRow, Place, TRACE_ROWS};

impl PostgresStore {
    /// Returns the rows of a trace, and when the processes that wrote them were last seen. A
    /// process that has ended by the second query may have ended a span since the first, which then
    /// must not count as lost, so the rows are read again.
    pub(crate) async fn trace(&self, trace: TraceId) -> Result<(Vec<LogRow>, AssemblyInput), StoreError> {
        let mut connection = self.lookups.acquire().await.map_err(while_reading)?;
        let mut transaction = self.lookups.begin(&mut connection).await.map_err(while_reading)?;
        let mut rows = of_trace(&mut transaction, trace).await?;
        let instances = heartbeats(&mut transaction, &rows).await?;
        if has_open(&rows) && instances.values().any(|heartbeat| heartbeat.ended) {
            rows = of_trace(&mut transaction, trace).await?;
        }
        transaction.commit().await.map_err(while_reading)?;
        connection.finish();
        let truncated = rows.len() > TRACE_ROWS;
        rows.truncate(TRACE_ROWS);
        Ok((rows, AssemblyInput { instances, now: Timestamp::now(), truncated }))
    }

    /// Returns the traces of a table whose ids lie between two ids, both included.
    pub(crate) async fn traces_between(
        &self,
        place: Place,
        (from, to): (Uuid, Uuid),
        limit: i64,
    ) -> Result<Vec<TraceId>, StoreError> {
        let ids =
            match place {
                Place::Logs => {
                    sqlx::query_scalar!(
                        r#"SELECT DISTINCT trace_id AS "trace_id!" FROM logs WHERE trace_id >= $1 AND trace_id <= $2
                    ORDER BY 1 LIMIT $3"#,
                        from,
                        to,
                        limit
                    )
                    .fetch_all(&self.pool)
                    .await
                }
                Place::Archive => sqlx::query_scalar!(
                    r#"SELECT DISTINCT trace_id AS "trace_id!" FROM logs_archive WHERE trace_id >= $1 AND trace_id <= $2
                    ORDER BY 1 LIMIT $3"#,
                    from,
                    to,
                    limit
                )
                .fetch_all(&self.pool)
                .await,
            };
        let ids = ids.map_err(while_reading)?;
        Ok(ids.into_iter().filter_map(|id| TraceId::from_u128(id.as_u128())).collect())
    }

    /// Returns the trace of the newest record.
    pub(crate) async fn latest(&self) -> Result<Option<TraceId>, StoreError> {
        let newest = self.newest_of_a_trace(Place::Logs, LogFilter::new()).await?;
        let newer = match &newest {
            Some(row) => LogFilter::new().since(row.timestamp()),
            None => LogFilter::new(),
        };
        // A row moved between the two queries is found twice, which does no harm.
        let archived = self.newest_of_a_trace(Place::Archive, newer).await?;
        let newest = newest.into_iter().chain(archived).max_by_key(LogRow::position);
        Ok(newest.and_then(|row| row.trace_id()))
    }

    /// Returns the newest matching row of a table that belongs to a trace.
    async fn newest_of_a_trace(&self, place: Place, filter: LogFilter) -> Result<Option<LogRow>, StoreError> {
        let mut filter = filter.limit(100);
        loop {
            let rows = self.logs(place, &filter).await?;
            let Some(last) = rows.last().map(LogRow::position) else { return Ok(None) };
            if let Some(row) = rows.into_iter().find(|row| row.trace_id().is_some()) {
                return Ok(Some(row));
            }
            filter = filter.after(last);
        }
    }
}

/// Returns the rows of a trace from both tables, one more than the limit at most.
async fn of_trace(transaction: &mut PgTransaction<'_>, trace: TraceId) -> Result<Vec<LogRow>, StoreError> {
    let rows = select_rows!(
        ["FROM rows_of_trace($1, $2) r ORDER BY r.timestamp DESC, r.id DESC"],
        trace.as_uuid(),
        i64::try_from(TRACE_ROWS + 1).unwrap_or(i64::MAX)
    );
    rows.fetch_all(transaction).await.map_err(while_reading)?.into_iter().map(LogRow::try_from).collect()
}

/// Returns when the processes that wrote these rows were last seen.
async fn heartbeats(
    transaction: &mut PgTransaction<'_>,
    rows: &[LogRow],
) -> Result<HashMap<Uuid, Heartbeat>, StoreError> {
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let wrote: Vec<Uuid> = rows.iter().map(|row| row.instance()).collect::<HashSet<_>>().into_iter().collect();
    let instances = sqlx::query!(
        r#"SELECT instance, (extract(epoch FROM last_seen_at) * 1000000)::bigint AS "last_seen_at!",
            ended_at IS NOT NULL AS "ended!"
        FROM instances WHERE instance = ANY ($1)"#,
        &wrote
    );
    let instances = instances.fetch_all(transaction).await.map_err(while_reading)?;
    let heartbeats = instances.into_iter().map(|row| {
        (row.instance, Heartbeat { last_seen_at: Timestamp::from_micros(row.last_seen_at), ended: row.ended })
    });
    Ok(heartbeats.collect())
}

/// Returns `true` if a start record among the rows has no end.
fn has_open(rows: &[LogRow]) -> bool {
    let of = |is: fn(Event) -> bool| rows.iter().filter(move |row| is(row.event())).filter_map(|row| row.span_id());
    let ended: HashSet<_> = of(Event::is_end).collect();
    of(|event| event == Event::Started).any(|span| !ended.contains(&span))
}
