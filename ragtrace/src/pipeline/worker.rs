//! The worker: one thread of ours with its own runtime, so that a program without one works too, and a saturated or
//! stopped one does not stop delivery.
//!
//! Its loop does one small thing after another and waits for no sink: it drains the queue, gives the records to the
//! lanes, sends what is due, and takes in the answers.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{JoinError, JoinSet};

use crate::level::Level;
use crate::pipeline::assemble::Assembler;
use crate::pipeline::lane::{Input, Lane, Outgoing};
use crate::pipeline::queue::{Consumer, Queue};
use crate::pipeline::stats::{Dropped, Report, Stats};
use crate::record::Origin;
use crate::sink::{BoxSink, Delivered, Sink, SinkError};
use crate::time::{Calibration, Timestamp};

/// How long an entry waits in a thread's chain at most before it is read.
const PATIENCE: Duration = Duration::from_millis(50);
/// Entries that are read before the answers of the sinks are looked at.
const SLICE: usize = 8_192;
/// How long sinks have to let go of their connections.
const CLOSING: Duration = Duration::from_secs(1);

/// What a worker needs to begin.
pub(crate) struct Plan {
    pub(crate) queue: Arc<Queue>,
    pub(crate) origin: Arc<Origin>,
    pub(crate) level: Level,
    pub(crate) sinks: Vec<BoxSink>,
    pub(crate) sink_records: usize,
    pub(crate) commands: UnboundedReceiver<Command>,
    /// Where the account is kept for whoever asks.
    pub(crate) published: Arc<Mutex<Stats>>,
}

/// What the worker is told.
pub(crate) enum Command {
    /// Settle what was accepted so far, until `deadline`, and answer.
    Flush { deadline: Instant, reply: SyncSender<Report> },
    /// The same, and then come to an end.
    Shutdown { deadline: Instant, reply: SyncSender<Report> },
}

/// Starts the worker's thread.
pub(crate) fn start(plan: Plan) -> io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("ragtrace".to_owned()).spawn(move || {
        runtime.block_on(Worker::new(plan).run());
        // A write that hangs must not hold up the end of the process.
        runtime.shutdown_background();
    })
}

struct Worker {
    queue: Arc<Queue>,
    consumers: Vec<Consumer>,
    assembler: Assembler,
    lanes: Vec<Lane>,
    commands: UnboundedReceiver<Command>,
    deliveries: JoinSet<Answer>,
    flushes: Vec<Flush>,
    ending: Option<Ending>,
    published: Arc<Mutex<Stats>>,
    clock: Calibration,
}

/// What the worker waits for.
enum Happening {
    Told(Command),
    Answered(Result<Answer, JoinError>),
    Time,
    Left,
}

/// What a sink said to a batch, and which sink it was.
struct Answer {
    lane: usize,
    sent: Outgoing,
    result: Result<Delivered, SinkError>,
}

/// Somebody who waits for what was accepted before he asked.
struct Flush {
    /// For each lane the number that its batches were below.
    below: Vec<u64>,
    deadline: Instant,
    /// `None` for the flush that a shutdown begins with, which is answered at its end.
    reply: Option<SyncSender<Report>>,
}

struct Ending {
    deadline: Instant,
    reply: SyncSender<Report>,
}

impl Worker {
    fn new(plan: Plan) -> Self {
        let lanes = {
            let lane = |sink| Lane::new(sink, plan.sink_records, Arc::clone(&plan.origin));
            plan.sinks.into_iter().map(lane).collect()
        };
        let worker = Self {
            queue: plan.queue,
            consumers: Vec::new(),
            assembler: Assembler::new(plan.origin, plan.level),
            lanes,
            commands: plan.commands,
            deliveries: JoinSet::new(),
            flushes: Vec::new(),
            ending: None,
            published: plan.published,
            clock: Calibration::new(),
        };
        worker.publish();
        worker
    }

    async fn run(mut self) {
        loop {
            match self.next_happening().await {
                Happening::Told(command) => self.obey(command),
                Happening::Answered(answer) => self.take_answer(answer),
                Happening::Time => {}
                // The handle is gone without a word, as when its thread was killed.
                Happening::Left => break,
            }
            self.clock.tick();
            self.queue.tend_pool();
            self.drain(SLICE);
            self.send();
            self.publish();
            self.answer_flushes();
            if self.ending.as_ref().is_some_and(|_| self.flushes.is_empty()) {
                break;
            }
            // A slice that was full leaves more behind; the deliveries have their turn first.
            tokio::task::yield_now().await;
        }
        self.end().await;
    }

