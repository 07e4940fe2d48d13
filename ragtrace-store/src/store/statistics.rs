//! Counts, sums and groups.

use std::time::Duration;

use ragtrace::Level;

use super::LogStore;
use crate::error::StoreError;
use crate::read::{
    CostRow, ErrorGroups, GROUPED_ERRORS, GroupBy, GroupedError, LogFilter, Place, Position, RetrievalStats,
    StagePoint, StageStats, TraceCounts, TraceFilter, Window, group, merge, step_micros,
};

/// The largest number of traces that are counted one by one.
const COUNTED_TRACES: usize = 10_000;

impl LogStore {
    /// Returns the counts of each stage in a time window: runs, outcomes, items, cost and
    /// durations, ordered by the stages' names.
    pub async fn stage_stats(&self, window: Window) -> Result<Vec<StageStats>, StoreError> {
        with_backend!(self, store => store.stage_stats(window))
    }

    /// Returns the counts of each stage in a time window, split by tenant, user or version, ordered
    /// by the stages' names and then by these.
    ///
    /// ```no_run
    /// use ragtrace_store::{GroupBy, Window};
    /// use std::time::Duration;
    ///
    /// # async fn show(store: ragtrace_store::LogStore) -> Result<(), ragtrace_store::StoreError> {
    /// let last_hour = Window::last(Duration::from_secs(3_600));
    /// for stats in store.stage_stats_by(last_hour, GroupBy::Tenant).await? {
    ///     println!("{} {:?}: {} runs", stats.stage(), stats.group(), stats.runs());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn stage_stats_by(&self, window: Window, by: GroupBy) -> Result<Vec<StageStats>, StoreError> {
        with_backend!(self, store => store.stage_stats_by(window, by))
    }

    /// Returns the counts of each stage over time, in steps of this length, ordered by the stages'
    /// names and then by time. Steps in which no run of a stage ended are missing.
    ///
    /// A step is rounded up to whole minutes, and begins at a multiple of its length since 1970, in
    /// UTC. The first and the last step contain only what lies within the window.
    pub async fn stage_series(&self, window: Window, step: Duration) -> Result<Vec<StagePoint>, StoreError> {
        let step = step_micros(step);
        with_backend!(self, store => store.stage_series(window, step))
    }

    /// Returns the numbers of finished traces that match, in a time window divided into so many
    /// steps of the same length, oldest first.
    ///
    /// The number of steps is limited to 1,000. The filter's position and limit do not apply. If
    /// the filter has conditions on records ([`TraceFilter::ran`], [`TraceFilter::error`] or
    /// [`TraceFilter::field`]), only the newest 10,000 traces that match are counted.
    pub async fn trace_counts(
        &self,
        filter: TraceFilter,
        window: Window,
        steps: usize,
    ) -> Result<Vec<TraceCounts>, StoreError> {
        let mut steps = TraceCounts::steps(window, steps);
        if steps.is_empty() {
            return Ok(steps);
        }
        let since = filter.since.map_or(window.since, |since| since.max(window.since));
        let until = filter.until.map_or(window.until, |until| until.min(window.until));
        let filter = filter.after(Position::START).limit(COUNTED_TRACES).since(since).until(until);
        if filter.conditions.is_empty() {
            for filter in filter.by_name() {
                steps = with_backend!(self, store => store.trace_counts(&filter, steps.clone()))?;
            }
        } else {
            TraceCounts::add_all(&mut steps, &self.traces(filter).await?);
        }
        Ok(steps)
    }

    /// Returns the errors that match, grouped by stage, type and message, largest group first.
    ///
    /// Parts in which messages of a kind differ are ignored: numbers, ids, quoted texts, and paths.
    /// At most 100,000 errors are read, the newest; the filter's limit does not apply.
    ///
    /// ```no_run
    /// use ragtrace_store::LogFilter;
    ///
    /// # async fn show(store: ragtrace_store::LogStore) -> Result<(), ragtrace_store::StoreError> {
    /// for group in store.error_groups(LogFilter::new().user_id("alice")).await?.groups() {
    ///     println!("{} times: {}", group.count(), group.message());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn error_groups(&self, filter: LogFilter) -> Result<ErrorGroups, StoreError> {
        let wanted = GROUPED_ERRORS + 1;
        let mut lists = Vec::new();
        for place in Place::BOTH {
            for filter in filter.clone().level(Level::Error).limit(wanted).by_name() {
                lists.push(with_backend!(self, store => store.grouped_errors(place, &filter))?);
            }
        }
        let merged = merge(lists, wanted, GroupedError::position);
        let truncated = merged.rows.len() > GROUPED_ERRORS || merged.read_up_to.is_some();
        let mut errors = merged.rows;
        errors.truncate(GROUPED_ERRORS);
        Ok(group(errors, truncated))
    }

    /// Returns the costs and tokens in a time window by tenant, model and provider, the most
    /// expensive first.
    pub async fn costs(&self, window: Window) -> Result<Vec<CostRow>, StoreError> {
        with_backend!(self, store => store.costs(window))
    }

    /// Returns how much the stages of kind `retrieve` and `rerank` found in a time window, ordered
    /// by the stages' names.
    pub async fn retrieval_stats(&self, window: Window) -> Result<Vec<RetrievalStats>, StoreError> {
        with_backend!(self, store => store.retrieval_stats(window))
    }
}
