//! How much is read at once, and how long a process may be silent.

use std::time::Duration;

/// Records of one trace that are read at most.
pub(crate) const TRACE_ROWS: usize = 100_000;
/// Scores of one trace that are read at most.
pub(crate) const SCORE_ROWS: i64 = 10_000;
/// Rows that a tail gives at once.
pub(crate) const TAIL_ROWS: usize = 10_000;
/// Starts that are looked at for what is under way.
pub(crate) const INFLIGHT_ROWS: i64 = 10_000;
/// The age from which on what is under way is not looked for.
pub(crate) const INFLIGHT_WINDOW: Duration = Duration::from_hours(24);
/// How long a process may be silent before what it had open counts as lost: several times as long
/// as one that lives is silent at most, which is half a minute, so that a slow delivery does not
/// make it lost.
pub(crate) const INSTANCE_TIMEOUT: Duration = Duration::from_mins(3);
