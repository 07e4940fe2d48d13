//! What is left to do once the worker's loop has panicked: its deliveries end, and whatever the
//! application records or asks afterwards is counted and answered until it shuts down.

use std::time::Instant;

use ragtrace_core::guard::{contain, dispose};
use tokio::runtime::Runtime;

use super::config::Command;
use super::pending::SPOOL_RESERVE;
use super::run::POLL_INTERVAL;
use super::state::Worker;
use crate::pipeline::report::Report;
use crate::warning;

/// Why records are dropped that the worker had.
const REASON: &str = "the telemetry thread has panicked";

impl Worker {
    /// Settles the deliveries and answers what is asked, up to the shutdown. A step that panics,
    /// too, is left as it is.
    pub(super) fn outlive_panic(&mut self, runtime: &Runtime, why: &str) {
        warning::print(&format!("the telemetry thread has panicked, and nothing more is delivered: {why}"));
        let steps: [&mut dyn FnMut(&mut Self); 4] = [
            &mut |worker| worker.attempts.abort_all(),
            &mut |worker| runtime.block_on(worker.spool_rest(Instant::now() + SPOOL_RESERVE)),
            &mut |worker| worker.give_up(),
            &mut |worker| runtime.block_on(worker.answer_to_the_end()),
        ];
        for step in steps {
            if let Err(payload) = contain(|| step(self)) {
                dispose(payload);
            }
        }
    }

    fn give_up(&mut self) {
        self.deliveries.iter_mut().for_each(|delivery| delivery.give_up(REASON));
        let unread = self.assembler.records() + std::mem::take(&mut self.dispatching);
        self.count_unread(unread as u64);
    }

    /// Counts what is recorded, and answers that it is not delivered.
    async fn answer_to_the_end(&mut self) {
        for flush in std::mem::take(&mut self.flushes) {
            if let Some(reply) = flush.reply {
                // Whoever asked may have gone.
                let _ = reply.try_send(self.incomplete_report());
            }
        }
        while self.shutdown.is_none() {
            match tokio::time::timeout(POLL_INTERVAL, self.commands.recv()).await {
                Ok(Some(Command::Flush { reply, .. })) => drop(reply.try_send(self.incomplete_report())),
                Ok(Some(command @ Command::Shutdown { .. })) => self.handle_command(command),
                #[cfg(test)]
                Ok(Some(Command::Panic | Command::PanicSpool)) => {}
                // Nobody is left who could ask.
                Ok(None) => break,
                Err(_) => drop(self.incomplete_report()),
            }
        }
        let shutdown = self.shutdown.take();
        self.close_sinks(shutdown.as_ref().map_or_else(Instant::now, |shutdown| shutdown.deadline)).await;
        let report = self.incomplete_report();
        self.published.end(report.clone());
        if let Some(shutdown) = shutdown {
            let _ = shutdown.reply.try_send(report);
        }
    }

    /// Returns the account with all that was recorded so far, and publishes it.
    fn incomplete_report(&mut self) -> Report {
        self.discard_queue();
        self.publish_stats();
        Report { stats: self.stats(), complete: false }
    }
}
