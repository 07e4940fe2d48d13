//! Metrics of all runs, whatever the level and the sampler leave out: finished requests, and stages
//! by the minute.
//!
//! A request here is a finished local root: a stage that ran without a parent in its process. The
//! worker counts runs before any filter or sampling, and gives the metrics to the sinks as part of
//! the batches. The metrics of one minute may come in several parts, which the reader of a backend
//! has to add up.

mod meter;
mod minute;
mod request;
mod sketch;

pub(crate) use meter::{EndedRun, Meter};
pub use minute::StageMinute;
pub use request::{RequestMetric, RunStatus};
pub use sketch::DurationSketch;
