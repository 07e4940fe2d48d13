//! Records that a store does not have yet, as batches for its sink.
//!
//! A record is missing if its id is neither among the rows nor in the archive nor among the scores.
//! The counts of a missing record are missing too, unless its process had counted the run itself: a
//! level or sampling may have kept the record out of the store, or retention may have removed it,
//! while the counts stay. So a request counts as counted if there is one of the same trace,
//! operation and end, and a run if its process has counts of its stage and tenant in its minute.
//!
//! New counts are stored under a process id of their own, derived from the process's. So they are
//! never mistaken for counts that the process made, and the next records of the same minute are
//! still counted. Rows and counts of a batch are written in one transaction: an import that was
//! stopped at any moment has counted exactly the records that are stored.

use std::collections::{BTreeMap, HashSet};

use ragtrace::metrics::{RequestMetric, StageMinute};
use ragtrace::sink::Batch;
use ragtrace::{Origin, Record, Timestamp};
use uuid::Uuid;

/// The records that a store does not have, of those that it was asked about.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Missing {
    /// The missing records, with the counts that are missing too, for [`sink`](crate::sink). Each
    /// batch has the records of one process, and an id that is derived from their content.
    pub batches: Vec<Batch>,
    /// The number of records that are stored already, or were given twice.
    pub stored: usize,
}

/// The counts that a store has, of those that it was asked about.
#[derive(Debug, Default)]
pub(crate) struct Recounted {
    /// Requests, by trace, operation and end.
    pub(crate) requests: HashSet<(String, String, String)>,
    /// Runs, by minute, process, stage and tenant.
    pub(crate) minutes: HashSet<(String, String, String, String)>,
}

/// Removes the records that are stored, and those that occur twice. Returns the rest, and the
/// number of those removed.
pub(crate) fn without_stored(records: Vec<Record>, stored: &HashSet<Uuid>) -> (Vec<Record>, usize) {
    let (asked, mut seen) = (records.len(), HashSet::with_capacity(records.len()));
    let missing: Vec<Record> =
        records.into_iter().filter(|record| !stored.contains(&record.id()) && seen.insert(record.id())).collect();
    let removed = asked - missing.len();
    (missing, removed)
}

/// Returns the requests and the minutes of the runs that the records end, as texts for a query:
/// traces, minutes and processes.
pub(crate) fn to_ask_about(records: &[Record]) -> [Vec<String>; 3] {
    let ends = || records.iter().filter(|record| record.event().is_end());
    let distinct = |mut texts: Vec<String>| {
        texts.sort_unstable();
        texts.dedup();
        texts
    };
    [
        distinct(ends().filter_map(RequestMetric::of).map(|request| request.trace_id().to_string()).collect()),
        distinct(ends().filter_map(StageMinute::of).map(|run| run.minute().to_string()).collect()),
        distinct(ends().map(|record| record.instance().to_string()).collect()),
    ]
}

/// Returns the records as batches of one process each, with the requests and runs that are not
/// counted yet.
pub(crate) fn batches(records: Vec<Record>, counted: &Recounted) -> Vec<Batch> {
    let mut processes: BTreeMap<Uuid, Vec<Record>> = BTreeMap::new();
    for record in records {
        processes.entry(record.instance()).or_default().push(record);
    }
    processes.into_values().map(|records| batch(records, counted)).collect()
}

fn batch(records: Vec<Record>, counted: &Recounted) -> Batch {
    let requests: Vec<_> = records.iter().filter_map(RequestMetric::of).filter(|r| !has_request(counted, r)).collect();
    let instance = records.first().map(Record::instance).unwrap_or_default();
    let mut minutes = StageMinute::all_of(&records);
    minutes.retain(|minute| !has_minute(counted, instance, minute));
    let last = records.iter().map(Record::timestamp).max().unwrap_or(Timestamp::from_micros(0));
    let id = records.iter().fold(Uuid::NAMESPACE_OID, |id, record| Uuid::new_v5(&id, record.to_json().as_bytes()));
    let origin = records.first().map(|record| counting(record.origin()));
    let batch = Batch::new(id, records).with_metrics(requests, minutes);
    match origin {
        Some(origin) => batch.with_origin(origin, last),
        None => batch,
    }
}

fn has_request(counted: &Recounted, request: &RequestMetric) -> bool {
    let key = (request.trace_id().to_string(), request.operation().to_owned(), request.timestamp().to_string());
    counted.requests.contains(&key)
}

fn has_minute(counted: &Recounted, instance: Uuid, minute: &StageMinute) -> bool {
    let tenant = minute.tenant_id().unwrap_or_default().to_owned();
    counted.minutes.contains(&(minute.minute().to_string(), instance.to_string(), minute.stage().to_owned(), tenant))
}

/// Returns the process under which the runs of `origin` are counted.
fn counting(origin: &Origin) -> Origin {
    let mut counting = Origin::new(Uuid::new_v5(&origin.instance(), b"import"));
    if let Some(service) = origin.service() {
        counting = counting.with_service(service);
    }
    if let Some(environment) = origin.environment() {
        counting = counting.with_environment(environment);
    }
    if let Some(version) = origin.version() {
        counting = counting.with_version(version);
    }
    if let Some(host) = origin.host() {
        counting = counting.with_host(host);
    }
    counting
}
