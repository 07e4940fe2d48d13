//! Counts the runs of stages by minute and tenant.

use std::borrow::Cow;
use std::collections::HashMap;

use ragtrace_core::context::Request;
use ragtrace_core::{StageDescriptor, Timestamp};

use super::minute::{MINUTE, StageMinute};
use super::request::RunStatus;
use super::sketch::DurationSketch;
use crate::hash::FastHash;

/// The maximum number of tenants in one minute; the runs of further ones are counted without a
/// tenant.
const MAX_TENANTS: usize = 4_096;

/// A run that ended.
pub(crate) struct EndedRun<'a> {
    pub(crate) at: Timestamp,
    pub(crate) stage: &'static StageDescriptor,
    pub(crate) request: &'a Request,
    pub(crate) status: RunStatus,
    pub(crate) items: Option<u64>,
    pub(crate) cost_usd: Option<f64>,
    pub(crate) nanos: u64,
}

/// Counts runs until their minute is over.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    counts: Vec<StageMinute>,
    indices: HashMap<CountKey, usize, FastHash>,
    tenants: HashMap<Box<str>, u32>,
    /// The request whose tenant was looked up last, and the tenant's number.
    last_request: (u64, u32),
    /// The positions at which the runs of recent stages were counted, indexed by the address of the
    /// stage.
    cache: [CachedIndex; CACHE_ENTRIES],
    /// The earliest minute with counts.
    earliest: Option<i64>,
}

/// The number of stages that the cache can hold.
const CACHE_ENTRIES: usize = 16;

/// A position at which a run was counted: the key of the run, the index of its counts, and that of
/// the bucket of its duration.
#[derive(Clone, Copy, Debug, Default)]
struct CachedIndex {
    stage: usize,
    request: u64,
    minute: i64,
    index: usize,
    bucket_hint: usize,
}

/// A stage by the address of its descriptor, a minute, and a tenant by its number.
#[derive(Debug, PartialEq, Eq, Hash)]
struct CountKey(usize, i64, u32);

/// The number that stands for no tenant.
const NOBODY: u32 = 0;

impl Meter {
    pub(crate) fn count(&mut self, run: &EndedRun<'_>) {
        let (stage, minute) = (std::ptr::from_ref(run.stage).addr(), run.at.as_micros().div_euclid(MINUTE));
        let entry = stage / size_of::<StageDescriptor>() % CACHE_ENTRIES;
        let cached = self.cache[entry];
        if (cached.stage, cached.request, cached.minute) != (stage, run.request.version, minute) {
            self.cache[entry] = self.look_up(run, stage, (minute, entry));
        }
        let cached = &mut self.cache[entry];
        let Some(counted) = self.counts.get_mut(cached.index) else { return };
        match run.status {
            RunStatus::Completed => counted.completed += 1,
            RunStatus::Failed => counted.failed += 1,
            RunStatus::Cancelled => counted.cancelled += 1,
        }
        counted.items = counted.items.saturating_add(run.items.unwrap_or(0));
        counted.cost_usd += run.cost_usd.filter(|cost| cost.is_finite()).unwrap_or(0.0);
        counted.total = counted.total.saturating_add(run.nanos);
        counted.durations.add_with_hint(run.nanos, &mut cached.bucket_hint);
    }

    #[inline(never)]
    fn look_up(&mut self, run: &EndedRun<'_>, stage: usize, (minute, entry): (i64, usize)) -> CachedIndex {
        // Another request, and often one of the tenant that the stage ran for last.
        let cached = self.cache[entry];
        let is_of_tenant = |counted: &StageMinute| counted.tenant_id == run.request.tenant_id;
        if (cached.stage, cached.minute) == (stage, minute) && self.counts.get(cached.index).is_some_and(is_of_tenant) {
            return CachedIndex { request: run.request.version, ..cached };
        }
        let key = CountKey(stage, minute, self.tenant_number(run.request));
        let index = match self.indices.get(&key) {
            Some(index) => *index,
            None => self.add_count(run, key),
        };
        CachedIndex { stage, request: run.request.version, minute, index, bucket_hint: 0 }
    }

    /// Removes and returns the counts of minutes that were over at `now`, or all counts if `now` is
    /// `None`.
    pub(crate) fn take(&mut self, now: Option<Timestamp>) -> Vec<StageMinute> {
        let this_minute = now.map(|now| now.as_micros().div_euclid(MINUTE));
        let is_over = |minute: i64| this_minute.is_none_or(|this_minute| minute < this_minute);
        if !self.earliest.is_some_and(is_over) {
            return Vec::new();
        }
        let counts = std::mem::take(self);
        let minute_of = |counted: &StageMinute| counted.minute.as_micros().div_euclid(MINUTE);
        let (mut over, goes_on): (Vec<_>, Vec<_>) =
            counts.counts.into_iter().partition(|counted| is_over(minute_of(counted)));
        // The remaining counts move, so the cached positions are wrong and later runs start a
        // separate part. The parts of a minute are added up later.
        self.earliest = goes_on.iter().map(minute_of).min();
        self.counts = goes_on;
        over.sort_by(|a, b| (a.minute, &a.stage, &a.tenant_id).cmp(&(b.minute, &b.stage, &b.tenant_id)));
        over
    }

