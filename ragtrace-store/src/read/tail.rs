//! Follows a store: the rows that were written since a cursor.

#[cfg(feature = "postgres")]
use uuid::Uuid;

use super::row::LogRow;

/// A position in the order in which rows were written, up to which a tail has read.
///
/// It belongs to the store that returned it, and is of no use after that store was restored from a
/// backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TailCursor(pub(crate) TailPoint);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TailPoint {
    /// The last row, by the store that contains it and its number there. Numbers grow in the order
    /// of commits, since there is one writer at a time. The file that was read is identified by its
    /// device and inode.
    #[cfg(feature = "sqlite")]
    Row { store: String, file: (u64, u64), number: i64 },
    /// The rows read so far, as snapshots: everything that `seen` shows, and of the additional rows
    /// that `seeing` shows, those up to a transaction and a record in it.
    #[cfg(feature = "postgres")]
    Snapshot { seen: String, seeing: String, after: (i64, Uuid) },
}

/// The rows that were written since a cursor.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Tail {
    /// The rows, at most 10,000, in the order in which they were written as far as there is one.
    pub rows: Vec<LogRow>,
    /// The cursor to pass to the next call.
    pub cursor: TailCursor,
}
