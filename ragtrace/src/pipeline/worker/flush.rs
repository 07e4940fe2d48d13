//! Those who wait: a flush reads what was accepted before it, has the lanes close their batches, and is answered when all
//! of them are settled or its time is over.

use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use ragtrace_core::queue::Consumer;

use super::{Command, SPOOLING, Worker};
use crate::pipeline::lane::Lane;
use crate::pipeline::stats::Report;

/// Somebody who waits for what was accepted before he asked.
pub(super) struct Flush {
    /// What it waits for; `None` until all was read that was accepted before.
    below: Option<Below>,
    deadline: Instant,
    /// `None` for the flush that a shutdown begins with, which is answered at its end.
    reply: Option<SyncSender<Report>>,
}

/// What was accepted before somebody asked.
#[derive(Clone)]
struct Below {
    /// For each lane the number that its batches were below.
    lanes: Vec<u64>,
    /// What was held then is written ahead by this write, or an earlier one.
    ahead: u64,
}

/// What the end of the worker has to keep to.
pub(super) struct Ending {
    pub(super) deadline: Instant,
    pub(super) reply: SyncSender<Report>,
}

impl Flush {
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether not all was read yet that it waits for.
    pub(super) fn waits_for_the_queue(&self) -> bool {
        self.below.is_none()
    }
}

impl Worker {
    pub(super) fn obey(&mut self, command: Command) {
        let (deadline, reply) = match command {
            Command::Flush { deadline, reply } => (deadline, Some(reply)),
            Command::Shutdown { deadline, reply } => {
                self.ending = Some(Ending { deadline, reply });
                // What is not delivered by then has the rest of the time to go to disk.
                let left = deadline.saturating_duration_since(Instant::now());
                let reserve = if self.spool.is_some() { (left / 4).min(SPOOLING) } else { Duration::ZERO };
                (deadline.checked_sub(reserve).unwrap_or(deadline), None)
            }
        };
        // Everything that was accepted before the command came is in the chains by now.
        self.consumers.append(&mut self.queue.take_new_consumers());
        self.consumers.iter_mut().for_each(Consumer::set_flush_target);
        self.flushes.push(Flush { below: None, deadline, reply });
    }

    /// Has the lanes close their batches for those who wait, now that all was read that they wait for.
    pub(super) fn close_batches(&mut self) {
        // They want the counts of the minute that runs, too.
        self.stages.add(self.assembler.take_minutes(None));
        let minutes = self.stages.take(None);
        self.hand_on(minutes);
        self.tell();
        let lanes = self.lanes.iter_mut().map(Lane::flush).collect();
        let below = Below { lanes, ahead: self.ahead.as_mut().map_or(0, |ahead| ahead.flush(&mut self.sampling)) };
        for flush in &mut self.flushes {
            flush.below.get_or_insert_with(|| below.clone());
        }
    }

    /// Answers those whose wait is over.
    pub(super) fn answer_flushes(&mut self) {
        if self.flushes.is_empty() {
            return;
        }
        let now = Instant::now();
        let stats = self.stats();
        let lanes = &self.lanes;
        let (ahead, spool) = (&self.ahead, &self.spool);
        self.flushes.retain(|flush| {
            let is_over = now >= flush.deadline;
            let settled =
                |(lane, below): (&Lane, &u64)| lane.is_settled_below(*below) || (is_over && lane.is_safe_below(*below));
            let written = ahead.as_ref().map_or(Some(true), |ahead| ahead.is_written(flush.below.as_ref()?.ahead));
            let all = |is: &dyn Fn((&Lane, &u64)) -> bool| {
                flush.below.as_ref().is_some_and(|below| lanes.iter().zip(&below.lanes).all(is))
            };
            let complete = written == Some(true) && all(&settled);
            // There is no waiting for what no sink will be asked for before the deadline.
            let is_done = written.is_some()
                && all(&|(lane, below)| lane.is_settled_below(*below) || lane.rests_until(flush.deadline));
            // The end takes what an earlier process left along, as far as the sinks take it.
            let is_drained = flush.reply.is_some()
                || spool.as_ref().is_none_or(|spool| spool.is_open) && lanes.iter().all(Lane::is_drained);
            let waits = !(is_over || is_done && is_drained);
            if let (false, Some(reply)) = (waits, &flush.reply) {
                // Whoever asked may have gone.
                let _ = reply.try_send(Report { stats: stats.clone(), complete });
            }
            waits
        });
    }
}
