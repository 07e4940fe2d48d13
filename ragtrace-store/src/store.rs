//! The store: one of the databases, named by its URL.

use ragtrace::{Level, TraceId};
use uuid::Uuid;

use crate::error::StoreError;
#[cfg(feature = "postgres")]
use crate::postgres::{self, PostgresStore};
use crate::read::{
    CatalogStage, LogFilter, LogRow, Merged, Place, ScoreRow, StageStats, Tail, TailCursor, Trace, TraceFilter,
    TraceSummary, Window, assemble, merge,
};
use crate::retention::{Purge, PurgeReport, Retention, RetentionReport};
#[cfg(feature = "sqlite")]
use crate::sqlite::{self, SqliteFile};
use crate::url::StoreUrl;

/// Opens the store at `url` for reading: `sqlite:` and the path of a file, or a `postgres://` URL
/// as libpq has it. The parameter `schema` of ours names the schema that holds the tables,
/// `ragtrace` if there is none: `postgres://user@host/database?schema=telemetry`. Signs in a name
/// are written by their codes: `schema=My%20App`.
///
/// # Errors
///
/// If the URL names no store, or there is none, or it is of another version or cannot be read.
pub async fn open(url: &str) -> Result<LogStore, StoreError> {
    let backend = match StoreUrl::parse(url)? {
        #[cfg(feature = "sqlite")]
        StoreUrl::Sqlite(path) => Backend::Sqlite(SqliteFile::open(path).await?),
        #[cfg(feature = "postgres")]
        StoreUrl::Postgres(location) => Backend::Postgres(PostgresStore::open(&location).await?),
    };
    Ok(LogStore { backend })
}

/// Creates the store at `url`, or brings its tables up to this version. Sinks do so by themselves;
/// this does it ahead, perhaps under a role that may do more.
///
/// # Errors
///
/// If the URL names no store, or the tables there cannot be made or brought up to this version.
pub async fn migrate(url: &str) -> Result<(), StoreError> {
    match StoreUrl::parse(url)? {
        #[cfg(feature = "sqlite")]
        StoreUrl::Sqlite(path) => Ok(sqlite::migrate(path).await?),
        #[cfg(feature = "postgres")]
        StoreUrl::Postgres(location) => Ok(postgres::migrate(&location).await?),
    }
}

/// Archives and removes what is old enough in the store at `url`. `progress` gets a report of what
/// is done so far now and then. A job that is stopped is finished by running it again.
///
/// # Errors
///
/// If there is no store at `url`, or it cannot be written.
///
/// ```no_run
/// use ragtrace_store::retention::Retention;
///
/// # async fn tidy() -> Result<(), ragtrace_store::StoreError> {
/// let report = ragtrace_store::retain("sqlite:ragtrace.db", &Retention::new().days(14), |_| {}).await?;
/// println!("{} traces archived, {} removed", report.archived, report.removed);
/// # Ok(())
/// # }
/// ```
pub async fn retain(
    url: &str,
    retention: &Retention,
    mut progress: impl FnMut(&RetentionReport) + Send,
) -> Result<RetentionReport, StoreError> {
    match StoreUrl::parse(url)? {
        #[cfg(feature = "sqlite")]
        StoreUrl::Sqlite(path) => Ok(sqlite::retain(path, retention, &mut progress).await?),
        #[cfg(feature = "postgres")]
        StoreUrl::Postgres(location) => Ok(postgres::retain(&location, retention, &mut progress).await?),
    }
}

/// Erases a person from the store at `url`. `progress` gets a report of what is done so far now and
/// then. A job that is stopped is finished by running it again.
///
/// # Errors
///
/// If there is no store at `url`, or it cannot be written.
pub async fn purge(
    url: &str,
    purge: &Purge,
    mut progress: impl FnMut(&PurgeReport) + Send,
) -> Result<PurgeReport, StoreError> {
    match StoreUrl::parse(url)? {
        #[cfg(feature = "sqlite")]
        StoreUrl::Sqlite(path) => Ok(sqlite::purge(path, purge, &mut progress).await?),
        #[cfg(feature = "postgres")]
        StoreUrl::Postgres(location) => Ok(postgres::purge(&location, purge, &mut progress).await?),
    }
}

/// A store that is open for reading. A clone shares its connections.
#[derive(Clone, Debug)]
pub struct LogStore {
    backend: Backend,
}

#[derive(Clone, Debug)]
enum Backend {
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteFile),
    #[cfg(feature = "postgres")]
    Postgres(PostgresStore),
}

