//! The contract of a sink: it turns a batch into requests and judges the answer.
//!
//! Everything else is the pipeline's: batching, retries and their timing, splitting, what to do with a record that
//! nobody wants. A sink holds no loop, no timer and no queue. It connects when it is first used, so an application
//! starts while its database is down.
//!
//! A batch may be delivered more than once (its answer may be lost); its [`Batch::id`] is the same then. A sink that
//! writes the id and the rows in one transaction delivers exactly once.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ragtrace_core::Timestamp;
use uuid::Uuid;

use crate::metrics::{RequestMetric, StageMinute};
use crate::record::{Origin, Record};

/// A destination of records.
pub trait Sink: Send + Sync + 'static {
    /// A short name for reports and warnings: `sqlite`, `datadog`.
    fn name(&self) -> &str;

    /// When a batch is full, and how many may be under way at once.
    fn limits(&self) -> BatchLimits {
        BatchLimits::default()
    }

    /// Delivers one batch. The future runs on the pipeline's own thread, inside its tokio runtime: it must not block. One
    /// that panics is tried again; a batch over which it goes on to panic counts as [`SinkError::rejected`].
    fn deliver(&self, batch: &Batch) -> impl Future<Output = Result<Delivered, SinkError>> + Send;

    /// Lets go of connections, after the last batch.
    fn close(&self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// When a batch is closed, and how many may be under way at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchLimits {
    /// Records in a batch; at least 1.
    pub records: usize,
    /// Bytes in a batch, as an estimate of the records' canonical JSON.
    pub bytes: usize,
    /// How long the first record of a batch waits for more.
    pub age: Duration,
    /// Batches under way at once; at least 1.
    pub in_flight: usize,
}

impl Default for BatchLimits {
    /// 1,000 records, 1 MiB, 1 second, 1 under way.
    fn default() -> Self {
        Self { records: 1_000, bytes: 1 << 20, age: Duration::from_secs(1), in_flight: 1 }
    }
}

impl BatchLimits {
    /// The same with another number of records.
    pub fn with_records(mut self, records: usize) -> Self {
        self.records = records;
        self
    }

    /// The same with another number of bytes.
    pub fn with_bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// The same with another age.
    pub fn with_age(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    /// The same with another number under way.
    pub fn with_in_flight(mut self, in_flight: usize) -> Self {
        self.in_flight = in_flight;
        self
    }
}

/// Records that travel together, and what was counted meanwhile. A clone shares them.
///
/// A batch without records carries counts alone, or nothing: it says that its process lives. A sink that has no use for
/// those answers [`Delivered::all`].
#[derive(Clone, Debug)]
pub struct Batch {
    id: Uuid,
    records: Arc<Vec<Record>>,
    requests: Arc<Vec<RequestMetric>>,
    minutes: Arc<Vec<StageMinute>>,
    /// An estimate, in bytes, of what the records take.
    memory: usize,
    sent: Option<(Arc<Origin>, Timestamp)>,
}

impl Batch {
    /// A batch of records with an id of its own. The pipeline makes them; a sink's tests may too.
    pub fn new(id: Uuid, records: impl Into<Vec<Record>>) -> Self {
        let records: Vec<_> = records.into();
        let memory = records.iter().map(Record::memory_estimate).sum();
        Self::with_memory(id, records, memory)
    }

    /// The same of records that are known to take so much memory.
    pub(crate) fn with_memory(id: Uuid, records: Vec<Record>, memory: usize) -> Self {
        let records = Arc::new(records);
        Self { id, records, requests: Arc::default(), minutes: Arc::default(), memory, sent: None }
    }

    /// The same with these counts.
    pub fn with_metrics(mut self, requests: Vec<RequestMetric>, minutes: Vec<StageMinute>) -> Self {
        self.requests = Arc::new(requests);
        self.minutes = Arc::new(minutes);
        self
    }

    /// The same from this process, which closed it at this time.
    pub fn with_origin(mut self, origin: impl Into<Arc<Origin>>, closed_at: Timestamp) -> Self {
        self.sent = Some((origin.into(), closed_at));
        self
    }

