//! The read side: what was recorded, as traces and as rows.
//!
//! ```no_run
//! use ragtrace_sinks::store::{self, LogFilter, Waterfall};
//!
//! # async fn show() -> Result<(), store::StoreError> {
//! let store = store::open("sqlite:ragtrace.db").await?;
//! if let Some(trace) = store.latest_trace().await? {
//!     println!("{}", Waterfall::new(&trace));
//! }
//! for row in store.errors(LogFilter::new().user("alice")).await? {
//!     println!("{} {}", row.timestamp(), row.message());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Reading never changes a store and never waits for its writer. Every statement is checked against the tables when this
//! crate is compiled, and takes what it is given as parameters.
//!
//! A backend is a module that gives rows; what rows make (`assemble`), their JSON and their picture are the same for all.

mod assemble;
mod error;
mod filter;
mod json;
mod page;
#[cfg(feature = "postgres")]
mod postgres;
mod row;
#[cfg(feature = "sqlite")]
mod sqlite;
mod stats;
mod summary;
mod trace;
mod waterfall;

use std::time::Duration;

use ragtrace::{Level, TraceId};
use uuid::Uuid;

use error::Kind;
#[cfg(feature = "postgres")]
use postgres::PostgresStore;
#[cfg(feature = "sqlite")]
use sqlite::SqliteStore;

pub use error::StoreError;
pub use filter::LogFilter;
pub use page::Position;
pub use row::LogRow;
pub use stats::{CatalogStage, StageStats, Window};
pub use summary::{Tail, TailCursor, TraceFilter, TraceSummary};
pub use trace::{SpanNode, SpanStatus, Trace};
pub use waterfall::{Waterfall, printable};

/// Records of one trace that are read at most.
const TRACE_ROWS: usize = 100_000;
/// Rows that a tail gives at once.
const TAIL_ROWS: usize = 10_000;
/// Starts that are looked at for what is under way.
const INFLIGHT_ROWS: i64 = 10_000;
/// What has been under way for longer is not looked for.
const INFLIGHT_WINDOW: Duration = Duration::from_hours(24);
/// How long a process may be silent before what it had open counts as lost: several times as long as one that lives is
/// silent at most, which is half a minute, so that a slow delivery does not make it lost.
const SILENCE: Duration = Duration::from_mins(3);

/// Opens the store at `url` for reading: `sqlite:` and the path of a file, or `postgres://` and so on as libpq has it.
pub async fn open(url: &str) -> Result<LogStore, StoreError> {
    let backend = match Place::of(url)? {
        #[cfg(feature = "sqlite")]
        Place::Sqlite(path) => Backend::Sqlite(SqliteStore::open(path).await?),
        #[cfg(feature = "postgres")]
        Place::Postgres(target) => Backend::Postgres(PostgresStore::open(&target).await?),
    };
    Ok(LogStore { backend })
}

/// Creates the store at `url`, or brings its tables up to this version. Sinks do so by themselves; this does it ahead,
/// perhaps under a role that may do more.
pub async fn migrate(url: &str) -> Result<(), StoreError> {
    let other = |message: String| StoreError::new(Kind::Other, message);
    match Place::of(url)? {
        #[cfg(feature = "sqlite")]
        Place::Sqlite(path) => crate::sqlite::open::migrate_only(path).await.map_err(|fault| other(fault.to_string())),
        #[cfg(feature = "postgres")]
        Place::Postgres(target) => crate::postgres::migrate(&target).await.map_err(|fault| other(fault.to_string())),
    }
}

