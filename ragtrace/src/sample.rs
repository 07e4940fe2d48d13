//! The sampling rules: which traces are shipped. Metrics are counted of all.

use std::time::Duration;

use ragtrace_core::Level;

use crate::TraceId;
use crate::record::Record;

/// Rules that choose the traces that are delivered, whole or not at all.
///
/// The ratio goes by the low 56 bits of the trace id, so all processes of a trace agree, without a
/// word between them. Errors and slow traces are kept whatever the ratio says; for that, a process
/// holds the records of each other trace that any sink takes until its local root ends, within
/// bounds. This verdict is the process's own.
///
/// With [`crate::Durability::Durable`] what is held is on disk too. A trace that is found there by
/// a later process was open when its own was killed, so it counts as an error.
///
/// ```
/// use std::time::Duration;
/// use ragtrace::Sampler;
///
/// let sampler = Sampler::ratio(0.05).keep_slower_than(Duration::from_secs(5)).per_second(100);
/// # let _ = ragtrace::builder().sample(sampler);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampler {
    /// Traces whose low 56 bits are below it are kept.
    pub(crate) threshold: u64,
    pub(crate) keeps_errors: bool,
    pub(crate) slower_than: Option<Duration>,
    pub(crate) per_second: Option<u32>,
    pub(crate) held_records: usize,
    pub(crate) held_bytes: usize,
    pub(crate) held_for: Duration,
}

/// The bits of a trace id that are random (W3C Trace Context level 2, section 3.2.2.3.1 "random
/// trace id flag").
const RANDOM_BITS: u32 = 56;

impl Sampler {
    /// Keeps every trace.
    pub fn all() -> Self {
        Self::ratio(1.0)
    }

    /// Keeps this ratio of all traces, 0 to 1, and every trace with an error.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 2^56, which is exact")]
    pub fn ratio(ratio: f64) -> Self {
        let ratio = if ratio.is_nan() { 1.0 } else { ratio.clamp(0.0, 1.0) };
        Self {
            threshold: (ratio * 2f64.powi(RANDOM_BITS.cast_signed())) as u64,
            keeps_errors: true,
            slower_than: None,
            per_second: None,
            held_records: 32_768,
            held_bytes: 16 << 20,
            held_for: Duration::from_mins(1),
        }
    }

    /// Sets whether traces with a record at level ERROR are kept whatever the ratio says. By
    /// default they are.
    pub fn keep_errors(mut self, keep: bool) -> Self {
        self.keeps_errors = keep;
        self
    }

    /// Keeps traces with a stage that took at least this long, whatever the ratio says.
    pub fn keep_slower_than(mut self, duration: Duration) -> Self {
        self.slower_than = Some(duration);
        self
    }

    /// Sets how many traces the ratio keeps a second at most. Errors and slow traces come on top.
    pub fn per_second(mut self, traces: u32) -> Self {
        self.per_second = Some(traces);
        self
    }

    /// Sets how much of undecided traces is held: records and bytes of all, and the age of each.
    /// Beyond, the ratio decides. The default is 32,768 records, 16 MiB and a minute.
    pub fn hold(mut self, records: usize, bytes: usize, age: Duration) -> Self {
        (self.held_records, self.held_bytes, self.held_for) = (records, bytes, age);
        self
    }

    /// Returns whether the ratio keeps a trace.
    pub(crate) fn is_in_ratio(&self, trace_id: TraceId) -> bool {
        let low = u64::try_from(trace_id.as_u128() & ((1 << RANDOM_BITS) - 1)).unwrap_or(u64::MAX);
        low < self.threshold
    }

    /// Returns whether nothing is ever left out.
    pub(crate) fn samples_all(&self) -> bool {
        self.threshold == 1 << RANDOM_BITS && self.per_second.is_none()
    }

    /// Returns whether a record has its trace kept whatever the ratio says: it is an error, or a
    /// slow stage's end.
    pub(crate) fn always_keeps(&self, record: &Record) -> bool {
        let is_slow = || {
            let duration = record.duration().filter(|_| record.event().is_end());
            self.slower_than.zip(duration).is_some_and(|(limit, duration)| duration >= limit)
        };
        (self.keeps_errors && record.level() >= Level::Error) || is_slow()
    }

    /// Returns whether a trace is kept that was open when its process was killed, and of which
    /// these records are left: it did not come to a good end, so it is an error. Where those are
    /// not kept, the ratio decides, unless a cap refused it.
    pub(crate) fn keeps_abandoned(&self, trace_id: TraceId, records: &[Record]) -> bool {
        let by_ratio = self.per_second.is_none() && self.is_in_ratio(trace_id);
        self.keeps_errors || by_ratio || records.iter().any(|record| self.always_keeps(record))
    }

    /// Returns whether traces are held until they are decided, since something is kept that the
    /// ratio or the cap refuses.
    pub(crate) fn holds_traces(&self) -> bool {
        !self.samples_all() && (self.keeps_errors || self.slower_than.is_some())
    }
}

impl Default for Sampler {
    fn default() -> Self {
        Self::all()
    }
}
