//! Counts of what did not arrive whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of what Datadog's limits cost, since the sinks were made. A clone is the same counts.
///
/// Records that Datadog refuses are no part of it: they are dead letters, which the telemetry's own
/// account has.
#[derive(Clone, Debug, Default)]
pub struct DatadogCounts(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    cut_entries: AtomicU64,
    fields_left_out: AtomicU64,
    points_left_out: AtomicU64,
    cut_spans: AtomicU64,
}

impl DatadogCounts {
    /// Returns how many log entries had texts cut, since they were over a megabyte otherwise. Each has
    /// a mark where that was.
    pub fn cut_entries(&self) -> u64 {
        self.0.cut_entries.load(Ordering::Relaxed)
    }

    /// Returns how many fields of log entries were left out, since an entry may have no more than 255.
    pub fn fields_left_out(&self) -> u64 {
        self.0.fields_left_out.load(Ordering::Relaxed)
    }

    /// Returns how many points of metrics were left out, since they were more than an hour old, or more
    /// than ten minutes ahead.
    pub fn points_left_out(&self) -> u64 {
        self.0.points_left_out.load(Ordering::Relaxed)
    }

    /// Returns how many spans of LLM Observability lost input and output, since they were over five
    /// megabytes.
    pub fn cut_spans(&self) -> u64 {
        self.0.cut_spans.load(Ordering::Relaxed)
    }

    pub(super) fn add_cut_entry(&self) {
        self.0.cut_entries.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_fields_left_out(&self, number: u64) {
        self.0.fields_left_out.fetch_add(number, Ordering::Relaxed);
    }

    pub(super) fn add_points_left_out(&self, number: u64) {
        self.0.points_left_out.fetch_add(number, Ordering::Relaxed);
    }

    pub(super) fn add_cut_span(&self) {
        self.0.cut_spans.fetch_add(1, Ordering::Relaxed);
    }
}
