//! The end of the worker: what was not delivered goes to disk, sinks let go of their connections, and whoever asked for the
//! end hears what became of every record.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{SPOOLING, Worker};
use crate::pipeline::lane::Lane;
use crate::pipeline::stats::Report;
use crate::sink::Sink;
use crate::spool;

/// How long sinks have to let go of their connections.
const CLOSING: Duration = Duration::from_secs(1);

impl Worker {
    /// Has the disk take what is left, until `deadline`.
    async fn spool_rest(&mut self, deadline: Instant) {
        self.lanes.iter_mut().for_each(Lane::spool_rest);
        let Some(mut spool) = self.spool.take() else { return };
        let deadline = tokio::time::Instant::from_std(deadline);
        while self.lanes.iter().any(Lane::waits_for_disk) {
            match tokio::time::timeout_at(deadline, spool.events.recv()).await {
                Ok(Some(event)) => self.take_event(event),
                Ok(None) | Err(_) => break,
            }
        }
        let (done, closed) = tokio::sync::oneshot::channel();
        if spool.handle.send(spool::Command::Close { done }) {
            let _ = tokio::time::timeout_at(deadline, closed).await;
        }
        while let Ok(event) = spool.events.try_recv() {
            self.take_event(event);
        }
    }

    pub(super) async fn end(mut self) {
        self.deliveries.abort_all();
        self.sampling.finish();
        self.look_ahead(&[], Instant::now());
        let until = self.ending.as_ref().map_or_else(|| Instant::now() + SPOOLING, |ending| ending.deadline);
        self.spool_rest(until).await;
        let pending: u64 = self.lanes.iter().map(|lane| lane.account().pending).sum();
        self.lanes.iter_mut().for_each(Lane::give_up);
        self.publish();
        let ending = self.ending.take();
        let deadline = ending.as_ref().map_or_else(Instant::now, |ending| ending.deadline);
        let closing = deadline.max(Instant::now() + CLOSING / 10).min(Instant::now() + CLOSING);
        for lane in &self.lanes {
            let sink = Arc::clone(&lane.sink);
            let closed = tokio::spawn(async move { sink.close().await });
            let _ = tokio::time::timeout_at(tokio::time::Instant::from_std(closing), closed).await;
        }
        let report = Report { stats: self.stats(), complete: pending == 0 };
        self.published.end(report.clone());
        if let Some(ending) = ending {
            let _ = ending.reply.try_send(report);
        }
    }
}