    fn tenant_number(&mut self, request: &Request) -> u32 {
        let Some(tenant) = request.tenant_id.as_deref() else { return NOBODY };
        if self.last_request.0 != request.version {
            let number = match self.tenants.get(tenant) {
                Some(number) => *number,
                None if self.tenants.len() < MAX_TENANTS => {
                    let number = u32::try_from(self.tenants.len() + 1).unwrap_or(NOBODY);
                    self.tenants.insert(tenant.into(), number);
                    number
                }
                None => NOBODY,
            };
            self.last_request = (request.version, number);
        }
        self.last_request.1
    }

    #[cold]
    fn add_count(&mut self, run: &EndedRun<'_>, key: CountKey) -> usize {
        let CountKey(_, minute, tenant) = key;
        let index = self.counts.len();
        self.counts.push(StageMinute {
            minute: Timestamp::from_micros(minute * MINUTE),
            stage: Cow::Borrowed(run.stage.name()),
            kind: run.stage.kind(),
            tenant_id: run.request.tenant_id.clone().filter(|_| tenant != NOBODY),
            completed: 0,
            failed: 0,
            cancelled: 0,
            items: 0,
            cost_usd: 0.0,
            total: 0,
            durations: DurationSketch::new(),
        });
        self.indices.insert(key, index);
        self.earliest = Some(self.earliest.map_or(minute, |earliest| earliest.min(minute)));
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TraceId;

    static STAGE: StageDescriptor = StageDescriptor::new("chunking", "test");

    fn request(tenant_id: Option<&str>) -> Request {
        let mut request = Request::new(TraceId::new());
        request.tenant_id = tenant_id.map(Box::from);
        request
    }

    fn run(at: i64, request: &Request) -> EndedRun<'_> {
        let (at, status) = (Timestamp::from_micros(at), RunStatus::Completed);
        EndedRun { at, stage: &STAGE, request, status, items: Some(3), cost_usd: Some(0.5), nanos: 2_000_000 }
    }

    #[test]
    fn runs_are_counted_by_minute_and_tenant_and_taken_when_the_minute_is_over() {
        let mut meter = Meter::default();
        let (acme, again, nobody) = (request(Some("acme")), request(Some("acme")), request(None));
        meter.count(&run(MINUTE - 1, &acme));
        meter.count(&run(MINUTE - 2, &again));
        meter.count(&run(MINUTE - 2, &nobody));
        meter.count(&run(MINUTE, &acme));
        let over = meter.take(Some(Timestamp::from_micros(MINUTE + 5)));
        let seen: Vec<_> = over.iter().map(|m| (m.tenant_id(), m.runs(), m.items(), m.durations().len())).collect();
        assert_eq!(seen, [(None, 1, 3, 1), (Some("acme"), 2, 6, 2)]);
        assert_eq!(over[1].cost_usd().to_bits(), 1.0f64.to_bits());
        assert!(meter.take(Some(Timestamp::from_micros(MINUTE + 6))).is_empty());
        // The part that remained, and the one that began afterwards.
        meter.count(&run(MINUTE + 7, &acme));
        let rest = meter.take(None);
        assert_eq!(rest.iter().map(StageMinute::runs).collect::<Vec<_>>(), [1, 1]);
    }

    #[test]
    fn requests_of_tenants_in_turn_are_counted_each_with_its_tenant() {
        let mut meter = Meter::default();
        for tenant in [Some("acme"), Some("acme"), None, Some("acme"), Some("zeta"), None, Some("zeta"), Some("")] {
            meter.count(&run(MINUTE, &request(tenant)));
        }
        let all = meter.take(None);
        let seen: Vec<_> = all.iter().map(|minute| (minute.tenant_id(), minute.runs())).collect();
        assert_eq!(seen, [(None, 2), (Some(""), 1), (Some("acme"), 3), (Some("zeta"), 2)]);
    }

    #[test]
    fn tenants_beyond_those_that_are_distinguished_are_counted_without_one() {
        let mut meter = Meter::default();
        for number in 0..MAX_TENANTS + 3 {
            meter.count(&run(MINUTE, &request(Some(&number.to_string()))));
        }
        meter.count(&run(MINUTE, &request(None)));
        meter.count(&run(MINUTE, &request(Some("0"))));
        let all = meter.take(None);
        assert_eq!(all.len(), MAX_TENANTS + 1);
        assert_eq!((all[0].tenant_id(), all[0].runs()), (None, 4));
        assert_eq!((all[1].tenant_id(), all[1].runs()), (Some("0"), 2));
    }
}