    /// Waits for a command, an answer, a filled block, or the time of the next look; in this order, if several are
    /// there.
    async fn next_happening(&mut self) -> Happening {
        let wake_at = tokio::time::Instant::from_std(self.next_look());
        let Self { commands, deliveries, queue, .. } = self;
        let mut filled = pin!(queue.filled());
        let mut time = pin!(tokio::time::sleep_until(wake_at));
        poll_fn(|cx| {
            if let Poll::Ready(command) = commands.poll_recv(cx) {
                return Poll::Ready(command.map_or(Happening::Left, Happening::Told));
            }
            if let Poll::Ready(Some(answer)) = deliveries.poll_join_next(cx) {
                return Poll::Ready(Happening::Answered(answer));
            }
            if filled.as_mut().poll(cx).is_ready() || time.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Happening::Time);
            }
            Poll::Pending
        })
        .await
    }

    /// When to look at the queue again.
    fn next_look(&self) -> Instant {
        let deadlines = self.lanes.iter().filter_map(Lane::deadline);
        let flushes = self.flushes.iter().map(|flush| flush.deadline);
        let patience = Instant::now() + PATIENCE;
        deadlines.chain(flushes).fold(patience, Instant::min)
    }

    fn obey(&mut self, command: Command) {
        // Everything that was accepted before the command came is in the queue, so the whole of it is read.
        self.drain(usize::MAX);
        let (deadline, reply) = match command {
            Command::Flush { deadline, reply } => (deadline, Some(reply)),
            Command::Shutdown { deadline, reply } => {
                self.ending = Some(Ending { deadline, reply });
                (deadline, None)
            }
        };
        let below = self.lanes.iter_mut().map(Lane::flush).collect();
        self.flushes.push(Flush { below, deadline, reply });
    }

    /// Reads at most `most` entries of every chain, and gives the records to the lanes.
    fn drain(&mut self, most: usize) {
        self.read(most);
        let mut output = self.assembler.settle();
        if self.assembler.is_waiting() {
            // An end was read before its start. The start is in one of the chains by now.
            self.read(usize::MAX);
            let late = self.assembler.settle();
            output.records.extend(late.records);
            output.requests.extend(late.requests);
        }
        // A command wants the counts of the minute that runs, too.
        let now = (most != usize::MAX).then(Timestamp::now);
        let minutes = self.assembler.take_minutes(now);
        let input = Input { records: output.records, requests: output.requests, minutes };
        if !input.is_empty() {
            let now = Instant::now();
            for lane in &mut self.lanes {
                lane.accept(&input, now);
            }
        }
    }

    fn read(&mut self, most: usize) {
        self.consumers.append(&mut self.queue.take_new());
        let Self { queue, consumers, assembler, .. } = self;
        consumers.retain_mut(|consumer| consumer.drain(queue, most, |taken| assembler.take(taken)).is_some());
    }

    fn send(&mut self) {
        let now = Instant::now();
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            for sent in lane.poll(now) {
                let sink = Arc::clone(&lane.sink);
                let batch = sent.batch.clone();
                // A task of its own turns a panic of the sink into an answer.
                let delivery = tokio::spawn(async move { sink.deliver(&batch).await });
                self.deliveries.spawn(async move {
                    let result = match delivery.await {
                        Ok(result) => result,
                        Err(error) => Err(SinkError::retry(format!("the sink panicked: {error}"))),
                    };
                    Answer { lane: index, sent, result }
                });
            }
        }
    }

    fn take_answer(&mut self, answer: Result<Answer, JoinError>) {
        // The task awaits another one and builds a struct, so it neither panics nor is cancelled.
        let Ok(Answer { lane, sent, result }) = answer else { return };
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.answer(sent, result, Instant::now());
        }
    }

    fn stats(&self) -> Stats {
        Stats {
            sinks: self.lanes.iter().map(|lane| lane.account().clone()).collect(),
            filtered: self.assembler.filtered(),
            dropped: Dropped(self.queue.dropped()),
        }
    }

    fn publish(&self) {
        let stats = self.stats();
        *self.published.lock().unwrap_or_else(PoisonError::into_inner) = stats;
    }

    fn answer_flushes(&mut self) {
        if self.flushes.is_empty() {
            return;
        }
        let now = Instant::now();
        let stats = self.stats();
        let lanes = &self.lanes;
        self.flushes.retain(|flush| {
            let complete = lanes.iter().zip(&flush.below).all(|(lane, below)| lane.is_settled_below(*below));
            let waits = !complete && now < flush.deadline;
            if let (false, Some(reply)) = (waits, &flush.reply) {
                // Whoever asked may have gone.
                let _ = reply.try_send(Report { stats: stats.clone(), complete });
            }
            waits
        });
    }

    async fn end(mut self) {
        self.deliveries.abort_all();
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
        if let Some(ending) = ending {
            let _ = ending.reply.try_send(Report { stats: self.stats(), complete: pending == 0 });
        }
    }
}
