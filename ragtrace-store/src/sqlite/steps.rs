//! Steps of a job that changes much while others write: small transactions with rests in between.

use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::{Connection, Sqlite, SqliteConnection, Transaction};

/// How many bytes of rows one transaction moves or removes, about. What it writes to SQLite's log
/// is a few times as much, with the pages of the indexes.
pub(super) const STEP_BYTES: i64 = 1 << 20;

/// Rows of one transaction, where they are small and alike.
pub(super) const STEP_ROWS: i64 = 2_000;

/// The longest rest after a step.
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

    /// Commits, and rests for half as long as the step took: whoever waits for the write lock looks
    /// for it now and then, and would not find it free between two steps that follow at once.
    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        self.transaction.commit().await?;
        tokio::time::sleep((self.began_at.elapsed() / 2).min(LONGEST_REST)).await;
        Ok(())
    }
}

/// A trace to be moved or removed.
pub(super) struct Found {
    pub(super) trace_id: String,
    /// Of the record that it was found by, and that record's row.
    pub(super) timestamp: String,
    pub(super) row: i64,
    /// How many bytes its rows have, about; of a large one those of some rows that no step takes.
    pub(super) bytes: i64,
}

impl Found {
    /// Returns `true` if all its rows fit one step.
    pub(super) fn fits(&self) -> bool {
        self.bytes <= STEP_BYTES
    }
}

/// Rows of a trace that are looked at to see whether it fits a step: as many as never do, since a
/// row counts for 600 bytes at least, for its ids and its entries in indexes.
pub(super) const WEIGHED_ROWS: i64 = STEP_BYTES / 600 + 1;

/// Divides traces into groups that fit a step each. One that fits none is alone.
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

/// A row, and how many bytes it has, about.
pub(super) struct Sized {
    pub(super) number: i64,
    pub(super) bytes: i64,
}

/// Returns the rows that fit one step, from the first on and at least one, as a JSON array of their
/// numbers; `None` if there are none.
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
