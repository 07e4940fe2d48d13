//! The worker after its loop has panicked: its deliveries end, and everything that the application
//! records or requests afterwards is counted and answered until the shutdown.

use std::time::Instant;

use ragtrace_core::guard::{contain, dispose};
use tokio::runtime::Runtime;

use super::config::Command;
use super::pending::SPOOL_RESERVE;
use super::run::POLL_INTERVAL;
use super::state::Worker;
use crate::pipeline::report::Report;
use crate::warning;

/// The reason for dropping the worker's remaining records.
const REASON: &str = "the telemetry thread has panicked";

impl Worker {
    /// Ends the deliveries and answers commands until the shutdown. If one of these steps panics
    /// too, it is skipped.
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

    /// Counts new records, and answers that they are not delivered.
    async fn answer_to_the_end(&mut self) {
        for flush in std::mem::take(&mut self.flushes) {
            if let Some(reply) = flush.reply {
                // The caller may have stopped waiting.
                let _ = reply.try_send(self.incomplete_report());
            }
        }
        while self.shutdown.is_none() {
            match tokio::time::timeout(POLL_INTERVAL, self.commands.recv()).await {
                Ok(Some(Command::Flush { reply, .. })) => drop(reply.try_send(self.incomplete_report())),
                Ok(Some(command @ Command::Shutdown { .. })) => self.handle_command(command),
                #[cfg(test)]
                Ok(Some(Command::Panic | Command::PanicSpool)) => {}
                // All senders of commands are gone.
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

    /// Returns the counts with everything recorded so far, and publishes them.
    fn incomplete_report(&mut self) -> Report {
        self.discard_queue();
        self.publish_stats();
        Report { stats: self.stats(), complete: false }
    }
}
