//! The partitions of `logs`, one per day.

use super::session::PgTransaction;

/// A date after that of every partition.
pub(super) const AFTER_ALL: &str = "9999-12-31";

/// A day that has a partition.
pub(super) struct Day {
    pub(super) partition: String,
    /// The day as a date.
    pub(super) day: String,
}

/// Returns the days before `horizon` that have partitions, oldest first.
pub(super) async fn days_before(transaction: &mut PgTransaction<'_>, horizon: &str) -> Result<Vec<Day>, sqlx::Error> {
    let days = sqlx::query_as!(
        Day,
        // By names alone, which sort as days do: the server may look at names of other tables
        // before it looks whose partitions they are.
        r#"SELECT c.relname::text AS "partition!",
            substr(c.relname, 6, 4) || '-' || substr(c.relname, 10, 2) || '-' || substr(c.relname, 12, 2) AS "day!"
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'logs'::regclass AND c.relname::text < 'logs_' || replace(left($1, 10), '-', '')
        ORDER BY 1"#,
        horizon
    );
    days.fetch_all(transaction).await
}
