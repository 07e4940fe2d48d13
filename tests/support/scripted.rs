//! A sink that follows a script.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ragtrace::Sink;
use ragtrace::sink::{Batch, BatchLimits, Delivered, Needs, SinkError, Verdict};
use uuid::Uuid;

/// An attempt of a delivery, as passed to the script.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// The batch that is to be delivered.
    pub batch: &'a Batch,
    /// The number of earlier attempts, of any batch.
    pub before: usize,
}

/// The sink's reply to an attempt.
#[derive(Debug)]
pub enum Reply {
    /// Accepts the batch, unless it was accepted before, like a sink with a ledger.
    Take,
    /// Accepts all records but these.
    TakeBut(Vec<(usize, String)>),
    /// Accepts the batch, and answers that it failed, as if the answer was lost.
    Lie,
    /// Accepts the batch after this time.
    Slow(Duration),
    /// Never answers.
    Stall,
    /// Accepts nothing.
    Fail(SinkError),
}

type Script = Box<dyn FnMut(&Attempt<'_>) -> Reply + Send>;
type Taker = Box<dyn Fn(&ragtrace::Record) + Send>;

/// A sink that follows a script, and keeps a ledger of batch ids, so that nothing arrives twice.
/// Clones are the same sink, so that a test can inspect it.
#[derive(Clone)]
pub struct Scripted {
    name: &'static str,
    limits: BatchLimits,
    needs: Needs,
    state: Arc<Mutex<State>>,
}

struct State {
    script: Script,
    attempts: usize,
    /// The number of records in each batch, by the batch's id.
    ledger: HashMap<Uuid, usize>,
    /// The records of each batch at its first attempt, by the batch's id.
    seen: HashMap<Uuid, Vec<Uuid>>,
    take: Taker,
}

impl std::fmt::Debug for Scripted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scripted").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Scripted {
    /// Creates a sink that follows `script`, and passes every record that arrives to `take`.
    pub fn new(
        name: &'static str,
        script: impl FnMut(&Attempt<'_>) -> Reply + Send + 'static,
        take: impl Fn(&ragtrace::Record) + Send + 'static,
    ) -> Self {
        let (script, take) = (Box::new(script), Box::new(take));
        let state = State { script, attempts: 0, ledger: HashMap::new(), seen: HashMap::new(), take };
        Self { name, limits: BatchLimits::default(), needs: Needs::default(), state: Arc::new(Mutex::new(state)) }
    }

    /// Sets the sink's limits.
    pub fn with_limits(mut self, limits: BatchLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the sink's needs.
    pub fn with_needs(mut self, needs: Needs) -> Self {
        self.needs = needs;
        self
    }

    /// Returns the number of attempts so far.
    pub fn attempts(&self) -> usize {
        self.lock().attempts
    }

    /// Returns the number of batches that arrived.
    pub fn batches(&self) -> usize {
        self.lock().ledger.len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has(&self, batch: &Batch) -> bool {
        self.lock().ledger.contains_key(&batch.id())
    }

    fn take(&self, batch: &Batch, but: &[(usize, String)]) {
        let mut state = self.lock();
        if state.ledger.insert(batch.id(), batch.records().len()).is_none() {
            let taken = batch.records().iter().enumerate().filter(|(n, _)| !but.iter().any(|(index, _)| index == n));
            taken.for_each(|(_, record)| (state.take)(record));
        }
    }
}

impl Sink for Scripted {
    fn name(&self) -> &str {
        self.name
    }

    fn limits(&self) -> BatchLimits {
        self.limits
    }

    fn needs(&self) -> Needs {
        self.needs
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        let reply = {
            let mut state = self.lock();
            let ids: Vec<_> = batch.records().iter().map(ragtrace::Record::id).collect();
            let first = state.seen.entry(batch.id()).or_insert_with(|| ids.clone());
            assert_eq!(*first, ids, "a batch keeps its records over every attempt");
            let before = state.attempts;
            state.attempts += 1;
            (state.script)(&Attempt { batch, before })
        };
        match reply {
            Reply::Take => self.take(batch, &[]),
            Reply::TakeBut(rejected) => {
                self.take(batch, &rejected);
                return Ok(Delivered::partly(rejected));
            }
            Reply::Lie => {
                self.take(batch, &[]);
                return Err(SinkError::retry("the answer was lost"));
            }
            Reply::Slow(delay) => {
                tokio::time::sleep(delay).await;
                self.take(batch, &[]);
            }
            Reply::Stall => std::future::pending().await,
            // A ledger recognizes the batch before its size or contents are examined.
            Reply::Fail(error) if error.verdict() == Verdict::Retry || !self.has(batch) => return Err(error),
            Reply::Fail(_) => {}
        }
        Ok(Delivered::all())
    }
}
