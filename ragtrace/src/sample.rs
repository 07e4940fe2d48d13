//! The rules that choose which traces are delivered. Metrics count all runs, delivered or not.

use std::time::Duration;

use ragtrace_core::Level;

use crate::TraceId;
use crate::record::Record;

/// Rules that choose which traces are delivered: each as a whole or not at all, within the limits
/// of [`hold`](Self::hold).
///
/// The ratio is applied to the low 56 bits of the trace id, so all processes that share a trace
/// agree without communicating. Traces with errors and slow traces are kept whatever the ratio
/// says. To do so, a process holds the records of each trace that the ratio leaves out, as far as a
/// sink takes them and within the limits of [`hold`](Self::hold), until the trace's local root
/// ends. Each process decides about errors and slowness for itself.
///
/// With [`crate::Durability::Durable`], the held records are on disk as well. If a later process
/// finds such a trace, it was open when its process was killed, so it counts as an error.
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
    /// Traces are kept if the low 56 bits of their id are below this number.
    pub(crate) threshold: u64,
    pub(crate) keeps_errors: bool,
    pub(crate) slower_than: Option<Duration>,
    pub(crate) per_second: Option<u32>,
    pub(crate) held_records: usize,
    pub(crate) held_bytes: usize,
    pub(crate) held_for: Duration,
}

/// The number of random bits in a trace id (W3C Trace Context level 2, section 3.2.2.3.1 "random
/// trace id flag").
const RANDOM_BITS: u32 = 56;

impl Sampler {
    /// Keeps every trace. This is the default.
    pub fn all() -> Self {
        Self::ratio(1.0)
    }

    /// Keeps the given ratio of all traces, from 0 to 1, and every trace with an error.
    ///
    /// Values outside of the range are clamped to it, and NaN keeps every trace.
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

    /// Sets whether traces with a record at level ERROR are kept whatever the ratio says; `true` by
    /// default.
    pub fn keep_errors(mut self, keep: bool) -> Self {
        self.keeps_errors = keep;
        self
    }

    /// Keeps traces with a stage that took at least `duration`, whatever the ratio says.
    pub fn keep_slower_than(mut self, duration: Duration) -> Self {
        self.slower_than = Some(duration);
        self
    }

    /// Limits the number of traces that the ratio keeps in a second.
    ///
    /// Traces with errors and slow traces are kept in addition.
    pub fn per_second(mut self, traces: u32) -> Self {
        self.per_second = Some(traces);
        self
    }

    /// Limits how much is held of traces that may still turn out to have an error or to be slow:
    /// the number and bytes of all held records, and the age of each trace.
    ///
    /// Beyond a limit, the traces that were held longest are left out, as the ratio decided. If
    /// such a trace has an error later, only its later records are delivered. The default is 32,768
    /// records, 16 MiB and one minute.
    pub fn hold(mut self, records: usize, bytes: usize, age: Duration) -> Self {
        (self.held_records, self.held_bytes, self.held_for) = (records, bytes, age);
        self
    }

    /// Returns `true` if the ratio keeps the trace.
    pub(crate) fn is_in_ratio(&self, trace_id: TraceId) -> bool {
        let low = u64::try_from(trace_id.as_u128() & ((1 << RANDOM_BITS) - 1)).unwrap_or(u64::MAX);
        low < self.threshold
    }

    /// Returns `true` if every trace is kept.
    pub(crate) fn samples_all(&self) -> bool {
        self.threshold == 1 << RANDOM_BITS && self.per_second.is_none()
    }

    /// Returns `true` if the record makes its trace kept whatever the ratio says, because it is an
    /// error or ends a slow stage.
    pub(crate) fn always_keeps(&self, record: &Record) -> bool {
        let is_slow = || {
            let duration = record.duration().filter(|_| record.event().is_end());
            self.slower_than.zip(duration).is_some_and(|(limit, duration)| duration >= limit)
        };
        (self.keeps_errors && record.level() >= Level::Error) || is_slow()
    }

    /// Returns `true` if a trace is kept that was open when its process was killed and left these
    /// records. It counts as an error. Where errors are not kept, the ratio decides, unless there
    /// is a cap, which refuses the trace.
    pub(crate) fn keeps_abandoned(&self, trace_id: TraceId, records: &[Record]) -> bool {
        let by_ratio = self.per_second.is_none() && self.is_in_ratio(trace_id);
        self.keeps_errors || by_ratio || records.iter().any(|record| self.always_keeps(record))
    }

    /// Returns `true` if undecided traces have to be held, because some are kept that the ratio or
    /// the cap refuses.
    pub(crate) fn holds_traces(&self) -> bool {
        !self.samples_all() && (self.keeps_errors || self.slower_than.is_some())
    }
}

impl Default for Sampler {
    fn default() -> Self {
        Self::all()
    }
}
