//! Reports on trouble with one sink and on its end, on stderr and as records for the other sinks.

use std::fmt::Display;
use std::time::{Duration, Instant};

use super::self_report::SelfReport;
use crate::record::Record;
use crate::sink::Batch;
use crate::warning::{self, RateLimitedWarning};

/// The shortest time between two reports of deliveries, which are reported together.
const SHIPPED_INTERVAL: Duration = Duration::from_secs(1);

/// Collects the reports on one sink.
#[derive(Debug)]
pub(crate) struct SinkReporter {
    sink: String,
    reports: Vec<SelfReport>,
    /// The numbers of batches and records that were delivered but not reported yet.
    shipped: (u64, u64),
    shipped_at: Option<Instant>,
    failing: RateLimitedWarning,
    parked: RateLimitedWarning,
    dropped: RateLimitedWarning,
    counts_dropped: RateLimitedWarning,
    dead_lettered: RateLimitedWarning,
    warned: RateLimitedWarning,
}

impl SinkReporter {
    pub(crate) fn new(sink: String) -> Self {
        Self {
            sink,
            reports: Vec::new(),
            shipped: (0, 0),
            shipped_at: None,
            failing: RateLimitedWarning::default(),
            parked: RateLimitedWarning::default(),
            dropped: RateLimitedWarning::default(),
            counts_dropped: RateLimitedWarning::default(),
            dead_lettered: RateLimitedWarning::default(),
            warned: RateLimitedWarning::default(),
        }
    }

    /// Removes and returns the reports since the last call.
    pub(crate) fn take(&mut self, now: Instant) -> Vec<SelfReport> {
        let is_due = self.shipped_at.is_none_or(|at| now.duration_since(at) >= SHIPPED_INTERVAL);
        if self.shipped.0 > 0 && is_due {
            let (batches, records) = std::mem::take(&mut self.shipped);
            self.shipped_at = Some(now);
            self.reports.push(SelfReport::Shipped { batches, records });
        }
        std::mem::take(&mut self.reports)
    }

    /// Reports the delivery of a batch, unless it consists of the pipeline's own reports alone,
    /// because reporting that would never end.
    pub(crate) fn report_shipped(&mut self, batch: &Batch) {
        if !batch.records().iter().all(Record::is_self_report) {
            self.shipped.0 += 1;
            self.shipped.1 += batch.records().len() as u64;
        }
    }

    /// Reports that the sink fails and its records wait.
    pub(crate) fn report_failing(&mut self, why: &impl Display) {
        let sink = &self.sink;
        if self.failing.warn(1, |_| format!("sink {sink} fails and is tried again: {why}")) {
            self.reports.push(SelfReport::Failing { why: why.to_string() });
        }
    }

    /// Reports that the sink is parked.
    pub(crate) fn report_parked(&mut self, why: &str) {
        let sink = &self.sink;
        if self.parked.warn(1, |_| format!("sink {sink} is parked until its configuration is corrected: {why}")) {
            self.reports.push(SelfReport::Parked { why: why.to_owned() });
        }
    }

    /// Reports that the sink accepts records again, if it was reported as failing or parked.
    pub(crate) fn report_recovered(&mut self) {
        let (was_failing, was_parked) = (self.failing.clear(), self.parked.clear());
        if was_failing || was_parked {
            warning::print(&format!("sink {} accepts records again", self.sink));
            self.reports.push(SelfReport::Recovered);
        }
    }

    /// Reports that records were dropped.
    pub(crate) fn report_dropped(&mut self, records: u64, why: &str) {
        let sink = &self.sink;
        let mut warned_of = 0;
        let message = |records| {
            warned_of = records;
            format!("sink {sink}: {records} records dropped: {why}")
        };
        if self.dropped.warn(records, message) {
            self.reports.push(SelfReport::Dropped { records: warned_of, why: why.to_owned() });
        }
    }

    /// Reports that metrics were dropped.
    pub(crate) fn report_counts_dropped(&mut self, counts: u64, why: &str) {
        let sink = &self.sink;
        let mut warned_of = 0;
        let message = |counts| {
            warned_of = counts;
            format!("sink {sink}: {counts} metrics of requests and stages dropped: {why}")
        };
        if self.counts_dropped.warn(counts, message) {
            self.reports.push(SelfReport::CountsDropped { counts: warned_of, why: why.to_owned() });
        }
    }

    /// Reports that the backend refused records for good.
    pub(crate) fn report_dead_lettered(&mut self, records: u64, why: &str) {
        let sink = &self.sink;
        self.dead_lettered.warn(records, |records| format!("sink {sink}: {records} records refused for good: {why}"));
    }

    /// Reports a warning of a backend that accepted all records.
    pub(crate) fn report_warned(&mut self, why: &str) {
        let sink = &self.sink;
        self.warned.warn(1, |_| format!("sink {sink}: the backend accepted all records, and warns: {why}"));
    }
}