/// Asks whichever backend it is. A SQLite file is asked again if it was exchanged, or written to
/// without its reader's locks, meanwhile.
macro_rules! with_backend {
    ($self:expr, $store:ident => $what:expr) => {
        match &$self.backend {
            #[cfg(feature = "sqlite")]
            Backend::Sqlite(file) => {
                let asked = std::time::Instant::now();
                loop {
                    let $store = file.store().await?;
                    let answer: Result<_, StoreError> = $what.await;
                    if file.is_settled(&$store, &answer) {
                        break answer;
                    }
                    if asked.elapsed() > sqlite::PATIENCE {
                        break Err(file.unsettled());
                    }
                    file.pause().await;
                }
            }
            #[cfg(feature = "postgres")]
            Backend::Postgres($store) => $what.await,
        }
    };
}

impl LogStore {
    /// Returns the trace of this id, or `None` if nothing was recorded under it. What retention has
    /// moved is found too.
    pub async fn trace(&self, id: TraceId) -> Result<Option<Trace>, StoreError> {
        let (rows, input) = with_backend!(self, store => store.trace(id))?;
        match assemble(id, rows, &input) {
            Some(trace) => Ok(Some(trace.with_scores(self.scores(id).await?))),
            None => Ok(None),
        }
    }

    /// Returns what was judged of a trace and of its spans, the oldest first and at most 10,000:
    /// also of a trace that has no records here, as one that was left out by sampling. Retention
    /// removes the scores of a trace with it.
    pub async fn scores(&self, trace: TraceId) -> Result<Vec<ScoreRow>, StoreError> {
        with_backend!(self, store => store.scores(trace))
    }

    /// Returns the trace of the newest record, or `None` if no record belongs to a trace. What
    /// retention has moved counts too.
    pub async fn latest_trace(&self) -> Result<Option<Trace>, StoreError> {
        match with_backend!(self, store => store.latest())? {
            Some(id) => self.trace(id).await,
            None => Ok(None),
        }
    }

    /// Returns the finished traces that match, the newest first: an overview, before looking at one
    /// of them. For the next page, ask for what is [after](TraceFilter::after) the last.
    pub async fn traces(&self, filter: TraceFilter) -> Result<Vec<TraceSummary>, StoreError> {
        let limit = filter.limit;
        let mut found = Vec::new();
        for filter in filter.by_name() {
            found.push(with_backend!(self, store => store.traces(&filter))?);
        }
        Ok(merge(found, limit, TraceSummary::position).rows)
    }

    /// Returns the traces, at most `limit`, whose ids begin with these hex digits; hyphens do not
    /// matter. What retention has moved is found too. Empty if there is anything else in `prefix`,
    /// or nothing.
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

    /// Returns the records that match, the newest first, with those that retention has moved. For
    /// the next page, ask for what is [after](LogFilter::after) the last.
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

    /// Returns the next rows of all these filters, from both tables. What is older than the last
    /// row of a list that has enough is not asked of the others.
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

    /// Returns the records of level ERROR that match, the newest first: failed stages, and errors
    /// that an application logged.
    pub async fn errors(&self, filter: LogFilter) -> Result<Vec<LogRow>, StoreError> {
        self.logs(filter.level(Level::Error)).await
    }

    /// Returns what each stage did in a window, by the stages' names: runs, outcomes, items, costs
    /// and percentiles.
    pub async fn stage_stats(&self, window: Window) -> Result<Vec<StageStats>, StoreError> {
        with_backend!(self, store => store.stage_stats(window))
    }

    /// Returns the starts of stages that run at the moment, as far as the store knows, the oldest
    /// first: without an end, and of a process that was heard of in the last three minutes. A stage
    /// whose level hides its start is not among them, nor one that began more than a day ago.
    pub async fn inflight(&self) -> Result<Vec<LogRow>, StoreError> {
        with_backend!(self, store => store.inflight())
    }

    /// Returns what was written since `cursor`, and the cursor to go on from; without one, no rows
    /// yet. No row is missed or given twice, whatever its time says, in whichever order its writers
    /// finished, and also if retention has moved it since; only what was removed meanwhile is not
    /// given. A cursor of another SQLite file, in whose place this one is, begins with the first
    /// row here.
    pub async fn tail(&self, cursor: Option<TailCursor>) -> Result<Tail, StoreError> {
        match &self.backend {
            #[cfg(feature = "sqlite")]
            Backend::Sqlite(file) => file.tail(cursor).await,
            #[cfg(feature = "postgres")]
            Backend::Postgres(store) => store.tail(cursor).await,
        }
    }

    /// Returns the catalog: every stage of the programs that wrote here, by service and name.
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
