//! Minutes of a stage, added up where Datadog would not tell them apart.

use std::borrow::Cow;
use std::collections::HashMap;

use ragtrace::Timestamp;
use ragtrace::metrics::{DurationSketch, StageMinute};

use crate::datadog::tags::Tags;

/// All of a minute that has the same tags.
#[derive(Clone, Debug)]
pub(super) struct Sum<'a> {
    pub(super) minute: Timestamp,
    pub(super) tags: Tags,
    /// `completed`, `failed` and `cancelled`, and the number of runs that were.
    pub(super) runs: [(&'static str, u64); 3],
    pub(super) items: u64,
    pub(super) cost_usd: f64,
    pub(super) durations: Cow<'a, DurationSketch>,
}

/// Adds up the minutes of a batch, in the order in which each comes first.
///
/// A batch may have several parts of one minute, and several tenants whose tags are one: Datadog
/// keeps the last point alone that a series has at one time.
pub(super) fn sums<'a>(minutes: &'a [StageMinute], tags_of: impl Fn(&StageMinute) -> Tags) -> Vec<Sum<'a>> {
    let mut sums: Vec<Sum<'a>> = Vec::with_capacity(minutes.len());
    let mut indices = HashMap::with_capacity(minutes.len());
    for minute in minutes {
        let tags = tags_of(minute);
        match indices.entry((minute.minute(), tags.sorted())) {
            std::collections::hash_map::Entry::Occupied(entry) => {
                let index: usize = *entry.get();
                sums[index].add(minute);
            }
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(sums.len());
                sums.push(Sum::of(minute, tags));
            }
        }
    }
    sums
}

impl<'a> Sum<'a> {
    fn of(minute: &'a StageMinute, tags: Tags) -> Self {
        Self {
            minute: minute.minute(),
            tags,
            runs: runs_of(minute),
            items: minute.items(),
            cost_usd: finite(minute.cost_usd()),
            durations: Cow::Borrowed(minute.durations()),
        }
    }

    fn add(&mut self, minute: &StageMinute) {
        for ((_, sum), (_, runs)) in self.runs.iter_mut().zip(runs_of(minute)) {
            *sum = sum.saturating_add(runs);
        }
        self.items = self.items.saturating_add(minute.items());
        self.cost_usd += finite(minute.cost_usd());
        self.durations.to_mut().merge(minute.durations());
    }
}

/// Returns a cost, or nothing for one that would be all of a sum.
fn finite(cost: f64) -> f64 {
    if cost.is_finite() { cost } else { 0.0 }
}

fn runs_of(minute: &StageMinute) -> [(&'static str, u64); 3] {
    [("completed", minute.completed()), ("failed", minute.failed()), ("cancelled", minute.cancelled())]
}
