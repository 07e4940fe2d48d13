//! Opens and queries a store, which is a database named by a URL.

use ragtrace::{Level, TraceId};
use uuid::Uuid;

use crate::error::{Kind, StoreError};
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

/// Opens the store at `url` for reading.
///
/// The URL is `sqlite:` and the path of a file, or a `postgres://` URL in libpq's form. The
/// additional parameter `schema` of a PostgreSQL URL names the schema that holds the tables, as in
/// `postgres://user@host/database?schema=telemetry`; the default is `ragtrace`. Special characters
/// in a name are percent-encoded: `schema=My%20App`.
///
/// # Errors
///
/// Returns an error if the URL is malformed, or if there is no store, it is of another version, or
/// it cannot be read.
pub async fn open(url: &str) -> Result<LogStore, StoreError> {
    let backend = match StoreUrl::parse(url)? {
        #[cfg(feature = "sqlite")]
        StoreUrl::Sqlite(path) => Backend::Sqlite(SqliteFile::open(path).await?),
        #[cfg(feature = "postgres")]
        StoreUrl::Postgres(location) => Backend::Postgres(PostgresStore::open(&location).await?),
    };
    Ok(LogStore { backend })
}

/// Opens the store at `url` for reading as a PostgreSQL role other than the URL's own.
///
/// Row-level security then limits what is read to the tenants that the role was allowed
/// (`SELECT ragtrace.allow_reader(role, tenant)`). The user of the URL has to be a member of the
/// role. Each transaction takes the role on, so this works through a pooler too.
///
/// # Errors
///
/// Returns an error where [`open`] does, if the user may not take on the role, if the role sees the
/// rows of every tenant, and for a SQLite file, which has no roles.
pub async fn open_as(url: &str, role: &str) -> Result<LogStore, StoreError> {
    match StoreUrl::parse(url)? {
        #[cfg(feature = "sqlite")]
        StoreUrl::Sqlite(_) => {
            let message = format!("a SQLite file has no roles, so it cannot be read as {role:?}: use PostgreSQL");
            Err(StoreError::new(Kind::Url, message))
        }
        #[cfg(feature = "postgres")]
        StoreUrl::Postgres(location) => {
            // The server takes the name `none` for its own role, whatever the quotes.
            if role.eq_ignore_ascii_case("none") || role.is_empty() {
                return Err(StoreError::new(Kind::Url, format!("{role:?} is not a role: name one")));
            }
            let store = PostgresStore::open(&location.role(role)).await?;
            Ok(LogStore { backend: Backend::Postgres(store) })
        }
    }
}

/// Creates the store at `url`, or upgrades its tables to this version.
///
/// Sinks do this by themselves. Call it beforehand to create the tables under a database role that
/// has more rights than the role of the sink.
///
/// # Errors
///
/// Returns an error if the URL is malformed, or the tables cannot be created or upgraded.
pub async fn migrate(url: &str) -> Result<(), StoreError> {
    match StoreUrl::parse(url)? {
        #[cfg(feature = "sqlite")]
        StoreUrl::Sqlite(path) => Ok(sqlite::migrate(path).await?),
        #[cfg(feature = "postgres")]
        StoreUrl::Postgres(location) => Ok(postgres::migrate(&location).await?),
    }
}

/// Archives and removes old traces in the store at `url`.
///
/// `progress` is called from time to time with a report of what is done so far. A job that was
/// stopped is finished by running it again.
///
/// # Errors
///
/// Returns an error if there is no store at `url`, or it cannot be written.
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

/// Erases a user's data from the store at `url`.
///
/// `progress` is called from time to time with a report of what is done so far. A job that was
/// stopped is finished by running it again.
///
/// # Errors
///
/// Returns an error if there is no store at `url`, or it cannot be written.
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

/// A store that is open for reading. Clones share its connections.
///
/// Every method returns an error if the database cannot be read.
/// [`is_retryable`](StoreError::is_retryable) tells whether the same call may succeed later.
///
/// ```no_run
/// use ragtrace_store::LogFilter;
///
/// # async fn show() -> Result<(), ragtrace_store::StoreError> {
/// let store = ragtrace_store::open("postgres://ragtrace@db.example/telemetry").await?;
/// for row in store.logs(LogFilter::new().stage("retrieval").limit(20)).await? {
///     println!("{}", row.to_json());
/// }
/// # Ok(())
/// # }
/// ```
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

/// Queries the backend. The query is repeated if a SQLite file was replaced meanwhile, or written
/// to while it was read without locks.
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
            found.push(with_backend!(self, store => store.traces(&filter))?);
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

    /// Returns the counts of each stage in a time window: runs, outcomes, items, cost and
    /// durations, ordered by the stages' names.
    pub async fn stage_stats(&self, window: Window) -> Result<Vec<StageStats>, StoreError> {
        with_backend!(self, store => store.stage_stats(window))
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
