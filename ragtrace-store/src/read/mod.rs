//! The read side that all databases share: filters, and the traces and rows that are found. It
//! contains no SQL: a database returns rows, and what is built from them does not depend on it.

mod assemble;
mod audit;
mod catalog;
mod condition;
mod costs;
mod critical_path;
mod diff;
mod error_groups;
mod extent;
mod json;
mod limits;
mod log_filter;
mod merge;
mod missing;
mod place;
mod position;
mod retrieval;
mod row;
mod runs;
mod score;
mod score_filter;
mod self_time;
mod stage_series;
mod stage_totals;
mod stats;
mod summary;
mod tail;
mod template;
mod trace;
mod trace_counts;
mod trace_filter;

pub(crate) use assemble::{AssemblyInput, Heartbeat, assemble};
pub(crate) use audit::AuditColumns;
pub use audit::AuditEntry;
pub(crate) use catalog::CatalogColumns;
pub use catalog::CatalogStage;
pub(crate) use condition::{Condition, lower};
pub use costs::CostRow;
pub(crate) use costs::{CostColumns, by_cost};
pub use critical_path::{CriticalPath, PathPart};
pub use diff::{StageDiff, StageRuns, TraceDiff, TraceTotals};
pub(crate) use error_groups::{ErrorColumns, GroupedError, group};
pub use error_groups::{ErrorGroup, ErrorGroups};
#[cfg(feature = "postgres")]
pub(crate) use limits::CANDIDATE_ROWS;
pub(crate) use limits::{
    CANDIDATES, GROUPED_ERRORS, INFLIGHT_ROWS, INFLIGHT_WINDOW, INSTANCE_TIMEOUT, NEARBY, SCORE_ROWS, TAIL_ROWS,
    TRACE_ROWS,
};
pub use log_filter::LogFilter;
pub(crate) use merge::{Merged, merge};
pub use missing::Missing;
pub(crate) use missing::{Recounted, batches, to_ask_about, without_stored};
pub(crate) use place::Place;
pub use position::Position;
pub use retrieval::RetrievalStats;
pub(crate) use retrieval::{RetrievalColumns, of_window};
pub(crate) use row::Columns;
pub use row::LogRow;
pub(crate) use runs::{RunColumns, sum_by_user};
pub(crate) use score::ScoreColumns;
pub use score::ScoreRow;
pub use score_filter::ScoreFilter;
pub use stage_series::StagePoint;
pub(crate) use stage_series::{series, step_micros};
pub use stage_totals::StageTotals;
pub(crate) use stats::{Counted, sum_by_part, sum_by_stage};
pub use stats::{GroupBy, StageStats, Window};
pub(crate) use summary::RequestColumns;
pub use summary::TraceSummary;
pub(crate) use tail::TailPoint;
pub use tail::{Tail, TailCursor};
pub use trace::{SpanNode, SpanStatus, Trace};
pub use trace_counts::TraceCounts;
pub use trace_filter::TraceFilter;
