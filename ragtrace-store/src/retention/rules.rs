//! The rules and the report of retention.

use std::time::Duration;

use ragtrace::{Timestamp, TraceId};

use crate::tables::floor;

const DAY: Duration = Duration::from_hours(24);
/// 0001-01-01 and 9999-12-31, in microseconds since 1970. Between them every database parses an
/// instant as ragtrace writes it. A rule that reaches farther back keeps everything.
const WRITABLE: (i64, i64) = (-62_135_596_800_000_000, 253_402_214_400_000_000);

/// Rules for how long a store keeps traces, its archive and its metrics.
///
/// ```
/// use ragtrace_store::retention::Retention;
///
/// let fortnight = Retention::new().days(14).sample(0.05);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retention {
    days: u32,
    archive_days: u32,
    metrics_days: u32,
    sample: f64,
    keep_errors: bool,
    dry_run: bool,
    shrink: bool,
    now: Option<Timestamp>,
}

impl Default for Retention {
    fn default() -> Self {
        let (days, archive_days, metrics_days) = (7, 30, 90);
        Self {
            days,
            archive_days,
            metrics_days,
            sample: 0.1,
            keep_errors: true,
            dry_run: false,
            shrink: false,
            now: None,
        }
    }
}

impl Retention {
    /// Creates the default rules.
    ///
    /// Every trace is kept for 7 days. Traces with an error and a tenth of the others then move to
    /// the archive, where they stay until 30 days after their last record. Metrics are kept for 90
    /// days.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number of whole days for which every trace is kept. The default is 7.
    ///
    /// A number of days that reaches back beyond the year 1 keeps everything for ever, here and in
    /// the other settings.
    pub fn days(mut self, days: u32) -> Self {
        self.days = days;
        self
    }

    /// Sets the number of days for which a trace stays in the archive after its last record. The
    /// default is 30.
    pub fn archive_days(mut self, days: u32) -> Self {
        self.archive_days = days;
        self
    }

    /// Sets the number of days for which finished requests and counts are kept. The default is 90.
    pub fn metrics_days(mut self, days: u32) -> Self {
        self.metrics_days = days;
        self
    }

    /// Sets the share of the traces without an error that move to the archive, from 0 to 1. The
    /// default is 0.1.
    ///
    /// Values outside the range are clamped, and NaN counts as 0.
    pub fn sample(mut self, ratio: f64) -> Self {
        self.sample = if ratio.is_nan() { 0.0 } else { ratio.clamp(0.0, 1.0) };
        self
    }

    /// Sets whether every trace with an error moves to the archive, regardless of the sample. The
    /// default is `true`.
    pub fn keep_errors(mut self, keep: bool) -> Self {
        self.keep_errors = keep;
        self
    }

    /// Sets whether to report what would be done, without doing it. The default is `false`.
    pub fn dry_run(mut self, dry: bool) -> Self {
        self.dry_run = dry;
        self
    }

    /// Sets whether a SQLite file is rewritten at the end, to give its free space back to the disk.
    /// The default is `false`.
    ///
    /// Writers wait meanwhile, for seconds per gigabyte, and the disk needs as much space again.
    /// Without this the free space is reused before the file grows. It has no effect on PostgreSQL,
    /// which gives back the partitions of whole days anyway.
    pub fn shrink(mut self, shrink: bool) -> Self {
        self.shrink = shrink;
        self
    }

