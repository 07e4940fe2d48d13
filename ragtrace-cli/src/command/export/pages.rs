//! Reads rows from the oldest to the newest, in pages of bounded size.
//!
//! A store lists rows newest first. So time is walked in windows from the oldest row on, and the
//! rows of each are turned around. A window with more rows than a page is narrowed and read again,
//! and one with few lets the next be wider. If a single instant has more rows than a page, they
//! are passed on in pages as the store orders them.

use ragtrace::Timestamp;
use ragtrace_store::StoreError;

/// 0000-01-01, the earliest instant that a store sorts correctly.
const YEAR_0: i64 = -62_167_219_200_000_000;
/// The width of the first window, and of the first step back from the newest row, in microseconds.
const MINUTE: i64 = 60_000_000;

/// A list of rows, newest first.
pub(super) trait NewestFirst {
    type Row: Clone;

    /// Returns the newest rows from `since` on and before `until`, at most `limit`. With `after`,
    /// returns those that follow this row in the list.
    async fn rows(
        &self,
        since: Option<i64>,
        until: Option<i64>,
        after: Option<&Self::Row>,
        limit: usize,
    ) -> Result<Vec<Self::Row>, StoreError>;

    /// Returns `true` if there may be rows before `until` that no condition but the trace excludes.
    /// It is answered at once, and decides where the walk begins.
    async fn newest_before(&self, until: i64) -> Result<Option<Timestamp>, StoreError>;

    fn time(row: &Self::Row) -> Timestamp;
}

/// The walk over a list.
pub(super) struct Pages<L: NewestFirst> {
    list: L,
    /// The largest number of rows in a page.
    pub(super) size: usize,
    start: i64,
    next: i64,
    end: i64,
    width: i64,
    /// The last row of the page before, while the rows of a single instant are read.
    within: Option<L::Row>,
}

impl<L: NewestFirst> Pages<L> {
    /// Begins at the oldest row from `since` on. Returns `None` if there is none before `until`.
    pub(super) async fn begin(
        list: L,
        (since, until): (Option<Timestamp>, Option<Timestamp>),
        size: usize,
    ) -> Result<Option<Self>, StoreError> {
        let [since, until] = [since, until].map(|at| at.map(Timestamp::as_micros));
        let Some(newest) = list.rows(since, until, None, 1).await?.pop() else { return Ok(None) };
        let end = L::time(&newest).as_micros().saturating_add(1);
        let start = match since {
            Some(since) => since.max(YEAR_0),
            None => oldest(&list, end).await?,
        };
        Ok(Some(Self { list, size, start, next: start, end, width: MINUTE, within: None }))
    }

    /// Returns the next page, or `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<L::Row>>, StoreError> {
        while self.next < self.end {
            let until = self.next.saturating_add(self.width).min(self.end);
            let mut rows = self.list.rows(Some(self.next), Some(until), self.within.as_ref(), self.size + 1).await?;
            let is_more = rows.len() > self.size;
            if is_more && until.saturating_sub(self.next) > 1 {
                self.narrow(until, rows.last().map_or(until, |last| L::time(last).as_micros()));
                continue;
            }
            if is_more {
                // The row that was read in excess begins the next page.
                rows.pop();
                return Ok(Some(self.keep_place(rows)));
            }
            self.widen(rows.len());
            self.next = until;
            self.within = None;
            if !rows.is_empty() {
                rows.reverse();
                return Ok(Some(rows));
            }
        }
        Ok(None)
    }

    /// Returns the part of the time that is done, from 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "for a progress bar")]
    pub(super) fn progress(&self) -> f64 {
        (self.next.saturating_sub(self.start)) as f64 / (self.end.saturating_sub(self.start)).max(1) as f64
    }

    /// Narrows the window, of which the newest rows go back to `last` alone.
    fn narrow(&mut self, until: i64, last: i64) {
        let half = until.saturating_sub(self.next) / 2;
        self.width = half.min(until.saturating_sub(last)).max(1);
    }

    fn widen(&mut self, rows: usize) {
        let factor = match rows {
            few if few < self.size / 4 => 4,
            few if few < self.size / 2 => 2,
            _ => 1,
        };
        self.width = self.width.saturating_mul(factor);
    }

    fn keep_place(&mut self, rows: Vec<L::Row>) -> Vec<L::Row> {
        self.within = rows.last().cloned();
        rows
    }
}

/// Returns an instant before which there are no rows, by steps back from `end` that grow.
async fn oldest<L: NewestFirst>(list: &L, end: i64) -> Result<i64, StoreError> {
    let mut step = MINUTE;
    loop {
        let until = end.saturating_sub(step);
        if until <= YEAR_0 {
            return Ok(YEAR_0);
        }
        match list.newest_before(until).await? {
            None => return Ok(until),
            Some(found) => step = end.saturating_sub(found.as_micros()).saturating_mul(4),
        }
    }
}
