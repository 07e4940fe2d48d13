//! Limits of what is read at once, and the time after which a silent process counts as lost.

use std::time::Duration;

/// The largest number of records read of one trace.
pub(crate) const TRACE_ROWS: usize = 100_000;
/// The largest number of scores read of one trace.
pub(crate) const SCORE_ROWS: i64 = 10_000;
/// The largest number of rows that one call of a tail returns.
pub(crate) const TAIL_ROWS: usize = 10_000;
/// The largest number of open starts that a list of running stages reads.
pub(crate) const INFLIGHT_ROWS: i64 = 10_000;
/// The age from which on an open start is not listed as running.
pub(crate) const INFLIGHT_WINDOW: Duration = Duration::from_hours(24);
/// The time after which a silent process counts as lost, with everything it had open. A live
/// process is heard of every half minute; this is several times as long, so that a slow delivery
/// does not make it lost.
pub(crate) const INSTANCE_TIMEOUT: Duration = Duration::from_mins(3);
/// The largest number of errors that are grouped.
pub(crate) const GROUPED_ERRORS: usize = 100_000;
/// The largest number of traces that are looked up one by one after an index has found them. If
/// more traces meet a condition, walking back in time meets them soon.
pub(crate) const CANDIDATES: usize = 5_000;
/// The time before and after the traces of a search within which their records are looked for.
pub(crate) const NEARBY: Duration = Duration::from_hours(24);
/// The largest number of rows among which candidates are looked for where a database cannot tell
/// traces apart while it reads.
#[cfg(feature = "postgres")]
pub(crate) const CANDIDATE_ROWS: usize = 20_000;