    /// The batch's id, the same over every attempt to deliver it.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// The records, in the order they were accepted.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Requests that finished, also those whose records the level hides.
    pub fn requests(&self) -> &[RequestMetric] {
        &self.requests
    }

    /// Counts of stages by the minute, to be added to what is stored for the same minute, instance and tenant.
    pub fn minutes(&self) -> &[StageMinute] {
        &self.minutes
    }

    /// Whether there is neither a record nor a count in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.requests.is_empty() && self.minutes.is_empty()
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn memory_estimate(&self) -> usize {
        self.memory + self.requests.len() * RequestMetric::MEMORY + self.minutes.len() * StageMinute::MEMORY
    }

    /// The process that closed the batch, whose counts these are. Its records may be of other processes.
    pub fn origin(&self) -> Option<&Origin> {
        self.sent.as_ref().map(|(origin, _)| &**origin)
    }

    /// When the batch was closed: its process lived then.
    pub fn closed_at(&self) -> Option<Timestamp> {
        self.sent.as_ref().map(|(_, at)| *at)
    }

    /// The two halves of a batch of at least two records. Their ids follow from its id, so they are the same whenever
    /// it is split (UUID version 5 of the parent and the range). The first half has the counts.
    pub(crate) fn halve(&self) -> [Self; 2] {
        let middle = self.records.len() / 2;
        let half = |from: usize, to: usize| {
            let id = Uuid::new_v5(&self.id, format!("{from}..{to}").as_bytes());
            Self { sent: self.sent.clone(), ..Self::new(id, &self.records[from..to]) }
        };
        let first =
            Self { requests: Arc::clone(&self.requests), minutes: Arc::clone(&self.minutes), ..half(0, middle) };
        [first, half(middle, self.records.len())]
    }
}

/// A batch that arrived, perhaps without some of its records.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Delivered {
    rejected: Vec<(usize, String)>,
}

impl Delivered {
    /// Every record arrived.
    pub fn all() -> Self {
        Self::default()
    }

    /// All arrived but these: their index in the batch, and why the backend refused them for good.
    pub fn partly(rejected: impl IntoIterator<Item = (usize, String)>) -> Self {
        Self { rejected: rejected.into_iter().collect() }
    }

    /// The same with the reasons in other words.
    pub(crate) fn reworded(mut self, mut words: impl FnMut(&mut String)) -> Self {
        self.rejected.iter_mut().for_each(|(_, why)| words(why));
        self
    }

    /// The records that were refused.
    pub fn rejected(&self) -> &[(usize, String)] {
        &self.rejected
    }
}

/// Why a batch did not arrive, and so what the pipeline does with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkError {
    verdict: Verdict,
    why: String,
    after: Option<Duration>,
    is_panic: bool,
}

/// What the pipeline does with a batch that did not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The same again, later.
    Retry,
    /// The halves of it, since it is too large.
    Split,
    /// The halves of it, to find the record that the backend cannot take.
    Rejected,
    /// Nothing until an operator has acted; a probe now and then.
    Park,
    /// Nothing any more: the sink is at its end.
    Closed,
}

impl SinkError {
    /// Something that passes: the backend is down, slow or busy.
    pub fn retry(why: impl fmt::Display) -> Self {
        Self::new(Verdict::Retry, why)
    }

    /// The batch is too large for the backend.
    pub fn split(why: impl fmt::Display) -> Self {
        Self::new(Verdict::Split, why)
    }

    /// The backend will never take this batch as it is: there is bad data in it.
    pub fn rejected(why: impl fmt::Display) -> Self {
        Self::new(Verdict::Rejected, why)
    }

    /// Nothing can be delivered before an operator acts: bad credentials, a missing folder, a newer schema.
    pub fn park(why: impl fmt::Display) -> Self {
        Self::new(Verdict::Park, why)
    }

    /// The sink cannot go on, whatever it is given.
    pub fn closed(why: impl fmt::Display) -> Self {
        Self::new(Verdict::Closed, why)
    }

    /// The sink panicked: perhaps over something that passes, perhaps over a record.
    pub(crate) fn panicked(why: impl fmt::Display) -> Self {
        Self { is_panic: true, ..Self::retry(format_args!("the sink panicked: {why}")) }
    }

