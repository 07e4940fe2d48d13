//! Steps of a job that changes much while others write: small transactions with pauses in between.

use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::{Connection, Sqlite, SqliteConnection, Transaction};

/// The approximate number of bytes of rows that one transaction moves or removes. With the index
/// pages, it writes several times as much to SQLite's log.
pub(super) const STEP_BYTES: i64 = 1 << 20;

/// The number of rows per transaction if they are small and uniform.
pub(super) const STEP_ROWS: i64 = 2_000;

/// The longest pause after a step.
const LONGEST_REST: Duration = Duration::from_millis(100);

/// One step: a transaction, and when it began.
pub(super) struct Step<'c> {
    pub(super) transaction: Transaction<'c, Sqlite>,
    began_at: Instant,
}

impl<'c> Step<'c> {
    pub(super) async fn begin(connection: &'c mut SqliteConnection) -> Result<Self, sqlx::Error> {
        let transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Self { transaction, began_at: Instant::now() })
    }

    /// Commits, and pauses for half as long as the step took. A process that waits for the write
    /// lock polls it now and then, and would miss the gap between two steps without a pause.
    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        self.transaction.commit().await?;
        tokio::time::sleep((self.began_at.elapsed() / 2).min(LONGEST_REST)).await;
        Ok(())
    }
}

/// A trace to be moved or removed.
pub(super) struct Found {
    pub(super) trace_id: String,
    /// The time of the record by which the trace was found. `row` is that record's row number.
    pub(super) timestamp: String,
    pub(super) row: i64,
    /// The approximate size of its rows in bytes. Of a large trace only some rows are added up,
    /// enough to exceed a step.
    pub(super) bytes: i64,
}

impl Found {
    /// Returns `true` if all rows of the trace fit into one step.
    pub(super) fn fits(&self) -> bool {
        self.bytes <= STEP_BYTES
    }
}

/// The number of a trace's rows that are added up to tell whether it fits into a step. So many rows
/// never fit, since each counts at least 600 bytes for its ids and index entries.
pub(super) const WEIGHED_ROWS: i64 = STEP_BYTES / 600 + 1;

/// Divides traces into groups that fit into a step each. A trace larger than a step is a group of
/// its own.
pub(super) fn groups(traces: &[Found]) -> impl Iterator<Item = &[Found]> {
    let mut left = STEP_BYTES;
    traces.chunk_by(move |one, next| {
        left -= one.bytes;
        let together = left >= next.bytes;
        if !together {
            left = STEP_BYTES;
        }
        together
    })
}

/// A row and its approximate size.
pub(super) struct Sized {
    pub(super) number: i64,
    pub(super) bytes: i64,
}

/// Returns the numbers of the first rows that fit into one step, at least one, as a JSON array.
/// Returns `None` if there are no rows.
pub(super) fn fitting(rows: &[Sized]) -> Option<String> {
    let mut left = STEP_BYTES;
    let fit = rows.iter().take_while(|row| {
        let fits = left > 0;
        left -= row.bytes;
        fits
    });
    let numbers: Vec<i64> = fit.map(|row| row.number).collect();
    (!numbers.is_empty()).then(|| json!(numbers).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_go_together_as_far_as_they_fit_and_a_large_one_goes_alone() {
        let found = |bytes: &i64| Found { trace_id: String::new(), timestamp: String::new(), row: 0, bytes: *bytes };
        for (sizes, expected) in [
            (&[][..], &[][..]),
            (&[1, 2, 3], &[3]),
            (&[STEP_BYTES / 2, STEP_BYTES / 2, 1], &[2, 1]),
            (&[1, STEP_BYTES + 1, 1, 1], &[1, 1, 2]),
            (&[STEP_BYTES + 1, STEP_BYTES + 1], &[1, 1]),
        ] {
            let traces: Vec<Found> = sizes.iter().map(found).collect();
            let lengths: Vec<usize> = groups(&traces).map(<[Found]>::len).collect();
            assert_eq!(lengths, expected, "{sizes:?}");
        }
    }

    #[test]
    fn a_step_takes_what_fits_and_at_least_one_row() {
        let rows = |sizes: &[i64]| -> Vec<Sized> {
            sizes.iter().zip(1..).map(|(&bytes, number)| Sized { number, bytes }).collect()
        };
        for (sizes, fit) in [
            (&[][..], None),
            (&[STEP_BYTES * 3, 1], Some("[1]")),
            (&[STEP_BYTES / 2, STEP_BYTES / 2, 1, 1], Some("[1,2]")),
            (&[1, STEP_BYTES - 2, 1, 1], Some("[1,2,3]")),
            (&[5, 5], Some("[1,2]")),
        ] {
            assert_eq!(fitting(&rows(sizes)).as_deref(), fit, "{sizes:?}");
        }
    }
}
