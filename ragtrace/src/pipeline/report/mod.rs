//! The counts of the pipeline, its reports on itself, and the totals of all stages.
//!
//! The module promises that the counts of a sink are balanced at every reading; that the totals of
//! stages are counted before any level and sampling; and that an operator hears of trouble, on
//! stderr at a limited rate, and through the sinks that work, as records under the logger
//! `ragtrace`. The delivery of a batch that consists of such records alone is not reported, because
//! that would never end.
//!
//! It does not promise that counts are newer than the worker's last step. The worker publishes
//! counts after each step, and readers get the published ones, so nobody waits for the worker.

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