    pub(crate) fn is_panic(&self) -> bool {
        self.is_panic
    }

    /// The backend asks to wait this long before the next attempt (`Retry-After`).
    pub fn after(mut self, delay: Duration) -> Self {
        self.after = Some(delay);
        self
    }

    /// What the pipeline does.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// How long the backend asked to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.after
    }

    /// The same in other words.
    pub(crate) fn reworded(mut self, words: impl FnOnce(&mut String)) -> Self {
        words(&mut self.why);
        self
    }

    fn new(verdict: Verdict, why: impl fmt::Display) -> Self {
        Self { verdict, why: why.to_string(), after: None, is_panic: false }
    }
}

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for SinkError {}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Any sink, its type forgotten.
pub struct BoxSink(Box<dyn Erased>);

impl BoxSink {
    /// Forgets the type of `sink`.
    pub fn new(sink: impl Sink) -> Self {
        Self(Box::new(sink))
    }
}

impl fmt::Debug for BoxSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BoxSink").field(&self.0.name()).finish()
    }
}

impl Sink for BoxSink {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn limits(&self) -> BatchLimits {
        self.0.limits()
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        self.0.deliver(batch).await
    }

    async fn close(&self) {
        self.0.close().await;
    }
}

impl<S: Sink> Sink for Arc<S> {
    fn name(&self) -> &str {
        S::name(self)
    }

    fn limits(&self) -> BatchLimits {
        S::limits(self)
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        S::deliver(self, batch).await
    }

    async fn close(&self) {
        S::close(self).await;
    }
}

trait Erased: Send + Sync {
    fn name(&self) -> &str;
    fn limits(&self) -> BatchLimits;
    fn deliver<'a>(&'a self, batch: &'a Batch) -> Boxed<'a, Result<Delivered, SinkError>>;
    fn close(&self) -> Boxed<'_, ()>;
}

impl<S: Sink> Erased for S {
    fn name(&self) -> &str {
        Sink::name(self)
    }

    fn limits(&self) -> BatchLimits {
        Sink::limits(self)
    }

    fn deliver<'a>(&'a self, batch: &'a Batch) -> Boxed<'a, Result<Delivered, SinkError>> {
        Box::pin(Sink::deliver(self, batch))
    }

    fn close(&self) -> Boxed<'_, ()> {
        Box::pin(Sink::close(self))
    }
}

/// Counts records and forgets them: for benchmarks, and for trying things out.
#[derive(Debug, Default)]
pub struct Discard {
    seen: AtomicU64,
}

impl Discard {
    /// A sink that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many records it was given.
    pub fn seen(&self) -> u64 {
        self.seen.load(Ordering::Relaxed)
    }
}

impl Sink for Discard {
    fn name(&self) -> &'static str {
        "discard"
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        self.seen.fetch_add(batch.records().len() as u64, Ordering::Relaxed);
        Ok(Delivered::all())
    }
}

/// Writes each record's canonical JSON as a line to any writer, whole batches at a time.
#[derive(Debug)]
pub struct JsonLines<W> {
    /// The writer, and memory that a batch is written to first, so that a batch is whole or absent.
    writer: std::sync::Mutex<(W, Vec<u8>)>,
}

impl<W: std::io::Write + Send + 'static> JsonLines<W> {
    /// Lines to `writer`. A writer that blocks holds up every sink's deliveries, so give it one that does not (a
    /// file, a buffer); the console has a thread of its own.
    pub fn new(writer: W) -> Self {
        Self { writer: std::sync::Mutex::new((writer, Vec::new())) }
    }
}

impl<W: std::io::Write + Send + 'static> Sink for JsonLines<W> {
    fn name(&self) -> &'static str {
        "json_lines"
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        /// More than a usual batch takes is given back.
        const KEPT: usize = 2 << 20;
        let mut writer = self.writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (writer, lines) = &mut *writer;
        lines.clear();
        lines.shrink_to(KEPT);
        for record in batch.records() {
            record.write_json(lines);
            lines.push(b'\n');
        }
        writer.write_all(lines).and_then(|()| writer.flush()).map(|()| Delivered::all()).map_err(SinkError::retry)
    }
}
