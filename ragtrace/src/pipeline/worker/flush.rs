//! Flushes: each reads everything accepted before it, makes the deliveries close their batches, and
//! is answered when all of these are finished or its time is over.

use std::time::{Duration, Instant};

use ragtrace_core::queue::Consumer;

use super::config::Command;
use super::pending::{FlushTarget, PendingFlush, PendingShutdown, SPOOL_RESERVE};
use super::state::Worker;
use crate::pipeline::delivery::SinkDelivery;
use crate::pipeline::report::Report;

impl Worker {
    /// Begins to execute a command.
    pub(super) fn handle_command(&mut self, command: Command) {
        let (deadline, reply) = match command {
            Command::Flush { deadline, reply } => (deadline, Some(reply)),
            #[cfg(test)]
            Command::Panic => panic!("as it was told to"),
            #[cfg(test)]
            Command::PanicSpool => {
                if let Some(spool) = &self.spool {
                    let _ = spool.handle.send(crate::spool::SpoolCommand::Panic);
                }
                return;
            }
            Command::Shutdown { deadline, reply } => {
                self.shutdown = Some(PendingShutdown { deadline, reply });
                // Records that are not delivered by then have the remaining time to go to disk.
                let left = deadline.saturating_duration_since(Instant::now());
                let reserve = if self.spool.is_some() { (left / 4).min(SPOOL_RESERVE) } else { Duration::ZERO };
                (deadline.checked_sub(reserve).unwrap_or(deadline), None)
            }
        };
        // Everything that was accepted before the command is in the chains by now.
        self.consumers.append(&mut self.queue.take_new_consumers());
        self.consumers.iter_mut().for_each(Consumer::set_flush_target);
        self.flushes.push(PendingFlush { target: None, lost_before: self.lost_answered, deadline, reply });
    }

    /// Makes the deliveries close their batches for waiting flushes, once everything that they wait
    /// for has been read.
    pub(super) fn close_batches(&mut self) {
        // A flush includes the metrics of the current minute.
        self.stage_counts.add(self.assembler.take_minutes(None));
        let minutes = self.stage_counts.take(None);
        self.dispatch_assembled(minutes);
        self.dispatch_self_reports();
        let batches = self.deliveries.iter_mut().map(SinkDelivery::flush).collect();
        let write_ahead = self.write_ahead.as_mut().map_or(0, |write_ahead| write_ahead.flush(&mut self.sampler));
        let target = FlushTarget { batches, write_ahead };
        for flush in &mut self.flushes {
            flush.target.get_or_insert_with(|| target.clone());
        }
    }

    /// Answers the flushes whose wait is over.
    pub(super) fn answer_flushes(&mut self) {
        if self.flushes.is_empty() {
            return;
        }
        let now = Instant::now();
        let (stats, lost) = (self.stats(), self.lost());
        let Self { flushes, deliveries, write_ahead, spool, lost_answered, all_was_read, .. } = self;
        flushes.retain(|flush| {
            let is_over = now >= flush.deadline;
            let is_finished = |(delivery, below): (&SinkDelivery, &u64)| {
                delivery.is_finished_below(*below) || (is_over && delivery.is_safe_below(*below))
            };
            let written = write_ahead
                .as_ref()
                .map_or(Some(true), |write_ahead| write_ahead.is_written(flush.target.as_ref()?.write_ahead));
            let all = |is: &dyn Fn((&SinkDelivery, &u64)) -> bool| {
                flush.target.as_ref().is_some_and(|target| deliveries.iter().zip(&target.batches).all(is))
            };
            let complete = written == Some(true) && lost == flush.lost_before && all(&is_finished);
            // A flush does not wait for sinks that will not be tried again before its deadline.
            let is_done = written.is_some()
                && all(&|(delivery, below)| {
                    delivery.is_finished_below(*below) || delivery.is_idle_until(flush.deadline)
                });
            // A shutdown also delivers what an earlier process left, as far as the sinks accept it.
            let is_drained = flush.reply.is_some()
                || spool.as_ref().is_none_or(|spool| spool.is_open) && deliveries.iter().all(SinkDelivery::is_drained);
            let waits = !(is_over || is_done && is_drained);
            if flush.reply.is_none() {
                *all_was_read = flush.target.is_some();
            }
            if let (false, Some(reply)) = (waits, &flush.reply) {
                *lost_answered = lost;
                // The caller may have stopped waiting.
                let _ = reply.try_send(Report { stats: stats.clone(), complete });
            }
            waits
        });
    }
}
