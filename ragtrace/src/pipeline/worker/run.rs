//! The worker's thread, and its loop.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ragtrace_core::guard::{contain, dispose};
use ragtrace_core::queue::exclude_this_thread;
use tokio::runtime::Runtime;
use tokio::task::JoinError;

use super::config::{Command, WorkerConfig};
use super::pending::PendingFlush;
use super::state::{AttemptAnswer, Worker};
use crate::pipeline::delivery::SinkDelivery;
use crate::pipeline::sampling::WriteAhead;
use crate::sink::message_of;
use crate::spool::SpoolEvent;

/// The longest time that an entry waits in a thread's chain before it is read.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Starts the worker's thread.
pub(crate) fn start(config: WorkerConfig) -> io::Result<JoinHandle<()>> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().on_thread_start(exclude_this_thread).build()?;
    // The worker is created here, so that the published counts contain every sink from the
    // beginning.
    let worker = Worker::new(config);
    std::thread::Builder::new().name("ragtrace".to_owned()).spawn(move || run(runtime, worker))
}

/// Runs the worker to its end, or after a panic, its remaining duties.
fn run(runtime: Runtime, mut worker: Worker) {
    exclude_this_thread();
    if let Err(payload) = contain(|| runtime.block_on(worker.run())) {
        worker.outlive_panic(&runtime, &message_of(payload));
    }
    let entered = runtime.enter();
    if let Err(payload) = contain(|| drop(worker)) {
        dispose(payload);
    }
    drop(entered);
    // A write that hangs must not delay the end of the process.
    runtime.shutdown_background();
}

/// An event that wakes the worker.
enum WorkerEvent {
    Command(Command),
    /// An event of the spool, or `None` at its end.
    Spool(Option<SpoolEvent>),
    Answer(Result<AttemptAnswer, JoinError>),
    /// The time to read the queue and to do what is due.
    Wake,
    /// All senders of commands are gone.
    Abandoned,
}

impl Worker {
    async fn run(&mut self) {
        loop {
            match self.next_event().await {
                WorkerEvent::Command(command) => self.handle_command(command),
                WorkerEvent::Spool(Some(event)) => self.handle_spool_event(event),
                WorkerEvent::Spool(None) => self.lose_spool(),
                WorkerEvent::Answer(answer) => self.handle_answer(answer),
                WorkerEvent::Wake => {}
                // The telemetry was lost without a shutdown, for example because its thread was
                // killed.
                WorkerEvent::Abandoned => break,
            }
            self.clock.tick();
            self.queue.maintain_pool();
            self.drain_queue();
            self.dispatch_self_reports();
            self.start_attempts();
            self.publish_stats();
            self.answer_flushes();
            if self.shutdown.as_ref().is_some_and(|_| self.flushes.is_empty()) {
                break;
            }
            self.yield_to_attempts().await;
        }
        self.shut_down().await;
    }

    /// Waits for a command, an event of the spool, an answer of a sink, a filled block, or the time
    /// of the next wake-up. If several are ready, they are taken in this order.
    async fn next_event(&mut self) -> WorkerEvent {
        let wake_at = tokio::time::Instant::from_std(self.next_wake());
        let Self { commands, attempts, queue, spool, is_behind, .. } = self;
        let mut filled = pin!(queue.block_filled());
        let mut time = pin!(tokio::time::sleep_until(wake_at));
        poll_fn(|cx| {
            if let Poll::Ready(command) = commands.poll_recv(cx) {
                return Poll::Ready(command.map_or(WorkerEvent::Abandoned, WorkerEvent::Command));
            }
            if let Some(Poll::Ready(event)) = spool.as_mut().map(|spool| spool.events.poll_recv(cx)) {
                return Poll::Ready(WorkerEvent::Spool(event));
            }
            if let Poll::Ready(Some(answer)) = attempts.poll_join_next(cx) {
                return Poll::Ready(WorkerEvent::Answer(answer));
            }
            if *is_behind || filled.as_mut().poll(cx).is_ready() || time.as_mut().poll(cx).is_ready() {
                return Poll::Ready(WorkerEvent::Wake);
            }
            Poll::Pending
        })
        .await
    }

    /// Returns the time at which to read the queue again.
    fn next_wake(&self) -> Instant {
        let deadlines = self.deliveries.iter().filter_map(SinkDelivery::deadline);
        let flushes = self.flushes.iter().map(PendingFlush::deadline);
        let latest = Instant::now() + POLL_INTERVAL;
        let write_ahead = self.write_ahead.as_ref().and_then(WriteAhead::deadline);
        deadlines.chain(flushes).chain(write_ahead).fold(latest, Instant::min)
    }
}
