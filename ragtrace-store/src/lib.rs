//! Databases for ragtrace's records: sinks that write them, and a store that reads them back.
//!
//! ```no_run
//! # #[cfg(feature = "waterfall")]
//! # async fn show() -> Result<(), ragtrace_store::StoreError> {
//! use ragtrace_store::{LogFilter, Waterfall};
//!
//! let store = ragtrace_store::open("sqlite:ragtrace.db").await?;
//! if let Some(trace) = store.latest_trace().await? {
//!     println!("{}", Waterfall::new(&trace));
//! }
//! for row in store.errors(LogFilter::new().user_id("alice")).await? {
//!     println!("{} {}", row.timestamp(), row.message());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Reading never changes a store and never waits for its writer. All values are passed to SQL
//! statements as parameters, and most statements are checked against the tables when this crate is
//! compiled.
//!
//! | feature | adds |
//! | --- | --- |
//! | `sqlite` (default) | `SqliteSink`, and stores at `sqlite:` URLs |
//! | `postgres` | `PostgresSink`, and stores at `postgres://` URLs |
//! | `waterfall` | `Waterfall`, which draws a trace as text for a terminal |
//!
//! Without `sqlite` and `postgres` this crate is empty.
#![cfg(any(feature = "sqlite", feature = "postgres"))]

mod error;
mod fault;
mod object;
#[cfg(feature = "postgres")]
mod postgres;
mod read;
pub mod retention;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod tables;
mod url;
#[cfg(feature = "waterfall")]
mod waterfall;

pub use error::StoreError;
#[cfg(feature = "postgres")]
pub use postgres::PostgresSink;
pub use read::{
    AuditEntry, CatalogStage, CostRow, CriticalPath, ErrorGroup, ErrorGroups, GroupBy, LogFilter, LogRow, Missing,
    PathPart, Position, RetrievalStats, ScoreFilter, ScoreRow, SpanNode, SpanStatus, StageDiff, StagePoint, StageRuns,
    StageStats, StageTotals, Tail, TailCursor, Trace, TraceCounts, TraceDiff, TraceFilter, TraceSummary, TraceTotals,
    Window,
};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteSink, Synchronous};
pub use store::{LogStore, migrate, open, open_as, purge, retain, sink};
#[cfg(feature = "waterfall")]
pub use waterfall::{
    Labels, Waterfall, display_width, fit, format_cost, format_count, format_duration, format_score, printable, wrap,
};
