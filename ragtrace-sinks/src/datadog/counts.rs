//! Counts of what did not arrive whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of what Datadog's limits cost, since the sinks were made. A clone is the same counts.
///
/// It is counted when it has arrived without what had to go, so once however often it was sent.
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
    /// Returns how many log entries had texts cut, since they were over a megabyte otherwise. Each
    /// has a mark where that was.
    pub fn cut_entries(&self) -> u64 {
        self.0.cut_entries.load(Ordering::Relaxed)
    }

    /// Returns how many fields of log entries were left out, since an entry may have no more than
    /// 255, or since their names, cut to the 49 characters that Datadog takes, are those of others.
    pub fn fields_left_out(&self) -> u64 {
        self.0.fields_left_out.load(Ordering::Relaxed)
    }

    /// Returns how many points of metrics were left out, since they were more than an hour old, or
    /// more than ten minutes ahead.
    pub fn points_left_out(&self) -> u64 {
        self.0.points_left_out.load(Ordering::Relaxed)
    }

    /// Returns how many spans of LLM Observability lost input and output, since they were over five
    /// megabytes.
    pub fn cut_spans(&self) -> u64 {
        self.0.cut_spans.load(Ordering::Relaxed)
    }

    /// Adds what one request lost, which has arrived. One that has to be sent again adds nothing
    /// before.
    pub(super) fn add(&self, losses: Losses) {
        let Counters { cut_entries, fields_left_out, points_left_out, cut_spans } = &*self.0;
        cut_entries.fetch_add(losses.cut_entries, Ordering::Relaxed);
        fields_left_out.fetch_add(losses.fields_left_out, Ordering::Relaxed);
        points_left_out.fetch_add(losses.points_left_out, Ordering::Relaxed);
        cut_spans.fetch_add(losses.cut_spans, Ordering::Relaxed);
    }
}

/// The losses of one request to Datadog's limits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Losses {
    pub(super) cut_entries: u64,
    pub(super) fields_left_out: u64,
    pub(super) points_left_out: u64,
    pub(super) cut_spans: u64,
}
