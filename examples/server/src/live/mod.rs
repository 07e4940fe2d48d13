//! Traces while they run, and an example of a custom sink.
//!
//! A sink is settings and a verdict: [`LiveSink`] says how it wants its batches (small, and at most
//! 50 ms old), puts each into memory, and answers that everything arrived. The pipeline does the
//! rest, as for every other sink: it drains the queue, gathers batches, waits, and counts. The sink
//! is called on the pipeline's own thread and must not block. So the lock is held, by readers too,
//! only while a batch is copied.
//!
//! The memory is bounded: the newest 512 traces, of each the newest 2,000 events and at most 4,000
//! runs, and 64 MiB in all. Older ones are removed, and a client that follows a trace is told how
//! many events it missed. There is no queue per reader: each has a position in the events of a
//! trace and reads what follows it, as slowly as it likes.

mod memory;
mod sink;
mod trace_log;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ragtrace::{Record, TraceId};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::trace_view::TraceView;
use memory::Memory;
pub use sink::LiveSink;
pub(crate) use trace_log::{Ended, Happening, Reading};

/// The recent traces. Clones share them.
#[derive(Debug, Clone)]
pub struct Live {
    memory: Arc<Mutex<Memory>>,
    /// Changes with each batch.
    arrived: Arc<watch::Sender<()>>,
}

impl Live {
    /// Creates an empty memory.
    pub fn new() -> Self {
        Self { memory: Arc::default(), arrived: Arc::new(watch::Sender::new(())) }
    }

    /// Creates an empty memory for a service whose users are known. It keeps no traces without a
    /// tenant.
    pub fn of_tenants() -> Self {
        Self { memory: Arc::new(Mutex::new(Memory::of_tenants())), ..Self::new() }
    }

    /// Returns the sink that fills the memory.
    pub fn sink(&self) -> LiveSink {
        LiveSink::new(self.clone())
    }

    /// Adds a batch of records. Threads write independently, so the batch is sorted by time first:
    /// a stage is then shown after the one that contains it.
    fn accept(&self, records: &[Record]) {
        let mut in_order: Vec<_> = records.iter().collect();
        in_order.sort_by_key(|record| (record.timestamp(), record.event().is_end()));
        {
            let mut memory = self.lock();
            for record in in_order {
                memory.add(record);
            }
        }
        self.arrived.send_replace(());
    }

    /// Returns a receiver that changes whenever records have arrived.
    pub(crate) fn arrivals(&self) -> watch::Receiver<()> {
        self.arrived.subscribe()
    }

    /// Returns what happened in a trace after the event with this number, for `tenant`.
    pub(crate) fn read(&self, id: TraceId, after: u64, tenant: Option<&str>) -> Reading {
        match self.lock().trace(id) {
            None => Reading::Nothing,
            Some(trace) if trace.owner() != tenant => Reading::Foreign,
            Some(trace) => trace.read(after),
        }
    }

    /// Returns `true` if a trace does not belong to `tenant`, or `None` if the trace is not known.
    pub(crate) fn is_foreign(&self, id: TraceId, tenant: &str) -> Option<bool> {
        self.lock().trace(id).map(|trace| trace.owner() != Some(tenant))
    }

    /// Waits until enough of a trace is known, but for no longer than `limit`.
    pub(crate) async fn await_trace(
        &self,
        id: TraceId,
        (mut known, limit): (Option<TraceView>, Duration),
        is_enough: impl Fn(&TraceView) -> bool,
    ) -> Option<TraceView> {
        let mut arrivals = self.arrivals();
        let deadline = Instant::now() + limit;
        loop {
            known = TraceView::fuller(known, self.view(id));
            let is_over = known.as_ref().is_some_and(&is_enough);
            if is_over || !matches!(tokio::time::timeout_at(deadline, arrivals.changed()).await, Ok(Ok(()))) {
                return known;
            }
        }
    }

    /// Returns everything that is known of a trace.
    pub(crate) fn view(&self, id: TraceId) -> Option<TraceView> {
        self.lock().trace(id).map(|trace| trace.view(id))
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use ragtrace::SpanId;
    use ragtrace::testing::RecordBuilder;

    use super::*;

    #[tokio::test]
    async fn a_run_that_is_on_its_way_is_waited_for() {
        let (live, id) = (Live::new(), TraceId::new());
        let start = |span: SpanId| RecordBuilder::started("work").trace_id(id).span_id(span).build();
        let (root, child) = (SpanId::new(), SpanId::new());
        live.accept(&[start(root)]);
        let wait = live.await_trace(id, (None, Duration::from_mins(1)), |view| view.has_run(child));
        let arrive = async { live.accept(&[start(child)]) };
        let (view, ()) = tokio::join!(wait, arrive);
        assert!(view.expect("known").has_run(child));
        let view = live.await_trace(id, (None, Duration::ZERO), |_| false).await;
        assert!(view.expect("known").has_run(root), "what there is, when the time is over");
    }
}
