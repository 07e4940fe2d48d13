//! Counts of data that Datadog's limits cut or excluded.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of what the sinks had to cut or leave out because of Datadog's limits.
///
/// Clones share the same counts. Something is counted once, when its request has arrived, however
/// often the request was sent. Records that Datadog refuses are not counted here: they become dead
/// letters, which are part of the telemetry's own statistics.
///
/// ```
/// use ragtrace_sinks::DatadogSink;
///
/// let datadog = DatadogSink::new("an API key");
/// let counts = datadog.counts();
/// let builder = ragtrace::builder().sink(datadog);
/// // Later, for a status page:
/// println!("{} fields left out", counts.fields_left_out());
/// # let _ = builder;
/// ```
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
    /// Returns the number of log entries whose texts were cut because the entry was over a
    /// megabyte. Each cut text has a mark.
    pub fn cut_entries(&self) -> u64 {
        self.0.cut_entries.load(Ordering::Relaxed)
    }

    /// Returns the number of log fields that were left out, because an entry had more than 255
    /// attributes, or a name cut to 49 characters equals another one.
    pub fn fields_left_out(&self) -> u64 {
        self.0.fields_left_out.load(Ordering::Relaxed)
    }

    /// Returns the number of metric points that were left out, because they were more than an hour
    /// old or more than ten minutes in the future.
    pub fn points_left_out(&self) -> u64 {
        self.0.points_left_out.load(Ordering::Relaxed)
    }

    /// Returns the number of LLM Observability spans that lost input and output because they were
    /// over five megabytes.
    pub fn cut_spans(&self) -> u64 {
        self.0.cut_spans.load(Ordering::Relaxed)
    }

    /// Adds the losses of one request that has arrived. A request that has to be sent again adds
    /// nothing before.
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