    /// Sets the time that counts as the present. The default is the clock's time.
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }

    /// Returns the first instant that is too recent for retention.
    pub(crate) fn horizon(&self) -> Timestamp {
        let today = floor(self.now().as_micros(), MICROS_PER_DAY);
        before(Timestamp::from_micros(today), self.days)
    }

    fn now(&self) -> Timestamp {
        writable(self.now.unwrap_or_else(Timestamp::now))
    }

    pub(crate) fn archive_horizon(&self) -> Timestamp {
        before(self.now(), self.archive_days)
    }

    pub(crate) fn metrics_horizon(&self) -> Timestamp {
        before(self.now(), self.metrics_days)
    }

    /// Returns `true` if a trace is in the sample. The verdict is the same in every process, since
    /// it depends only on random bits of the id.
    #[expect(clippy::cast_precision_loss, reason = "a ratio of 2^56")]
    fn samples(&self, trace: TraceId) -> bool {
        const BITS: u32 = 56;
        // If shipping is sampled, the low bits have decided that already. Mixing makes this choice
        // independent of that one.
        let low = u64::try_from(trace.as_u128() & ((1 << BITS) - 1)).unwrap_or_default();
        let mixed = low.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - BITS);
        (mixed as f64) < self.sample * (1_u64 << BITS) as f64
    }

    /// Returns `true` if errors are kept, by which rows without a trace are judged too.
    pub(crate) fn keeps_errors(&self) -> bool {
        self.keep_errors
    }

    pub(crate) fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// Returns `true` if a SQLite file is to be rewritten.
    #[cfg(feature = "sqlite")]
    pub(crate) fn shrinks(&self) -> bool {
        self.shrink && !self.dry_run
    }

    /// Returns `true` if a trace moves to the archive.
    pub(crate) fn keeps(&self, trace: TraceId, has_error: bool) -> bool {
        (self.keep_errors && has_error) || self.samples(trace)
    }
}

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Returns the instant that lies `days` days before another.
fn before(at: Timestamp, days: u32) -> Timestamp {
    writable(at.minus(DAY * days))
}

fn writable(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.as_micros().clamp(WRITABLE.0, WRITABLE.1))
}

/// A report of what retention did, or would do in a dry run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetentionReport {
    /// The days whose traces were archived or removed, as dates, oldest first.
    pub days: Vec<String>,
    /// The number of days whose traces are to be archived or removed.
    pub days_in_all: usize,
    /// The number of traces moved to the archive.
    pub archived: u64,
    /// The number of traces removed without being archived.
    pub removed: u64,
    /// The number of traces removed from the archive.
    pub expired: u64,
    /// The number of rows removed from metrics, from scores without a trace, and from the store's
    /// bookkeeping tables.
    pub metrics: u64,
    /// The number of bytes in a SQLite file that are free after this. They are used before the file
    /// grows, and [`shrink`](Retention::shrink) gives them back to the disk. Always 0 for
    /// PostgreSQL.
    pub free_bytes: u64,
    /// `true` if another job was running, so that this job ended early.
    pub is_running_elsewhere: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_beyond_all_time_is_for_ever() {
        for now in [i64::MIN, -1, 0, 1_795_335_611_000_000, i64::MAX].map(Timestamp::from_micros) {
            for days in [0, 1, 3_650, 740_000, 3_000_000, u32::MAX] {
                let retention = Retention::new().at(now).days(days).archive_days(days).metrics_days(days);
                for horizon in [retention.horizon(), retention.archive_horizon(), retention.metrics_horizon()] {
                    let text = horizon.to_string();
                    assert!(text.as_str() >= "0001-01-01T00:00:00.000000Z", "{now} {days}: {text}");
                    assert_eq!(text.parse::<Timestamp>().expect("a time"), horizon, "{now} {days}");
                }
            }
        }
        let for_ever = Retention::new().archive_days(740_000).archive_horizon();
        assert_eq!(for_ever.to_string(), "0001-01-01T00:00:00.000000Z");
        assert!(!Retention::new().sample(f64::NAN).samples(TraceId::new()));
    }

    #[test]
    fn the_sample_takes_its_ratio_and_always_the_same() {
        let retention = Retention::new().sample(0.1);
        let traces: Vec<TraceId> = (0..20_000).map(|_| TraceId::new()).collect();
        let taken = traces.iter().filter(|trace| retention.samples(**trace)).count();
        assert!((1_700..2_300).contains(&taken), "{taken}");
        assert!(traces.iter().all(|trace| Retention::new().sample(1.0).samples(*trace)));
        assert!(!traces.iter().any(|trace| Retention::new().sample(0.0).samples(*trace)));
    }
}
