//! Reading the queue in slices.

use std::time::Instant;

use ragtrace_core::queue::Consumer;
use ragtrace_core::{Event, Level, Timestamp};

use super::pending::PendingFlush;
use super::state::Worker;

/// The number of entries of one thread that are read before their records are dispatched.
const SLICE_ENTRIES: usize = 128;
/// The number of slices of one thread that are read before those of the next thread and the answers
/// of sinks are handled.
const SLICES_A_TURN: usize = 16;

impl Worker {
    /// Reads some slices of every chain, and dispatches the records.
    pub(super) fn drain_queue(&mut self) {
        self.consumers.append(&mut self.queue.take_new_consumers());
        self.is_behind = false;
        let mut index = 0;
        while index < self.consumers.len() {
            if self.drain_chain(index) {
                index += 1;
            } else {
                self.consumers.remove(index);
            }
        }
        let is_complete = !self.is_behind;
        let Self { assembler, sanitizer, .. } = self;
        assembler.end_turn(is_complete, |name, text| sanitizer.is_clean(name, text));
        let now = Instant::now();
        let time = Timestamp::now();
        if self.stage_counts.is_due(now, time) {
            self.stage_counts.add(self.assembler.take_minutes(None));
        }
        let minutes = self.stage_counts.take(Some(time));
        self.dispatch_assembled(minutes);
        // Held records age even if nothing arrives.
        self.sampler.enforce_bounds(now);
        self.update_write_ahead(&[], now);
        let is_flush_waiting = self.flushes.iter().any(PendingFlush::waits_for_the_queue);
        if !is_flush_waiting || !self.consumers.iter().all(Consumer::has_reached_flush_target) {
            self.flush_turn = None;
        } else if self.assembler.defers_any_before(*self.flush_turn.get_or_insert(self.assembler.turn())) {
            // The deferred ends become records after the next visit of the chains, or the one after
            // that.
            self.is_behind = true;
        } else {
            self.flush_turn = None;
            self.close_batches();
        }
    }

    /// Counts the entries in the queue as records that will not be read.
    pub(super) fn discard_queue(&mut self) {
        self.consumers.append(&mut self.queue.take_new_consumers());
        let deferred = self.assembler.forget_deferred();
        self.count_unread(deferred as u64);
        let Self { queue, requests, assembler, consumers, unread, filter, .. } = self;
        consumers.retain_mut(|consumer| {
            loop {
                let read = queue.drain(consumer, requests, SLICE_ENTRIES, |entry| {
                    if let Some((level, event, target)) = assembler.forget_entry(&entry)
                        // A log line is queued only if some sink takes it by its own target.
                        && (event == Event::Log || filter.takes(level, event, || target))
                    {
                        unread.add(level, 1);
                    }
                });
                match read {
                    Some(SLICE_ENTRIES) => {}
                    read => return read.is_some(),
                }
            }
        });
    }

    /// Counts records of unknown level that will not be read.
    pub(super) fn count_unread(&mut self, records: u64) {
        self.unread.add(Level::Info, records);
    }

    /// Reads some slices of one chain, and returns `true` if there may be more.
    fn drain_chain(&mut self, index: usize) -> bool {
        for _ in 0..SLICES_A_TURN {
            let Self { queue, requests, assembler, sanitizer, consumers, .. } = self;
            let consumer = &mut consumers[index];
            let is_clean = |name, text: &str| sanitizer.is_clean(name, text);
            let read = queue.drain(consumer, requests, SLICE_ENTRIES, |entry| assembler.add_entry(&entry, is_clean));
            if self.assembler.is_full() {
                self.dispatch_assembled(Vec::new());
            }
            match read {
                Some(SLICE_ENTRIES) => {}
                read => return read.is_some(),
            }
        }
        self.is_behind = true;
        true
    }
}
