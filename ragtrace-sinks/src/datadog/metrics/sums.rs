//! Adds up minutes that Datadog would not tell apart.

use std::borrow::Cow;
use std::collections::HashMap;

use ragtrace::Timestamp;
use ragtrace::metrics::{DurationSketch, StageMinute};

use crate::datadog::tags::Tags;

/// The sum of all counts with the same minute and tags.
#[derive(Clone, Debug)]
pub(super) struct Sum<'a> {
    pub(super) minute: Timestamp,
    pub(super) tags: Tags,
    /// The outcomes `completed`, `failed` and `cancelled`, each with its number of runs.
    pub(super) runs: [(&'static str, u64); 3],
    pub(super) items: u64,
    pub(super) cost_usd: f64,
    pub(super) durations: Cow<'a, DurationSketch>,
}

/// Adds up the minutes of a batch, in the order of their first appearance.
///
/// A batch may contain several parts of one minute, and several tenants whose tags are equal after
/// normalization. Datadog keeps only the last point of a series at one time.
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

/// Returns the cost, or zero if it is not finite and would swallow the sum.
fn finite(cost: f64) -> f64 {
    if cost.is_finite() { cost } else { 0.0 }
}

fn runs_of(minute: &StageMinute) -> [(&'static str, u64); 3] {
    [("completed", minute.completed()), ("failed", minute.failed()), ("cancelled", minute.cancelled())]
}
