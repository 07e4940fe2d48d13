//! Following a store: rows that were written since.

#[cfg(feature = "postgres")]
use uuid::Uuid;

use super::row::LogRow;

/// A position in what is written, up to which a tail has got. It is of the store that gave it, and
/// of no use after that store was restored from a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TailCursor(pub(crate) TailPoint);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TailPoint {
    /// The last row, by the store that it is in and its number there: with one writer at a time
    /// numbers grow as rows are committed. The file that was read is known by its device and its
    /// number on it.
    #[cfg(feature = "sqlite")]
    Row { store: String, file: (u64, u64), number: i64 },
    /// The rows that were seen, as snapshots: everything that `seen` shows, and of what `seeing`
    /// shows besides what comes up to a transaction and a record in it.
    #[cfg(feature = "postgres")]
    Snapshot { seen: String, seeing: String, after: (i64, Uuid) },
}

/// The rows that were written since a cursor.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Tail {
    /// The rows, in the order they were written as far as there is one; at most 10,000.
    pub rows: Vec<LogRow>,
    /// The cursor to go on from.
    pub cursor: TailCursor,
}
