//! Handing out the batches that may be sent.

use std::time::{Duration, Instant};

use super::outgoing::SpooledBatches;
use super::sink_delivery::SinkDelivery;
use crate::sink::Batch;

/// The longest time without a batch; then an empty batch is sent, which shows that the process is
/// alive.
const HEARTBEAT: Duration = Duration::from_secs(30);

impl SinkDelivery {
    /// Closes the current batch if it is due, returns the batches to be sent now, and stores those
    /// that belong on disk.
    pub(crate) fn poll(&mut self, now: Instant) -> Vec<(u64, Batch)> {
        if self.batcher.due().is_some_and(|due| due <= now) {
            self.close_batch();
        }
        self.send_heartbeat(now);
        let sent = if self.may_send(now) { self.take_ready(now) } else { Vec::new() };
        self.spill(now);
        sent
    }

    /// Returns the time of the next poll, if nothing happens before.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let on_disk = self.spooled.as_ref().is_some_and(SpooledBatches::holds_any);
        let waits = !self.ready.is_empty() || !self.backlog.is_empty() || on_disk;
        let retry = self.not_before.filter(|_| waits && !self.is_closed);
        [self.batcher.due(), retry].into_iter().flatten().min()
    }

    fn may_send(&self, now: Instant) -> bool {
        !self.is_closed && !self.is_ending && self.not_before.is_none_or(|time| time <= now)
    }

    /// Takes the batches that may be sent now, live batches first.
    fn take_ready(&mut self, now: Instant) -> Vec<(u64, Batch)> {
        // After a failure, one batch at a time probes the sink.
        let is_probing = self.backoff.failures() > 0;
        let most = if is_probing { 1 } else { self.batch_limits.in_flight.max(1) };
        let mut sent = Vec::new();
        while self.in_flight.len() < most {
            let Some(outgoing) = self.ready.pop_front().or_else(|| self.backlog.pop_front()) else {
                self.load(is_probing, now);
                break;
            };
            let ticket = self.next_ticket();
            sent.push((ticket, outgoing.batch.clone()));
            self.in_flight.insert(ticket, outgoing);
        }
        sent
    }

    /// Sends an empty batch after a silence, unless another batch is on its way.
    fn send_heartbeat(&mut self, now: Instant) {
        let last = *self.last_batch.get_or_insert(now);
        let is_idle = self.ready.is_empty() && self.backlog.is_empty() && self.in_flight.is_empty() && !self.is_closed;
        if is_idle && self.batcher.due().is_none() && now.duration_since(last) >= HEARTBEAT {
            let batch = self.batcher.close_even_if_empty();
            let outgoing = self.register(batch);
            // A heartbeat is worthless later, so it is not stored before it is sent.
            self.ready.push_back(outgoing);
            self.last_batch = Some(now);
        }
    }
}
