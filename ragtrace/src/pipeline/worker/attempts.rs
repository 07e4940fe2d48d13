//! Attempts to deliver batches, and the answers of sinks and of the spool.

use std::sync::Arc;
use std::time::Instant;

use tokio::task::JoinError;

use super::state::{AttemptAnswer, Worker};
use crate::spool::SpoolEvent;

/// The maximum number of turns that attempts get before the next slice is read.
const MAX_TURNS: usize = 64;
/// The number of turns without an answer after which no sink is expected to answer at once: an
/// attempt takes one turn, and its wait may take another.
const MAX_IDLE_TURNS: usize = 3;

impl Worker {
    /// Starts an attempt for each batch that is to be sent now.
    pub(super) fn start_attempts(&mut self) {
        let now = Instant::now();
        for (index, delivery) in self.deliveries.iter_mut().enumerate() {
            for (ticket, batch) in delivery.poll(now) {
                let sink = Arc::clone(&delivery.sink);
                self.attempts.spawn(async move {
                    let result = sink.deliver(&batch).await;
                    AttemptAnswer { delivery: index, ticket, result }
                });
            }
        }
    }

    /// Lets attempts run before more entries are read, because a full slice leaves more behind. A
    /// sink that answers at once gets its next batch at once; otherwise its delivery would fall
    /// behind the queue although the sink is fast enough.
    pub(super) async fn yield_to_attempts(&mut self) {
        let mut idle = 0;
        for _ in 0..MAX_TURNS {
            tokio::task::yield_now().await;
            match self.attempts.try_join_next() {
                Some(answer) => {
                    self.handle_answer(answer);
                    self.start_attempts();
                    idle = 0;
                }
                None if self.attempts.is_empty() || idle == MAX_IDLE_TURNS => break,
                None => idle += 1,
            }
        }
    }

    /// Passes a sink's answer to its delivery.
    pub(super) fn handle_answer(&mut self, answer: Result<AttemptAnswer, JoinError>) {
        // Panics of a sink become errors, so the task neither panics nor is cancelled.
        let Ok(AttemptAnswer { delivery, ticket, result }) = answer else { return };
        // A backend's answer may repeat the records that it was sent, or a URL with a password.
        let result = match result {
            Ok(delivered) => Ok(delivered.map_reasons(|why| self.sanitizer.redact(why))),
            Err(error) => Err(error.map_reason(|why| self.sanitizer.redact(why))),
        };
        if let Some(delivery) = self.deliveries.get_mut(delivery) {
            delivery.handle_answer(ticket, result, Instant::now());
        }
    }

    /// Continues without the spool, whose thread has ended.
    pub(super) fn lose_spool(&mut self) {
        let now = Instant::now();
        self.spool = None;
        self.deliveries.iter_mut().for_each(|delivery| delivery.lose_disk(now));
        if let Some(write_ahead) = &mut self.write_ahead {
            write_ahead.lose_disk();
        }
    }

    /// Passes an event of the spool to the delivery or the write-ahead that it is for.
    pub(super) fn handle_spool_event(&mut self, event: SpoolEvent) {
        let now = Instant::now();
        if let Some(sink_index) = event.sink_index() {
            if let Some(delivery) = self.deliveries.get_mut(sink_index) {
                delivery.handle_spool_event(event, now);
            }
            return;
        }
        match (event, &mut self.spool, &mut self.write_ahead) {
            (SpoolEvent::Opened, Some(spool), _) => spool.is_open = true,
            (SpoolEvent::SampledOut { records }, ..) => self.sampler.count_left_out(records),
            (event, _, Some(write_ahead)) => write_ahead.handle_spool_event(&event, &mut self.sampler, now),
            _ => {}
        }
    }
}
