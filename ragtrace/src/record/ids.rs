//! The ids of records.

use ragtrace_core::Timestamp;
use ragtrace_core::id::{random, record_id};
use uuid::Uuid;

use super::origin::Origin;

/// The source of the ids of a chunk's records.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RecordIds {
    /// A random number, from which an id follows by the record's index.
    Random(u64),
    /// Consecutive numbers, beginning with this one, for tests that compare records with expected
    /// ones.
    Numbered(u64),
}

impl RecordIds {
    pub(super) fn random() -> Self {
        Self::Random(random())
    }

    /// Returns the ids for the records of one process. The process's own id is part of them, so
    /// that a forked process with the same random state has different ids.
    pub(crate) fn of_process(origin: &Origin) -> Self {
        let (_, instance) = origin.instance.as_u64_pair();
        Self::Random(random() ^ instance)
    }

    /// Returns the ids for a chunk that begins with the record at `index`.
    pub(crate) fn starting_at(self, index: usize) -> Self {
        match self {
            Self::Random(first) => Self::Random(first.wrapping_add(index as u64)),
            Self::Numbered(first) => Self::Numbered(first + index as u64),
        }
    }

    /// Returns the id of the first record, which was made at `timestamp`.
    pub(super) fn id_of_first(self, timestamp: Timestamp) -> Uuid {
        match self {
            Self::Random(number) => record_id(timestamp, number),
            Self::Numbered(number) => Uuid::from_u128(u128::from(number)),
        }
    }
}
