//! The traces before and after one in the list that led to it, and the run before of its operation.
//!
//! A list goes from new to old only, so the newer neighbour is the last row of a list that begins
//! where this trace ended. How far that list has to reach is not known: it grows until it has a
//! row, and shrinks if it has too many.

use std::time::Duration;

use ragtrace::{Timestamp, TraceId};
use ragtrace_store::{LogStore, StoreError, Trace, TraceFilter, TraceSummary};
use serde::Serialize;

use crate::view::list::AFTER;
use crate::view::params::Params;
use crate::view::problem::Problem;
use crate::view::session::Session;
use crate::view::traces::filter;

/// The number of rows among which a neighbour is looked for: more than end in one microsecond.
const ROWS: usize = 200;
/// The first window in which a newer trace is looked for.
const WINDOW: Duration = Duration::from_mins(1);
/// The number of windows that are tried. Each is eight times as long, or half as long, as another.
const TRIES: usize = 24;
/// The resolution of the store's times.
const MICROSECOND: Duration = Duration::from_micros(1);

/// The ids of the neighbours, where there are any.
#[derive(Serialize)]
pub(super) struct Neighbours {
    newer: Option<String>,
    older: Option<String>,
    run_before: Option<String>,
}

/// Finds the neighbours of a trace in the list whose query is the parameter `from`.
pub(super) async fn find(session: &Session, params: &Params, trace: &Trace) -> Result<Neighbours, Problem> {
    let id = trace.trace_id();
    // A trace that has not ended is in no list: it is newer than all of them.
    let Some(root) = trace.roots().find(|root| root.duration().is_some()) else {
        let newest = session.store().traces(list(params)?.limit(1)).await?;
        return Ok(Neighbours { newer: None, older: text(newest.first()), run_before: None });
    };
    let ended_at = root.record().timestamp();
    let around = Around { store: session.store(), id, ended_at };
    Ok(Neighbours {
        newer: text(around.newer(&list(params)?).await?.as_ref()),
        older: text(around.older(list(params)?).await?.as_ref()),
        run_before: text(around.older(TraceFilter::new().operation(root.stage())).await?.as_ref()),
    })
}

fn list(params: &Params) -> Result<TraceFilter, Problem> {
    let query = Params::of(params.get("from").unwrap_or_default())?;
    filter::parse(&query.without(&[AFTER, "limit"]))
}

fn text(row: Option<&TraceSummary>) -> Option<String> {
    row.map(|row| row.trace_id().to_string())
}

/// A trace's place in time.
struct Around<'a> {
    store: &'a LogStore,
    id: TraceId,
    ended_at: Timestamp,
}

impl Around<'_> {
    async fn older(&self, filter: TraceFilter) -> Result<Option<TraceSummary>, StoreError> {
        let rows = self.store.traces(filter.until(self.ended_at.plus(MICROSECOND)).limit(ROWS)).await?;
        // Rows of the same microsecond that the list has before this trace are not older.
        let own = rows.iter().position(|row| row.trace_id() == self.id);
        let first = own.map_or(0, |own| own + 1);
        Ok(rows.into_iter().skip(first).find(|row| row.trace_id() != self.id && row.ended_at() <= self.ended_at))
    }

    async fn newer(&self, filter: &TraceFilter) -> Result<Option<TraceSummary>, StoreError> {
        let now = Timestamp::now();
        let (mut shortest, mut window) = (Duration::ZERO, WINDOW);
        for _ in 0..TRIES {
            let until = self.ended_at.plus(window);
            let rows = self.store.traces(filter.clone().since(self.ended_at).until(until).limit(ROWS)).await?;
            let own = rows.iter().position(|row| row.trace_id() == self.id);
            let before = own.unwrap_or(rows.len());
            let is_whole = rows.len() < ROWS || own.is_some();
            match rows[..before].iter().rfind(|row| row.trace_id() != self.id) {
                Some(row) if is_whole => return Ok(Some(row.clone())),
                // The nearest is beyond the rows that were read.
                Some(_) => window = shortest + (window.saturating_sub(shortest)) / 2,
                None if until > now => return Ok(None),
                None => (shortest, window) = (window, window.saturating_mul(8)),
            }
        }
        Ok(None)
    }
}
