//! The end of a delivery: what is left goes to disk, or is given up.

use super::sink_delivery::SinkDelivery;

impl SinkDelivery {
    /// Has everything that is in memory put on disk.
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

    /// Gives up what is left in memory.
    pub(crate) fn give_up(&mut self) {
        let left = std::mem::take(&mut self.account.pending);
        self.memory = 0;
        if left > 0 {
            self.account.dropped += left;
            self.reporter.report_dropped(left, "the time for the shutdown was over");
        }
        self.ready.clear();
        self.backlog.clear();
        self.in_flight.clear();
        self.awaiting_disk.clear();
        self.unfinished.clear();
        let _ = self.batcher.close();
    }
}
