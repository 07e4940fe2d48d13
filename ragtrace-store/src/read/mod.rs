//! The read side that all databases share: filters, and the traces and rows that are found. It
//! contains no SQL: a database returns rows, and what is built from them does not depend on it.

mod assemble;
mod catalog;
mod critical_path;
mod diff;
mod extent;
mod filter;
mod json;
mod limits;
mod merge;
mod place;
mod position;
mod row;
mod score;
mod self_time;
mod stage_totals;
mod stats;
mod summary;
mod tail;
mod trace;

pub(crate) use assemble::{AssemblyInput, Heartbeat, assemble};
pub(crate) use catalog::CatalogColumns;
pub use catalog::CatalogStage;
pub use critical_path::{CriticalPath, PathPart};
pub use diff::{StageDiff, StageRuns, TraceDiff, TraceTotals};
pub use filter::{LogFilter, TraceFilter};
pub(crate) use limits::{INFLIGHT_ROWS, INFLIGHT_WINDOW, INSTANCE_TIMEOUT, SCORE_ROWS, TAIL_ROWS, TRACE_ROWS};
pub(crate) use merge::{Merged, merge};
pub(crate) use place::Place;
pub use position::Position;
pub(crate) use row::Columns;
pub use row::LogRow;
pub(crate) use score::ScoreColumns;
pub use score::ScoreRow;
pub use stage_totals::StageTotals;
pub(crate) use stats::{Counted, sum_by_stage};
pub use stats::{StageStats, Window};
pub(crate) use summary::RequestColumns;
pub use summary::TraceSummary;
pub(crate) use tail::TailPoint;
pub use tail::{Tail, TailCursor};
pub use trace::{SpanNode, SpanStatus, Trace};
