//! Runs of a stage by the minute and tenant.

use std::borrow::Cow;
use std::time::Duration;

use ragtrace_core::StageKind;
use ragtrace_core::{Event, Timestamp};

use super::sketch::DurationSketch;
use crate::record::Record;

/// A minute in microseconds.
pub(super) const MINUTE: i64 = 60_000_000;

/// The runs of one stage, for one tenant, that ended in one minute, as one process counted them.
/// Several of the same minute add up.
#[derive(Clone, Debug, PartialEq)]
pub struct StageMinute {
    pub(crate) minute: Timestamp,
    pub(crate) stage: Cow<'static, str>,
    pub(crate) kind: StageKind,
    pub(crate) tenant_id: Option<Box<str>>,
    pub(crate) completed: u64,
    pub(crate) failed: u64,
    pub(crate) cancelled: u64,
    pub(crate) items: u64,
    pub(crate) cost_usd: f64,
    /// In nanoseconds.
    pub(crate) total: u64,
    pub(crate) durations: DurationSketch,
}

impl StageMinute {
    /// About how many bytes of memory one takes, with a sketch of usual width.
    pub(crate) const MEMORY: usize = size_of::<Self>() + 1_536;

    /// Returns what a stage's end record counts for by itself: for tests of sinks, and to count
    /// anew what is stored. Returns `None` for any other record.
    pub fn of(record: &Record) -> Option<Self> {
        let stage = record.stage().filter(|_| record.event().is_end())?;
        let is = |event| u64::from(record.event() == event);
        let duration = record.duration().unwrap_or_default();
        let mut durations = DurationSketch::new();
        durations.add(duration);
        Some(Self {
            minute: Timestamp::from_micros(record.timestamp().as_micros().div_euclid(MINUTE) * MINUTE),
            stage: Cow::Owned(stage.to_owned()),
            kind: record.kind().unwrap_or_default(),
            tenant_id: record.tenant_id().map(Box::from),
            completed: is(Event::Completed),
            failed: is(Event::Failed),
            cancelled: is(Event::Cancelled),
            items: record.count().unwrap_or(0),
            cost_usd: record.metric("cost_usd").unwrap_or(0.0),
            total: u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX),
            durations,
        })
    }

    /// Returns the first instant of the minute.
    pub fn minute(&self) -> Timestamp {
        self.minute
    }

    /// Returns the stage's name.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// Returns the stage's kind.
    pub fn kind(&self) -> StageKind {
        self.kind
    }

    /// Returns the tenant, if the requests had one.
    pub fn tenant_id(&self) -> Option<&str> {
        self.tenant_id.as_deref()
    }

    /// Returns how many runs ended.
    pub fn runs(&self) -> u64 {
        self.completed + self.failed + self.cancelled
    }

    /// Returns how many runs completed.
    pub fn completed(&self) -> u64 {
        self.completed
    }

    /// Returns how many runs failed.
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// Returns how many runs were cancelled.
    pub fn cancelled(&self) -> u64 {
        self.cancelled
    }

    /// Returns the sum of `count`.
    pub fn items(&self) -> u64 {
        self.items
    }

    /// Returns the sum of `cost_usd`.
    pub fn cost_usd(&self) -> f64 {
        self.cost_usd
    }

    /// Returns the sum of durations.
    pub fn total_duration(&self) -> Duration {
        Duration::from_nanos(self.total)
    }

    /// Returns a sketch of durations.
    pub fn durations(&self) -> &DurationSketch {
        &self.durations
    }
}
