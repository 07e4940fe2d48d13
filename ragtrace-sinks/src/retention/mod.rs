//! What a store forgets: retention by age, and the erasure of a person.
//!
//! **Traces are kept or dropped whole.** A trace belongs to the day of its first record. When that day is old enough it is
//! settled: it moves to the archive if any record in it is an error or if its id falls in the sample, and goes
//! otherwise, with what it wrote past midnight. The verdict is written down, and a late record follows it. A trace is
//! moved or removed in one transaction, or vanishes with the partition of its day; a reader sees it whole, or not.
//!
//! **A job that is stopped goes on where it was.** Every step is small, says when it is done, and does no harm when it is
//! done again. Over PostgreSQL one job runs at a time; others find it running and leave.
//!
//! **A sink may run it** beside its deliveries, if it is asked to: as a task of its own over a connection of its own, an
//! hour apart, started by a delivery that does not wait for it.
//!
//! **What it does not do:** it does not look at who wrote a record.

#[cfg(feature = "postgres")]
pub(crate) mod postgres;
mod purge;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
mod upkeep;

use std::time::Duration;

use ragtrace::{Timestamp, TraceId};

use crate::store::{Place, StoreError};

pub use purge::{Purge, Purged};
pub(crate) use upkeep::Upkeep;

const DAY: Duration = Duration::from_hours(24);

/// How long what is kept.
///
/// ```
/// use ragtrace_sinks::retention::Retention;
///
/// let fortnight = Retention::new().days(14).sample(0.05);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retention {
    pub(crate) days: u32,
    pub(crate) archive_days: u32,
    pub(crate) metrics_days: u32,
    pub(crate) sample: f64,
    pub(crate) keep_errors: bool,
    pub(crate) dry_run: bool,
    pub(crate) now: Option<Timestamp>,
}

impl Default for Retention {
    fn default() -> Self {
        let (days, archive_days, metrics_days) = (7, 30, 90);
        Self { days, archive_days, metrics_days, sample: 0.1, keep_errors: true, dry_run: false, now: None }
    }
}

impl Retention {
    /// Seven days; then errors and a tenth of the rest for thirty days more; metrics for ninety.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whole days that every trace is kept.
    pub fn days(mut self, days: u32) -> Self {
        self.days = days;
        self
    }

    /// Days that a trace stays in the archive after its last record.
    pub fn archive_days(mut self, days: u32) -> Self {
        self.archive_days = days;
        self
    }

    /// Days that requests and counts are kept.
    pub fn metrics_days(mut self, days: u32) -> Self {
        self.metrics_days = days;
        self
    }

    /// The share of traces without an error that goes to the archive, 0 to 1.
    pub fn sample(mut self, share: f64) -> Self {
        self.sample = share.clamp(0.0, 1.0);
        self
    }

    /// Whether every trace with an error goes to the archive, whatever the sample says.
    pub fn keep_errors(mut self, keep: bool) -> Self {
        self.keep_errors = keep;
        self
    }

    /// Says what would be done, and does nothing.
    pub fn dry_run(mut self, dry: bool) -> Self {
        self.dry_run = dry;
        self
    }

    /// Takes this for the present time.
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }

    /// Settles, moves and removes what is old enough in the store at `url`, and says what. `progress` hears what is
    /// done so far now and then.
    pub async fn run(&self, url: &str, mut progress: impl FnMut(&Settled) + Send) -> Result<Settled, StoreError> {
        match Place::of(url)? {
            #[cfg(feature = "sqlite")]
            Place::Sqlite(path) => sqlite::retain(path, self, &mut progress).await,
            #[cfg(feature = "postgres")]
            Place::Postgres(target) => postgres::retain(&target, self, &mut progress).await,
        }
    }

    /// The first instant that is young enough to be left alone.
    fn horizon(&self) -> Timestamp {
        let today = self.now().as_micros().div_euclid(MICROS_PER_DAY) * MICROS_PER_DAY;
        Timestamp::from_micros(today).minus(DAY * self.days)
    }

    fn now(&self) -> Timestamp {
        self.now.unwrap_or_else(Timestamp::now)
    }

    fn archive_horizon(&self) -> Timestamp {
        self.now().minus(DAY * self.archive_days)
    }

    fn metrics_horizon(&self) -> Timestamp {
        self.now().minus(DAY * self.metrics_days)
    }

    /// Whether a trace is in the sample: the same verdict in every process, by bits that are random in its id.
    #[expect(clippy::cast_precision_loss, reason = "a share of 2^56")]
    fn samples(&self, trace: TraceId) -> bool {
        const BITS: u32 = 56;
        // The low bits decide what is shipped at all, if that is sampled. Mixing keeps this choice apart from that.
        let low = u64::try_from(trace.as_u128() & ((1 << BITS) - 1)).unwrap_or_default();
        let mixed = low.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - BITS);
        (mixed as f64) < self.sample * (1_u64 << BITS) as f64
    }

    /// Whether a trace goes to the archive.
    fn keeps(&self, trace: TraceId, has_error: bool) -> bool {
        (self.keep_errors && has_error) || self.samples(trace)
    }
}

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// What retention did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settled {
    /// Days that were settled, as dates, the oldest first.
    pub days: Vec<String>,
    /// Days that are to be settled in all.
    pub days_to_settle: usize,
    /// Traces that went to the archive.
    pub archived: u64,
    /// Traces that went.
    pub removed: u64,
    /// Traces that left the archive.
    pub expired: u64,
    /// Rows of metrics and of our own books that were too old.
    pub metrics: u64,
    /// Whether another job was running, so that this one did nothing.
    pub is_running_elsewhere: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_takes_its_share_and_always_the_same() {
        let retention = Retention::new().sample(0.1);
        let traces: Vec<TraceId> = (0..20_000).map(|_| TraceId::new()).collect();
        let taken = traces.iter().filter(|trace| retention.samples(**trace)).count();
        assert!((1_700..2_300).contains(&taken), "{taken}");
        assert!(traces.iter().all(|trace| Retention::new().sample(1.0).samples(*trace)));
        assert!(!traces.iter().any(|trace| Retention::new().sample(0.0).samples(*trace)));
    }
}
