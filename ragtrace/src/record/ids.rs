//! Ids of records.

use ragtrace_core::Timestamp;
use ragtrace_core::id::{random, record_id};
use uuid::Uuid;

use super::origin::Origin;

/// Where the ids of a chunk's records come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RecordIds {
    /// From a random number and a record's index.
    Random(u64),
    /// In tests that compare records with what was written down: they are numbers, from this one
    /// on.
    Numbered(u64),
}

impl RecordIds {
    pub(super) fn random() -> Self {
        Self::Random(random())
    }

    /// Returns those of the records of one process. Its own id tells them from those of a process
    /// that was forked with the same random numbers to come.
    pub(crate) fn of_process(origin: &Origin) -> Self {
        let (_, instance) = origin.instance.as_u64_pair();
        Self::Random(random() ^ instance)
    }

    /// Returns those of a chunk that begins with the record at `index` of this one's.
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
