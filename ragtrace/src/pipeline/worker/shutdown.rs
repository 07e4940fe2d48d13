//! The shutdown of the worker: undelivered records go to disk, sinks close their connections, and
//! the final report is sent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::pending::SPOOL_RESERVE;
use super::state::Worker;
use crate::pipeline::delivery::SinkDelivery;
use crate::pipeline::report::Report;
use crate::spool::SpoolCommand;

/// The time that sinks have to close their connections.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// The reason for dropping records that are still in memory.
const TIME_IS_OVER: &str = "the shutdown timed out";

impl Worker {
    /// Shuts down within the remaining time.
    pub(super) async fn shut_down(&mut self) {
        self.attempts.abort_all();
        let deferred = self.assembler.forget_deferred();
        self.count_unread(deferred as u64);
        if !self.all_was_read {
            // The time was over before everything had been read.
            self.discard_queue();
        }
        self.sampler.leave_out_held();
        self.update_write_ahead(&[], Instant::now());
        let until = self.shutdown.as_ref().map_or_else(|| Instant::now() + SPOOL_RESERVE, |pending| pending.deadline);
        self.spool_rest(until).await;
        self.deliveries.iter_mut().for_each(|delivery| delivery.give_up(TIME_IS_OVER));
        self.publish_stats();
        let shutdown = self.shutdown.take();
        self.close_sinks(shutdown.as_ref().map_or_else(Instant::now, |shutdown| shutdown.deadline)).await;
        let report = Report { stats: self.stats(), complete: self.lost() == 0 && self.all_was_read };
        self.published.end(report.clone());
        if let Some(shutdown) = shutdown {
            let _ = shutdown.reply.try_send(report);
        }
    }

    /// Makes the sinks close their connections.
    pub(super) async fn close_sinks(&self, deadline: Instant) {
        let close_by = deadline.max(Instant::now() + CLOSE_TIMEOUT / 10).min(Instant::now() + CLOSE_TIMEOUT);
        for delivery in &self.deliveries {
            let sink = Arc::clone(&delivery.sink);
            let closed = tokio::spawn(async move { sink.close().await });
            let _ = tokio::time::timeout_at(tokio::time::Instant::from_std(close_by), closed).await;
        }
    }

    /// Makes the disk store the remaining batches, until `deadline`.
    pub(super) async fn spool_rest(&mut self, deadline: Instant) {
        self.deliveries.iter_mut().for_each(SinkDelivery::spool_rest);
        let Some(mut spool) = self.spool.take() else { return };
        let deadline = tokio::time::Instant::from_std(deadline);
        while self.deliveries.iter().any(SinkDelivery::waits_for_disk) {
            match tokio::time::timeout_at(deadline, spool.events.recv()).await {
                Ok(Some(event)) => self.handle_spool_event(event),
                Ok(None) | Err(_) => break,
            }
        }
        let (done, closed) = tokio::sync::oneshot::channel();
        if spool.handle.send(SpoolCommand::Close { done }) {
            let _ = tokio::time::timeout_at(deadline, closed).await;
        }
        while let Ok(event) = spool.events.try_recv() {
            self.handle_spool_event(event);
        }
    }
}
