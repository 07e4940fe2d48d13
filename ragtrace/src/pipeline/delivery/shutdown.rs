//! The end of a delivery: remaining batches go to disk or are dropped.

use super::outgoing::AwaitingDisk;
use super::sink_delivery::SinkDelivery;

impl SinkDelivery {
    /// Stores all batches that are in memory.
    pub(crate) fn spool_rest(&mut self) {
        self.close_batch();
        self.is_ending = true;
        if self.spooled.is_none() {
            return;
        }
        let in_flight = std::mem::take(&mut self.in_flight).into_values();
        let all: Vec<_> = in_flight.chain(self.ready.drain(..)).chain(self.backlog.drain(..)).collect();
        for outgoing in all {
            self.move_to_disk(outgoing);
        }
    }

    /// Drops everything that is only in memory.
    pub(crate) fn give_up(&mut self, why: &str) {
        self.close_batch();
        let in_flight = std::mem::take(&mut self.in_flight).into_values();
        let awaiting = std::mem::take(&mut self.awaiting_disk).into_values().map(AwaitingDisk::into_outgoing);
        let waiting = self.ready.drain(..).chain(self.backlog.drain(..));
        for outgoing in in_flight.chain(waiting).chain(awaiting).collect::<Vec<_>>() {
            if outgoing.key.is_some() { self.leave_on_disk(&outgoing) } else { self.drop_batch(&outgoing, why) }
        }
        self.unfinished.clear();
        self.memory = 0;
        // Nothing remains, unless a panic interrupted an update of the counts; then the rest is
        // counted as dropped.
        let account = &self.account;
        let settled = account.delivered + account.spooled + account.dead_lettered + account.dropped;
        let left = (account.accepted + account.recovered).saturating_sub(settled);
        self.account.pending = 0;
        self.drop_records(left, why);
    }
}
