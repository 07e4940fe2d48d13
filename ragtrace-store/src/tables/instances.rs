//! Rows of `instances`: the processes that have records in a batch.

use ragtrace::sink::Batch;
use ragtrace::{Origin, Timestamp};
use uuid::Uuid;

/// A row of `instances`: a process, and when a batch shows that it was alive.
#[derive(Clone, Debug)]
pub(crate) struct InstanceRow<'a> {
    pub(crate) instance: Uuid,
    pub(crate) service: Option<&'a str>,
    pub(crate) environment: Option<&'a str>,
    pub(crate) version: Option<&'a str>,
    pub(crate) host: Option<&'a str>,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
}

impl<'a> InstanceRow<'a> {
    fn new(origin: &'a Origin, at: Timestamp) -> Self {
        Self {
            instance: origin.instance(),
            service: origin.service(),
            environment: origin.environment(),
            version: origin.version(),
            host: origin.host(),
            first: at,
            last: at,
        }
    }

    /// Returns the process that the counts of a batch belong to: the one that closed the batch,
    /// else that of its first record.
    pub(crate) fn of(batch: &'a Batch) -> Option<Self> {
        let closed = batch.origin().zip(batch.closed_at());
        let first = || batch.records().first().map(|record| (record.origin(), record.timestamp()));
        closed.or_else(first).map(|(origin, at)| Self::new(origin, at))
    }

    /// Returns every process that a batch has records of, in the order of their ids.
    pub(crate) fn all_of(batch: &'a Batch) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        let records = batch.records().iter().map(|record| (record.origin(), record.timestamp()));
        for (origin, at) in batch.origin().zip(batch.closed_at()).into_iter().chain(records) {
            // A batch nearly always comes from one process, and otherwise from few.
            match all.iter_mut().find(|process| process.instance == origin.instance()) {
                Some(process) => (process.first, process.last) = (process.first.min(at), process.last.max(at)),
                None => all.push(Self::new(origin, at)),
            }
        }
        all.sort_by_key(|process| process.instance);
        all
    }
}
