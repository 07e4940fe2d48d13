//! The account of the pipeline, its reports on itself, and the totals of the stages that it saw.
//!
//! It promises: the account of a sink adds up at every reading; the totals of stages are
//! counted before any level and any sampling; and an operator hears of trouble on stderr, seldom,
//! and through the sinks that are well, as records under the logger `ragtrace`. A batch of nothing
//! but such records is not reported on, or there were no end of it.
//!
//! It does not promise: accounts that are newer than the worker's last look. The worker
//! publishes one after each step, and whoever asks reads that, so nobody waits for the worker.

mod prometheus;
mod published;
mod self_report;
mod sink_reporter;
mod stage_counts;
mod stage_totals;
mod stats;

pub(crate) use published::Published;
pub(super) use self_report::{SelfReport, add_record};
pub(super) use sink_reporter::SinkReporter;
pub(super) use stage_counts::StageCounts;
pub(crate) use stage_totals::StageTotals;
pub use stats::{Dropped, Report, SinkStats, Stats};
