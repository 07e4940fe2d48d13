//! Reads traces from the store of a sink: a SQLite file or a PostgreSQL database.

use std::error::Error;
use std::fmt;

use ragtrace::TraceId;

use crate::trace_view::TraceView;

/// The store, if the stage logs go to one.
#[derive(Debug)]
pub(crate) struct History(#[cfg(any(feature = "sqlite", feature = "postgres"))] stored::Stored);

impl History {
    /// Returns the store at `url`, which is opened when it is first read.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn at(url: Option<&str>) -> Self {
        Self(stored::Stored::at(url))
    }

    /// Returns the trace with this id, if there is a store and the trace is in it.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) async fn trace(&self, id: TraceId) -> Result<Option<TraceView>, HistoryError> {
        self.0.trace(id).await
    }

    /// Returns no store, since this build has none.
    #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
    pub(crate) fn at(_: Option<&str>) -> Self {
        Self()
    }

    /// Returns `None`, since this build has no store.
    #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
    #[expect(clippy::unused_async, reason = "with a store it waits")]
    pub(crate) async fn trace(&self, _: TraceId) -> Result<Option<TraceView>, HistoryError> {
        Ok(None)
    }
}

/// The error of a store that cannot be read.
#[derive(Debug)]
pub(crate) struct HistoryError(Box<dyn Error + Send + Sync>);

impl fmt::Display for HistoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stage logs cannot be read")
    }
}

impl Error for HistoryError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.0.as_ref())
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod stored {
    use std::sync::Arc;
    use std::time::Duration;

    use ragtrace::TraceId;
    use ragtrace_sinks::store::{self, LogStore, Trace};
    use tokio::sync::OnceCell;
    use tokio::time::{Instant, sleep};

    use super::HistoryError;
    use crate::run_view::{Judgement, Line, Run};
    use crate::trace_view::TraceView;

    /// The longest wait for a store that the sink is just creating. `LOOK_AGAIN` is the interval
    /// between two attempts.
    const BEING_MADE: Duration = Duration::from_secs(1);
    const LOOK_AGAIN: Duration = Duration::from_millis(50);

    #[derive(Debug)]
    pub(super) struct Stored {
        url: Option<String>,
        /// Opened with the first query, since the sink creates the store with its first batch, and
        /// then kept.
        store: OnceCell<LogStore>,
    }

    impl Stored {
        pub(super) fn at(url: Option<&str>) -> Self {
            Self { url: url.map(str::to_owned), store: OnceCell::new() }
        }

        pub(super) async fn trace(&self, id: TraceId) -> Result<Option<TraceView>, HistoryError> {
            let Some(url) = &self.url else { return Ok(None) };
            let deadline = Instant::now() + BEING_MADE;
            loop {
                let trace = match self.store.get_or_try_init(|| store::open(url)).await {
                    Ok(store) => store.trace(id).await,
                    Err(error) => Err(error),
                };
                match trace {
                    Ok(trace) => return Ok(trace.as_ref().map(view)),
                    // Nothing was written yet.
                    Err(error) if error.is_missing() => return Ok(None),
                    // The store exists, but maybe its tables do not.
                    Err(_) if !self.store.initialized() && Instant::now() < deadline => sleep(LOOK_AGAIN).await,
                    Err(error) => return Err(HistoryError(error.into())),
                }
            }
        }
    }

    fn view(trace: &Trace) -> TraceView {
        let owner = trace.tenant_id();
        let is_owners = |tenant: Option<&str>| tenant == owner;
        let runs = trace.spans().filter(|span| is_owners(span.record().tenant_id()));
        let rows = trace.logs().iter().filter(|row| is_owners(row.tenant_id()));
        TraceView {
            id: trace.trace_id(),
            status: trace.status().as_str(),
            duration: trace.duration(),
            user_id: trace.user_id().map(Into::into),
            tenant_id: owner.map(Into::into),
            runs: runs.filter_map(|span| Some((Arc::new(Run::of(span.record())?), span.status().as_str()))).collect(),
            lines: rows.filter_map(|row| Line::of(row.record())).map(Arc::new).collect(),
            scores: trace
                .scores()
                .iter()
                .filter_map(|row| Some(Judgement::of(row.record(), row.record().score()?)))
                .collect(),
        }
    }
}
