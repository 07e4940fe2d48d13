//! Rows of `instances`: the processes that a batch tells of.

use ragtrace::sink::Batch;
use ragtrace::{Origin, Timestamp};
use uuid::Uuid;

/// A row of `instances`: a process, and when a batch says that it lived.
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

    /// The process that the counts of a batch are of: the one that closed it, else that of its
    /// first record.
    pub(crate) fn of(batch: &'a Batch) -> Option<Self> {
        let closed = batch.origin().zip(batch.closed_at());
        let first = || batch.records().first().map(|record| (record.origin(), record.timestamp()));
        closed.or_else(first).map(|(origin, at)| Self::new(origin, at))
    }

    /// Every process that a batch tells of, in the order of their ids.
    pub(crate) fn all_of(batch: &'a Batch) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        let records = batch.records().iter().map(|record| (record.origin(), record.timestamp()));
        for (origin, at) in batch.origin().zip(batch.closed_at()).into_iter().chain(records) {
            // A batch is of one process nearly always, and of few otherwise.
            match all.iter_mut().find(|process| process.instance == origin.instance()) {
                Some(process) => (process.first, process.last) = (process.first.min(at), process.last.max(at)),
                None => all.push(Self::new(origin, at)),
            }
        }
        all.sort_by_key(|process| process.instance);
        all
    }
}
