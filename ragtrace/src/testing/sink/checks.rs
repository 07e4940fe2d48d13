//! The checks of a sink, in the order in which they run.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ragtrace_core::Level;
use uuid::Uuid;

use super::attempt::{Attempts, line};
use super::batches::{self, Batches};
use super::report::SinkReport;
use crate::sink::{Batch, Sink, fault_of_name};

/// The maximum number of batches that are delivered at the same time, even if the sink allows
/// more.
const MOST_AT_ONCE: usize = 8;

/// A function that returns the number of records in the backend.
pub(super) type Count = Box<dyn Fn() -> Pin<Box<dyn Future<Output = usize>>> + Send>;

/// A test that is running.
pub(super) struct Checks<S> {
    attempts: Attempts<S>,
    count: Option<Count>,
    batches: Batches,
    report: SinkReport,
    /// The number of records that should have arrived so far.
    arrived: usize,
}

impl<S: Sink> Checks<S> {
    pub(super) fn new(sink: S, count: Option<Count>, timeout: Duration) -> Self {
        let filter = sink.needs().filter(Sink::level(&sink).unwrap_or(Level::Trace));
        let report = SinkReport::new(sink.name().to_owned());
        let attempts = Attempts { sink: Arc::new(sink), timeout };
        Self { attempts, count, batches: Batches::new(filter), report, arrived: 0 }
    }

    pub(super) async fn run(mut self) -> SinkReport {
        self.arrived = self.counted().await.unwrap_or(0);
        self.name_and_limits();
        self.check().await;
        let batch = self.batches.of([]);
        self.deliver("an empty batch", &batch).await;
        let batch = self.batches.of(batches::events());
        self.deliver("a record of each event and level", &batch).await;
        self.deliver_again("the same batch again", &batch).await;
        let batch = self.batches.of(batches::parts());
        self.deliver("records with every part, and with as few parts as possible", &batch).await;
        let batch = self.batches.of(batches::texts());
        self.deliver("texts with NUL, emoji, control characters and 8 KiB", &batch).await;
        let batch = self.batches.of(batches::extremes());
        self.deliver("extreme numbers and times", &batch).await;
        let batch = self.batches.of_counts();
        self.deliver("metrics of requests and stages without a record", &batch).await;
        self.deliver_again("the same metrics again", &batch).await;
        self.largest().await;
        self.several_at_once().await;
        self.close().await;
        self.report
    }

    fn name_and_limits(&mut self) {
        let sink = &self.attempts.sink;
        let (name, limits) = (sink.name(), sink.limits());
        let mut faults: Vec<_> = fault_of_name(name).into_iter().collect();
        if limits.records == 0 || limits.bytes == 0 || limits.in_flight == 0 {
            faults.push(format!("a limit is zero: {limits:?}"));
        }
        if sink.name() != name || sink.limits() != limits {
            faults.push("name and limits should be the same at every call".to_owned());
        }
        self.report.add("a valid name, and limits that do not change", faults);
    }

    async fn check(&mut self) {
        let sink = Arc::clone(&self.attempts.sink);
        let answer = self.attempts.call("check", async move { sink.check().await }).await;
        let mut faults = match answer {
            Ok(Ok(line)) if line.trim().is_empty() || line.contains('\n') => {
                vec![format!("it should return one line that says what works, and returned {line:?}")]
            }
            Ok(Ok(_)) => Vec::new(),
            Ok(Err(error)) => vec![line(&error)],
            Err(why) => vec![why],
        };
        self.expect_arrived(&mut faults).await;
        self.report.add("`check` before the first delivery, which delivers nothing", faults);
    }

    /// Delivers a batch, and checks that all its records arrive.
    async fn deliver(&mut self, what: &'static str, batch: &Batch) {
        let mut faults = Vec::new();
        self.attempts.deliver(batch, &mut faults).await;
        self.arrived += batch.records().len();
        self.expect_arrived(&mut faults).await;
        self.report.add(what, faults);
    }

    /// Delivers a batch again, and checks that it is acknowledged, and that nothing more arrives if
    /// the sink claims exactly-once delivery.
    async fn deliver_again(&mut self, what: &'static str, batch: &Batch) {
        let mut faults = Vec::new();
        self.attempts.deliver(batch, &mut faults).await;
        self.expect_arrived(&mut faults).await;
        self.report.add(what, faults);
    }

    async fn largest(&mut self) {
        let limits = self.attempts.sink.limits();
        let batch = self.batches.largest(limits);
        let mut faults = Vec::new();
        match self.attempts.attempt(&batch).await {
            Ok(Ok(delivered)) if delivered.rejected().is_empty() => {}
            Ok(Ok(delivered)) => faults.push(format!("{} records are refused", delivered.rejected().len())),
            Ok(Err(error)) => faults.push(format!(
                "a batch of {} records, which its limits allow, is refused ({})",
                batch.records().len(),
                line(&error)
            )),
            Err(why) => faults.push(why),
        }
        self.arrived += batch.records().len();
        self.expect_arrived(&mut faults).await;
        self.report.add("the largest batch that its limits allow, undivided", faults);
    }

    async fn several_at_once(&mut self) {
        let at_once = self.attempts.sink.limits().in_flight.clamp(1, MOST_AT_ONCE);
        let batches: Vec<_> = (0..at_once).map(|_| self.batches.of(batches::plain(5))).collect();
        let mut faults = Vec::new();
        let running: Vec<_> = batches
            .iter()
            .map(|batch| {
                let (sink, batch) = (Arc::clone(&self.attempts.sink), batch.clone());
                tokio::spawn(async move { sink.deliver(&batch).await })
            })
            .collect();
        for attempt in running {
            match self.attempts.call("deliver", attempt).await {
                Ok(Ok(Ok(_))) => {}
                Ok(Ok(Err(error))) => faults.push(line(&error)),
                Ok(Err(panic)) => faults.push(format!("`deliver` panicked: {panic}")),
                Err(why) => faults.push(why),
            }
        }
        self.arrived += batches.iter().map(|batch| batch.records().len()).sum::<usize>();
        self.expect_arrived(&mut faults).await;
        self.report.add("as many batches at once as its limits allow", faults);
    }

    async fn close(&mut self) {
        let mut faults = Vec::new();
        for _ in 0..2 {
            let sink = Arc::clone(&self.attempts.sink);
            faults.extend(self.attempts.call("close", async move { sink.close().await }).await.err());
        }
        self.expect_arrived(&mut faults).await;
        // Any answer will do, but there has to be one: the timeout of a shutdown may end before the
        // last answer arrives.
        let late = Batch::new(Uuid::now_v7(), []);
        faults.extend(self.attempts.attempt(&late).await.err());
        self.report.add("`close`, twice, and a batch afterwards", faults);
    }

    async fn counted(&self) -> Option<usize> {
        match &self.count {
            Some(count) => Some(count().await),
            None => None,
        }
    }

    /// Compares the number of records in the backend with the expected one, and reports a
    /// difference once.
    async fn expect_arrived(&mut self, faults: &mut Vec<String>) {
        if let Some(counted) = self.counted().await {
            if counted != self.arrived && faults.is_empty() {
                faults.push(format!("the backend should have {} records, and has {counted}", self.arrived));
            }
            self.arrived = counted;
        }
    }
}
