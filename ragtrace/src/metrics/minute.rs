//! Metrics of a stage by minute and tenant.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use ragtrace_core::StageKind;
use ragtrace_core::{Event, Timestamp};

use super::sketch::DurationSketch;
use crate::record::Record;

/// A minute in microseconds.
pub(super) const MINUTE: i64 = 60_000_000;

/// Metrics of the runs of one stage for one tenant that ended in one minute, as counted by one
/// process.
///
/// There may be several values for the same minute, which have to be added up.
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
    /// The sum of durations in nanoseconds.
    pub(crate) total: u64,
    pub(crate) durations: DurationSketch,
}

impl StageMinute {
    /// The estimated memory of one value in bytes, with a sketch of usual size.
    pub(crate) const MEMORY: usize = size_of::<Self>() + 1_536;

    /// Returns the metrics of the single run that `record` ends, or `None` if it is not the end
    /// record of a stage.
    ///
    /// It is meant for tests of sinks, and for counting stored records again.
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

    /// Returns the metrics of all runs that `records` end, added up by minute, stage, kind and
    /// tenant.
    ///
    /// It is meant for counting stored records again.
    pub fn all_of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<Self> {
        type Key = (Timestamp, Cow<'static, str>, StageKind, Option<Box<str>>);
        let mut index_of: HashMap<Key, usize> = HashMap::new();
        let mut minutes: Vec<Self> = Vec::new();
        for run in records.into_iter().filter_map(Self::of) {
            let key = (run.minute, run.stage.clone(), run.kind, run.tenant_id.clone());
            if let Some(&index) = index_of.get(&key) {
                minutes[index].add(&run);
            } else {
                index_of.insert(key, minutes.len());
                minutes.push(run);
            }
        }
        minutes
    }

    /// Adds the metrics of other runs of the same stage and tenant in the same minute.
    fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.completed, other.completed),
            (&mut self.failed, other.failed),
            (&mut self.cancelled, other.cancelled),
            (&mut self.items, other.items),
            (&mut self.total, other.total),
        ] {
            *sum = sum.saturating_add(more);
        }
        self.cost_usd += other.cost_usd;
        self.durations.merge(&other.durations);
    }

    /// Returns the start of the minute.
    pub fn minute(&self) -> Timestamp {
        self.minute
    }

    /// Returns the name of the stage.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// Returns the kind of the stage.
    pub fn kind(&self) -> StageKind {
        self.kind
    }

    /// Returns the id of the tenant, if the requests had one.
    pub fn tenant_id(&self) -> Option<&str> {
        self.tenant_id.as_deref()
    }

    /// Returns the number of runs that ended.
    pub fn runs(&self) -> u64 {
        self.completed + self.failed + self.cancelled
    }

    /// Returns the number of runs that completed.
    pub fn completed(&self) -> u64 {
        self.completed
    }

    /// Returns the number of runs that failed.
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// Returns the number of runs that were cancelled.
    pub fn cancelled(&self) -> u64 {
        self.cancelled
    }

    /// Returns the sum of the runs' `count`.
    pub fn items(&self) -> u64 {
        self.items
    }

    /// Returns the sum of the runs' `cost_usd`, in US dollars.
    pub fn cost_usd(&self) -> f64 {
        self.cost_usd
    }

    /// Returns the sum of the runs' durations.
    pub fn total_duration(&self) -> Duration {
        Duration::from_nanos(self.total)
    }

    /// Returns the sketch of the runs' durations.
    pub fn durations(&self) -> &DurationSketch {
        &self.durations
    }
}
