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
mod row;
mod sqlite;
mod trace;
mod waterfall;

use std::path::Path;

use ragtrace::{Level, TraceId};

use error::Kind;
use sqlite::SqliteStore;

pub use error::StoreError;
pub use filter::LogFilter;
pub use row::LogRow;
pub use trace::{SpanNode, SpanStatus, Trace};
pub use waterfall::{Waterfall, printable};

/// Opens the store at `url` for reading: `sqlite:` and the path of a file.
pub async fn open(url: &str) -> Result<LogStore, StoreError> {
    match Place::of(url)? {
        Place::Sqlite(path) => Ok(LogStore { backend: Backend::Sqlite(SqliteStore::open(path).await?) }),
    }
}

/// Creates the store at `url`, or brings its tables up to this version. Sinks do so by themselves; this does it ahead.
pub async fn migrate(url: &str) -> Result<(), StoreError> {
    match Place::of(url)? {
        Place::Sqlite(path) => crate::sqlite::open::migrate_only(path)
            .await
            .map_err(|fault| StoreError::new(Kind::Other, fault.to_string())),
    }
}

/// What a URL leads to.
enum Place<'a> {
    Sqlite(&'a Path),
}

impl<'a> Place<'a> {
    fn of(url: &'a str) -> Result<Self, StoreError> {
        let path = url.strip_prefix("sqlite:").map(|rest| rest.strip_prefix("//").unwrap_or(rest));
        match path {
            Some("") => Err(StoreError::new(Kind::Url, format!("{url:?} names no file: write `sqlite:` and a path"))),
            Some(path) => Ok(Self::Sqlite(Path::new(path))),
            None => {
                let scheme = url.split_once(':').map_or(url, |(scheme, _)| scheme);
                let message = format!("no store is known by {scheme:?}: write `sqlite:` and a path");
                Err(StoreError::new(Kind::Url, message))
            }
        }
    }
}

/// A store that is open for reading. A clone shares its connections.
#[derive(Clone, Debug)]
pub struct LogStore {
    backend: Backend,
}

#[derive(Clone, Debug)]
enum Backend {
    Sqlite(SqliteStore),
}

impl LogStore {
    /// The trace of this id, or `None` if nothing was recorded under it.
    pub async fn trace(&self, id: TraceId) -> Result<Option<Trace>, StoreError> {
        let (rows, around) = match &self.backend {
            Backend::Sqlite(store) => store.trace(id).await?,
        };
        Ok(assemble::trace(id, rows, &around))
    }

    /// The trace of the newest record, or `None` if no record belongs to a trace.
    pub async fn latest_trace(&self) -> Result<Option<Trace>, StoreError> {
        let latest = match &self.backend {
            Backend::Sqlite(store) => store.latest().await?,
        };
        match latest {
            Some(id) => self.trace(id).await,
            None => Ok(None),
        }
    }

    /// The traces, at most `limit`, whose ids begin with these hex digits; hyphens do not matter. Empty if there is
    /// anything else in `prefix`, or nothing.
    pub async fn traces_starting_with(&self, prefix: &str, limit: usize) -> Result<Vec<TraceId>, StoreError> {
        let Some((first, last)) = range_of(prefix) else { return Ok(Vec::new()) };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        match &self.backend {
            Backend::Sqlite(store) => store.traces_between(&first, &last, limit).await,
        }
    }

    /// The records that match, the newest first.
    pub async fn logs(&self, filter: LogFilter) -> Result<Vec<LogRow>, StoreError> {
        match &self.backend {
            Backend::Sqlite(store) => store.logs(&filter).await,
        }
    }

    /// The records of level ERROR that match, the newest first: failed stages, and errors that an application logged.
    pub async fn errors(&self, filter: LogFilter) -> Result<Vec<LogRow>, StoreError> {
        self.logs(filter.level(Level::Error)).await
    }
}

/// The first and the last id, as they are printed, that begin with these digits.
fn range_of(prefix: &str) -> Option<(String, String)> {
    let digits: String = prefix.chars().filter(|c| *c != '-').collect();
    let well_formed = (1..=32).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let filled =
        |with: char| u128::from_str_radix(&format!("{digits}{}", with.to_string().repeat(32 - digits.len())), 16);
    let printed = |bits: u128| uuid::Uuid::from_u128(bits).to_string();
    let (first, last) = well_formed.then(|| (filled('0'), filled('f')))?;
    Some((printed(first.ok()?), printed(last.ok()?)))
}
