//! Opens and queries a store, which is a database named by a URL.

use ragtrace::sink::BoxSink;

use crate::error::{Kind, StoreError};
#[cfg(feature = "postgres")]
use crate::postgres::{self, PostgresSink, PostgresStore};
use crate::retention::{Purge, PurgeReport, Retention, RetentionReport};
#[cfg(feature = "sqlite")]
use crate::sqlite::{self, SqliteFile, SqliteSink};
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

/// Returns a sink that writes to the store at `url`.
///
/// The URL is as for [`open`]. Nothing is opened or connected before the first batch, which creates
/// the store if there is none.
///
/// # Errors
///
/// Returns an error if the URL is malformed.
///
/// ```
/// use ragtrace::Sink;
///
/// # fn main() -> Result<(), ragtrace_store::StoreError> {
/// # #[cfg(feature = "sqlite")]
/// assert_eq!(ragtrace_store::sink("sqlite:ragtrace.db")?.name(), "sqlite");
/// assert!(ragtrace_store::sink("ragtrace.db").is_err_and(|error| error.is_bad_url()));
/// # Ok(())
/// # }
/// ```
pub fn sink(url: &str) -> Result<BoxSink, StoreError> {
    match StoreUrl::parse(url)? {
        #[cfg(feature = "sqlite")]
        StoreUrl::Sqlite(path) => Ok(BoxSink::new(SqliteSink::new(path))),
        #[cfg(feature = "postgres")]
        StoreUrl::Postgres(location) => {
            location.check()?;
            Ok(BoxSink::new(PostgresSink::new(url)))
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
            $crate::store::Backend::Sqlite(file) => {
                let asked = std::time::Instant::now();
                loop {
                    let $store = file.store().await?;
                    let answer: Result<_, $crate::error::StoreError> = $what.await;
                    if file.is_settled(&$store, &answer) {
                        break answer;
                    }
                    if asked.elapsed() > $crate::sqlite::PATIENCE {
                        break Err(file.unsettled());
                    }
                    file.pause().await;
                }
            }
            #[cfg(feature = "postgres")]
            $crate::store::Backend::Postgres($store) => $what.await,
        }
    };
}

mod lists;
mod missing;
mod search;
mod statistics;