/// What a URL leads to.
pub(crate) enum Place<'a> {
    #[cfg(feature = "sqlite")]
    Sqlite(&'a std::path::Path),
    #[cfg(feature = "postgres")]
    Postgres(crate::postgres::Target),
    #[cfg(not(all(feature = "sqlite", feature = "postgres")))]
    #[expect(dead_code, reason = "the lifetime has to be used in every build")]
    Unused(std::convert::Infallible, &'a str),
}

impl<'a> Place<'a> {
    pub(crate) fn of(url: &'a str) -> Result<Self, StoreError> {
        let scheme = url.split_once(':').map_or(url, |(scheme, _)| scheme);
        #[cfg(feature = "sqlite")]
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            let nowhere = || StoreError::new(Kind::Url, format!("{url:?} names no file: write `sqlite:` and a path"));
            return if path.is_empty() { Err(nowhere()) } else { Ok(Self::Sqlite(std::path::Path::new(path))) };
        }
        #[cfg(feature = "postgres")]
        if matches!(scheme, "postgres" | "postgresql") {
            return Ok(Self::Postgres(crate::postgres::Target::from_url(url)));
        }
        let known = "write `sqlite:` and a path, or `postgres://user@host/database`";
        let message = match scheme {
            "sqlite" | "postgres" | "postgresql" if url.len() > scheme.len() => {
                let feature = if scheme == "sqlite" { "sqlite" } else { "postgres" };
                format!("`{scheme}` is not in this build: enable the feature `{feature}` of `ragtrace-sinks`")
            }
            _ => format!("no store is known by {scheme:?}: {known}"),
        };
        Err(StoreError::new(Kind::Url, message))
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
    Sqlite(SqliteStore),
    #[cfg(feature = "postgres")]
    Postgres(PostgresStore),
}

/// The same of whichever backend it is.
macro_rules! each {
    ($self:expr, $store:ident => $what:expr) => {
        match &$self.backend {
            #[cfg(feature = "sqlite")]
            Backend::Sqlite($store) => $what,
            #[cfg(feature = "postgres")]
            Backend::Postgres($store) => $what,
        }
    };
}

impl LogStore {
    /// The trace of this id, or `None` if nothing was recorded under it. What retention has moved is found too.
    pub async fn trace(&self, id: TraceId) -> Result<Option<Trace>, StoreError> {
        let (rows, around) = each!(self, store => store.trace(id).await?);
        Ok(assemble::trace(id, rows, &around))
    }

    /// The trace of the newest record, or `None` if no record belongs to a trace.
    pub async fn latest_trace(&self) -> Result<Option<Trace>, StoreError> {
        match each!(self, store => store.latest().await?) {
            Some(id) => self.trace(id).await,
            None => Ok(None),
        }
    }

    /// Finished requests that match, the newest first: what happened, before looking at one of them.
    pub async fn traces(&self, filter: TraceFilter) -> Result<Vec<TraceSummary>, StoreError> {
        each!(self, store => store.traces(&filter).await)
    }

    /// The traces, at most `limit`, whose ids begin with these hex digits; hyphens do not matter. Empty if there is
    /// anything else in `prefix`, or nothing.
    pub async fn traces_starting_with(&self, prefix: &str, limit: usize) -> Result<Vec<TraceId>, StoreError> {
        let Some((first, last)) = range_of(prefix) else { return Ok(Vec::new()) };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        each!(self, store => store.traces_between(first, last, limit).await)
    }

    /// The records that match, the newest first. For the next page, ask for what is [after](LogFilter::after) the last.
    pub async fn logs(&self, filter: LogFilter) -> Result<Vec<LogRow>, StoreError> {
        each!(self, store => store.logs(&filter).await)
    }

    /// The records of level ERROR that match, the newest first: failed stages, and errors that an application logged.
    pub async fn errors(&self, filter: LogFilter) -> Result<Vec<LogRow>, StoreError> {
        self.logs(filter.level(Level::Error)).await
    }

    /// What each stage did in a window, by the stages' names: runs, outcomes, items, costs and percentiles.
    pub async fn stage_stats(&self, window: Window) -> Result<Vec<StageStats>, StoreError> {
        each!(self, store => store.stage_stats(window).await)
    }

    /// The starts of stages that run at the moment, as far as the store knows, the oldest first: without an end, and of a
    /// process that was heard of in the last three minutes. A stage whose level hides its start is not among them, nor
    /// one that began more than a day ago.
    pub async fn inflight(&self) -> Result<Vec<LogRow>, StoreError> {
        each!(self, store => store.inflight().await)
    }

    /// What was written since `cursor`, and where to go on; nothing yet without one. No row is missed or given twice,
    /// whatever its time says and in whichever order its writers finished.
    pub async fn tail(&self, cursor: Option<TailCursor>) -> Result<Tail, StoreError> {
        each!(self, store => store.tail(cursor).await)
    }

    /// The catalog: every stage of the programs that wrote here, by service and name.
    pub async fn stages(&self) -> Result<Vec<CatalogStage>, StoreError> {
        each!(self, store => store.stages().await)
    }
}

/// The first and the last id that begin with these digits.
fn range_of(prefix: &str) -> Option<(Uuid, Uuid)> {
    let digits: String = prefix.chars().filter(|c| *c != '-').collect();
    let well_formed = (1..=32).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let filled = |with: char| {
        let all = format!("{digits}{}", with.to_string().repeat(32 - digits.len()));
        u128::from_str_radix(&all, 16).map(Uuid::from_u128).ok()
    };
    well_formed.then(|| Some((filled('0')?, filled('f')?))).flatten()
}
