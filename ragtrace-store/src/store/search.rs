//! Searches for traces by what their records hold.
//!
//! There are two ways, and both are exact. If an index finds the records, and they belong to few
//! traces, these are looked up. Otherwise the list of traces is walked from the newest to the
//! oldest, some at a time, and the records of each part are looked at: if many traces match, a page
//! is full soon. No trace that ended long before the oldest record is looked at.

use std::collections::HashSet;

use ragtrace::{Timestamp, TraceId};

use super::LogStore;
use crate::error::StoreError;
use crate::read::{CANDIDATES, Condition, NEARBY, Place, TraceFilter, TraceSummary};

/// The number of traces that are looked at first, and most together. Each part is larger than the
/// one before.
const PART: (usize, usize) = (250, 8_000);

impl LogStore {
    /// Returns the finished traces that match a filter with one name of its stage.
    pub(super) async fn traces_of_one_name(&self, filter: &TraceFilter) -> Result<Vec<TraceSummary>, StoreError> {
        if filter.conditions.is_empty() || filter.limit == 0 {
            return with_backend!(self, store => store.traces(filter));
        }
        let Some(since) = self.oldest_with_records(filter.since).await? else { return Ok(Vec::new()) };
        let filter = filter.clone().since(since);
        let mut found: Option<HashSet<TraceId>> = None;
        let mut left = Vec::new();
        for condition in &filter.conditions {
            match self.candidates(condition, &filter).await? {
                Some(traces) => {
                    found = Some(found.map_or(traces.clone(), |found| found.intersection(&traces).copied().collect()));
                }
                None => left.push(condition),
            }
        }
        match found {
            Some(candidates) => self.look_up(&filter, &left, candidates.into_iter().collect()).await,
            None => self.walk(&filter, &left).await,
        }
    }

    /// Returns the time from which on traces may have records, or `None` if there are no records.
    async fn oldest_with_records(&self, since: Option<Timestamp>) -> Result<Option<Timestamp>, StoreError> {
        let mut oldest: Option<Timestamp> = None;
        for place in Place::BOTH {
            let first = with_backend!(self, store => store.oldest(place))?;
            oldest = oldest.into_iter().chain(first).min();
        }
        Ok(oldest.map(|oldest| oldest.minus(NEARBY)).map(|oldest| since.map_or(oldest, |since| since.max(oldest))))
    }

    /// Returns the traces that meet a condition, if an index finds them and they are few.
    async fn candidates(
        &self,
        condition: &Condition,
        filter: &TraceFilter,
    ) -> Result<Option<HashSet<TraceId>>, StoreError> {
        let since = filter.since.unwrap_or(Timestamp::from_micros(i64::MIN)).minus(NEARBY);
        let between = (since, filter.after.last_instant(filter.until).plus(NEARBY));
        let mut found = HashSet::new();
        for place in Place::BOTH {
            match with_backend!(self, store => store.candidates(place, condition, between))? {
                Some(traces) => found.extend(traces),
                None => return Ok(None),
            }
            if found.len() > CANDIDATES {
                return Ok(None);
            }
        }
        Ok(Some(found))
    }

    /// Returns those of the candidates that match the filter and the conditions left.
    async fn look_up(
        &self,
        filter: &TraceFilter,
        left: &[&Condition],
        candidates: Vec<TraceId>,
    ) -> Result<Vec<TraceSummary>, StoreError> {
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        let all = if left.is_empty() { filter.clone() } else { filter.clone().limit(usize::MAX) };
        let traces = with_backend!(self, store => store.traces_of(&all, &candidates))?;
        let mut traces = self.that_meet(left, traces).await?;
        traces.truncate(filter.limit);
        Ok(traces)
    }

    /// Walks the list of traces from the newest to the oldest.
    async fn walk(&self, filter: &TraceFilter, conditions: &[&Condition]) -> Result<Vec<TraceSummary>, StoreError> {
        let mut found = Vec::new();
        let mut part = filter.clone().limit(PART.0);
        while found.len() < filter.limit {
            let traces = with_backend!(self, store => store.traces(&part))?;
            let Some(last) = traces.last().map(TraceSummary::position).filter(|_| traces.len() == part.limit) else {
                found.extend(self.that_meet(conditions, traces).await?);
                break;
            };
            found.extend(self.that_meet(conditions, traces).await?);
            let larger = PART.1.min(part.limit * 2);
            part = part.after(last).limit(larger);
        }
        found.truncate(filter.limit);
        Ok(found)
    }

    /// Returns those of the traces whose records meet all conditions.
    async fn that_meet(
        &self,
        conditions: &[&Condition],
        mut traces: Vec<TraceSummary>,
    ) -> Result<Vec<TraceSummary>, StoreError> {
        for condition in conditions {
            let begins = traces.iter().map(|trace| trace.ended_at().minus(trace.duration())).min();
            let ends = traces.iter().map(TraceSummary::ended_at).max();
            let (Some(begins), Some(ends)) = (begins, ends) else { break };
            let between = (begins.minus(NEARBY), ends.plus(NEARBY));
            let ids: HashSet<TraceId> = traces.iter().map(TraceSummary::trace_id).collect();
            let ids: Vec<TraceId> = ids.into_iter().collect();
            let mut met = HashSet::new();
            for place in Place::BOTH {
                met.extend(with_backend!(self, store => store.among(place, condition, &ids, between))?);
            }
            traces.retain(|trace| met.contains(&trace.trace_id()));
        }
        Ok(traces)
    }
}
