//! Counts of every run, whether its records are logged or not: finished requests, and stages by the
//! minute. A request is a finished local root: a stage that ran without a parent in its process.
//!
//! The worker counts before any filter or sampling, and hands the counts to the sinks with the
//! batches. Counts of one minute may come in several parts, which are added up where they are
//! stored.

mod meter;
mod minute;
mod request;
mod sketch;

pub(crate) use meter::{EndedRun, Meter};
pub use minute::StageMinute;
pub use request::{RequestMetric, RunStatus};
pub use sketch::DurationSketch;
