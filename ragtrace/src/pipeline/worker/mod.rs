//! The worker: one thread of ours with its own runtime, so that a program without one works too, and a saturated or
//! stopped one does not stop delivery.
//!
//! Its loop does one small thing after another and waits for no sink: it drains the queue, gives the records to the
//! lanes, sends what is due, and takes in the answers.

mod end;
mod flush;

use std::future::{Future, poll_fn};
use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ragtrace_core::Level;
use ragtrace_core::Timestamp;
use ragtrace_core::queue::{Consumer, Queue, QueueLimits, Requests};
use ragtrace_core::time::Calibration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{JoinError, JoinSet};

use self::flush::{Ending, Flush};
use crate::metrics::StageMinute;
use crate::pipeline::ahead::Ahead;
use crate::pipeline::assemble::{Assembler, Output};
use crate::pipeline::lane::{Doing, Input, Lane, Spooling};
use crate::pipeline::own;
use crate::pipeline::published::Published;
use crate::pipeline::refine::Refiner;
use crate::pipeline::sampling::{Passed, Released, Sampling};
use crate::pipeline::stage_totals::{StageCounts, StageTotals};
use crate::pipeline::stats::{Dropped, Report, Stats};
use crate::record::{Draft, Origin};
use crate::sample::Sampler;
use crate::sink::{BoxSink, Delivered, Sink, SinkError};
use crate::spool::{self, SpoolLimits, SpoolPlan};
use crate::warning::Limited;

/// How long an entry waits in a thread's chain at most before it is read.
const PATIENCE: Duration = Duration::from_millis(50);
/// Entries of one thread that are read before their records are handed on, if there are enough of them.
const SLICE: usize = 128;
/// Slices of one thread that are read before those of the next and the answers of the sinks are looked at.
const SLICES: usize = 16;
/// How often deliveries have a turn before the next slice is read.
const TURNS: usize = 64;
/// Turns without an answer after which no sink answers at once: a delivery takes two, one for itself and one for its answer.
const IDLE_TURNS: usize = 3;
/// How long the disk has at the end for what was not delivered.
const SPOOLING: Duration = Duration::from_secs(2);

/// What a worker needs to begin.
pub(crate) struct Plan {
    pub(crate) queue: Arc<Queue>,
    pub(crate) origin: Arc<Origin>,
    pub(crate) level: Level,
    pub(crate) console: Option<BoxSink>,
    pub(crate) sinks: Vec<BoxSink>,
    /// What may wait in memory for each sink.
    pub(crate) share: QueueLimits,
    pub(crate) spool: Option<SpoolSettings>,
    pub(crate) refiner: Refiner,
    pub(crate) sampler: Sampler,
    pub(crate) commands: UnboundedReceiver<Command>,
    /// Where the account is kept for whoever asks.
    pub(crate) published: Published,
    pub(crate) stage_totals: StageTotals,
}

/// Where what cannot be delivered is kept.
#[derive(Debug)]
pub(crate) struct SpoolSettings {
    pub(crate) folder: PathBuf,
    pub(crate) limits: SpoolLimits,
    pub(crate) is_durable: bool,
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
    // Made here, so that whoever asks for the account finds every sink in it from the beginning.
    let worker = Worker::new(plan);
    std::thread::Builder::new().name("ragtrace".to_owned()).spawn(move || {
        runtime.block_on(worker.run());
        // A write that hangs must not hold up the end of the process.
        runtime.shutdown_background();
    })
}

struct Worker {
    queue: Arc<Queue>,
    origin: Arc<Origin>,
    level: Level,
    consumers: Vec<Consumer>,
    /// A chain has more than the slice that was read of it.
    is_behind: bool,
    requests: Requests,
    assembler: Assembler,
    refiner: Refiner,
    stages: StageCounts,
    sampling: Sampling,
    /// Where what is held is to be durable.
    ahead: Option<Ahead>,
    lanes: Vec<Lane>,
    commands: UnboundedReceiver<Command>,
    deliveries: JoinSet<Answer>,
    flushes: Vec<Flush>,
    ending: Option<Ending>,
    spool: Option<Spool>,
    /// Refused by the queue at the last look, and as far as it was told of.
    refused: (u64, u64),
    refusing: Limited,
    published: Published,
    clock: Calibration,
}

/// The spool's thread.
struct Spool {
    handle: spool::Handle,
    events: UnboundedReceiver<spool::Event>,
    /// Whether what earlier processes left is known.
    is_open: bool,
}

/// What the worker waits for.
enum Happening {
    Told(Command),
    Spooled(spool::Event),
    Answered(Result<Answer, JoinError>),
    Time,
    Left,
}

/// What a sink said to a batch, and which sink it was.
struct Answer {
    lane: usize,
    ticket: u64,
    result: Result<Delivered, SinkError>,
}

impl Worker {
    fn new(mut plan: Plan) -> Self {
        let is_durable = plan.spool.as_ref().is_some_and(|settings| settings.is_durable);
        let (lanes, spool) = lanes(&mut plan);
        let handle = spool.as_ref().filter(|_| is_durable && plan.sampler.holds()).map(|spool| spool.handle.clone());
        let worker = Self {
            queue: plan.queue,
            origin: Arc::clone(&plan.origin),
            level: plan.level,
            consumers: Vec::new(),
            is_behind: false,
            requests: Requests::default(),
            assembler: Assembler::new(plan.origin, plan.level),
            refiner: plan.refiner,
            stages: StageCounts::new(plan.stage_totals),
            sampling: Sampling::new(plan.sampler, handle.is_some()),
            ahead: handle.map(Ahead::new),
            lanes,
            commands: plan.commands,
            deliveries: JoinSet::new(),
            flushes: Vec::new(),
            ending: None,
            spool,
            refused: (0, 0),
            refusing: Limited::default(),
            published: plan.published,
            clock: Calibration::begin(),
        };
        worker.publish();
        worker
    }

    async fn run(mut self) {
        loop {
            match self.next_happening().await {
                Happening::Told(command) => self.obey(command),
                Happening::Spooled(event) => self.take_event(event),
                Happening::Answered(answer) => self.take_answer(answer),
                Happening::Time => {}
                // The handle is gone without a word, as when its thread was killed.
                Happening::Left => break,
            }
            self.clock.tick();
            self.queue.tend_pool();
            self.drain();
            self.tell();
            self.send();
            self.publish();
            self.answer_flushes();
            if self.ending.as_ref().is_some_and(|_| self.flushes.is_empty()) {
                break;
            }
            self.give_turns().await;
        }
        self.end().await;
    }

    /// A slice that was full leaves more behind; the deliveries have their turn first. A sink that answers at once gets its
    /// next batch at once, or a lane would fall behind the queue for no fault of its sink.
    async fn give_turns(&mut self) {
        let mut idle = 0;
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
            match self.deliveries.try_join_next() {
                Some(answer) => {
                    self.take_answer(answer);
                    self.send();
                    idle = 0;
                }
                None if self.deliveries.is_empty() || idle == IDLE_TURNS => break,
                None => idle += 1,
            }
        }
    }

    /// Waits for a command, an answer, a filled block, or the time of the next look; in this order, if several are
    /// there.
    async fn next_happening(&mut self) -> Happening {
        let wake_at = tokio::time::Instant::from_std(self.next_look());
        let Self { commands, deliveries, queue, spool, is_behind, .. } = self;
        let mut filled = pin!(queue.filled());
        let mut time = pin!(tokio::time::sleep_until(wake_at));
        poll_fn(|cx| {
            if let Poll::Ready(command) = commands.poll_recv(cx) {
                return Poll::Ready(command.map_or(Happening::Left, Happening::Told));
            }
            if let Some(Poll::Ready(Some(event))) = spool.as_mut().map(|spool| spool.events.poll_recv(cx)) {
                return Poll::Ready(Happening::Spooled(event));
            }
            if let Poll::Ready(Some(answer)) = deliveries.poll_join_next(cx) {
                return Poll::Ready(Happening::Answered(answer));
            }
            if *is_behind || filled.as_mut().poll(cx).is_ready() || time.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Happening::Time);
            }
            Poll::Pending
        })
        .await
    }

    /// When to look at the queue again.
    fn next_look(&self) -> Instant {
        let deadlines = self.lanes.iter().filter_map(Lane::deadline);
        let flushes = self.flushes.iter().map(Flush::deadline);
        let patience = Instant::now() + PATIENCE;
        let ahead = self.ahead.as_ref().and_then(Ahead::deadline);
        deadlines.chain(flushes).chain(ahead).fold(patience, Instant::min)
    }

    /// Reads a slice of every chain, and gives the records to the lanes.
    fn drain(&mut self) {
        self.consumers.append(&mut self.queue.take_new());
        self.is_behind = false;
        let mut consumers = std::mem::take(&mut self.consumers);
        consumers.retain_mut(|consumer| self.read(consumer));
        self.consumers = consumers;
        let now = Instant::now();
        if self.stages.is_due(now) {
            self.stages.add(self.assembler.take_minutes(None));
        }
        let minutes = self.stages.take(Some(Timestamp::now()));
        self.hand_on(minutes);
        // Time passes for what is held although nothing comes.
        self.sampling.bound(now);
        self.look_ahead(&[], now);
        if self.flushes.iter().any(Flush::waits_for_the_queue) && self.consumers.iter().all(Consumer::has_reached) {
            self.close_batches();
        }
    }

    /// Reads some slices of one chain, and says whether there may be more to come.
    fn read(&mut self, consumer: &mut Consumer) -> bool {
        for _ in 0..SLICES {
            let Self { queue, requests, assembler, refiner, .. } = self;
            let stays = |name, text: &str| refiner.stays(name, text);
            let taken = consumer.drain(queue, requests, SLICE, |taken| assembler.take(&taken, stays));
            if self.assembler.is_full() {
                self.hand_on(Vec::new());
            }
            match taken {
                Some(SLICE) => {}
                taken => return taken.is_some(),
            }
        }
        self.is_behind = true;
        true
    }

    /// Gives to the lanes what may leave.
    fn hand_on(&mut self, mut minutes: Vec<StageMinute>) {
        let Output { mut records, mut requests } = self.assembler.settle(|name, text| self.refiner.stays(name, text));
        if records.is_empty() && requests.is_empty() && minutes.is_empty() {
            return;
        }
        self.refiner.draft(&mut records);
        for request in &mut requests {
            self.refiner.metric(request);
        }
        for minute in &mut minutes {
            self.refiner.minute(minute);
        }
        let now = Instant::now();
        let Passed { records, released } = self.sampling.pass(records.finish(), now);
        self.accept(Input { records, requests, minutes }, now);
        self.look_ahead(&released, now);
    }

    fn look_ahead(&mut self, released: &[Released], now: Instant) {
        if let Some(ahead) = &mut self.ahead {
            ahead.look(&mut self.sampling, &mut self.lanes, released, now);
        }
    }

    /// Every lane takes its copy; the last one takes what there is.
    fn accept(&mut self, input: Input, now: Instant) {
        if let Some((last, others)) = self.lanes.split_last_mut() {
            for lane in others {
                lane.accept(input.clone(), now);
            }
            last.accept(input, now);
        }
    }

    fn send(&mut self) {
        let now = Instant::now();
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            for (ticket, batch) in lane.poll(now) {
                let sink = Arc::clone(&lane.sink);
                // A task of its own turns a panic of the sink into an answer.
                let delivery = tokio::spawn(async move { sink.deliver(&batch).await });
                self.deliveries.spawn(async move {
                    let result = match delivery.await {
                        Ok(result) => result,
                        Err(error) => Err(SinkError::panicked(error)),
                    };
                    Answer { lane: index, ticket, result }
                });
            }
        }
    }

    fn take_answer(&mut self, answer: Result<Answer, JoinError>) {
        // The task awaits another one and builds a struct, so it neither panics nor is cancelled.
        let Ok(Answer { lane, ticket, result }) = answer else { return };
        // What a backend says may repeat what it was sent, or the URL with its password.
        let result = match result {
            Ok(delivered) => Ok(delivered.map_reasons(|why| self.refiner.words(why))),
            Err(error) => Err(error.map_reason(|why| self.refiner.words(why))),
        };
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.answer(ticket, result, Instant::now());
        }
    }

    fn take_event(&mut self, event: spool::Event) {
        let now = Instant::now();
        if let Some(lane) = event.lane() {
            if let Some(lane) = self.lanes.get_mut(lane) {
                lane.take_event(event, now);
            }
            return;
        }
        match (event, &mut self.spool, &mut self.ahead) {
            (spool::Event::Opened, Some(spool), _) => spool.is_open = true,
            (spool::Event::LeftOut { records }, ..) => self.sampling.count_left_out(records),
            (event, _, Some(ahead)) => ahead.take_event(&event, &mut self.sampling, now),
            _ => {}
        }
    }

    /// Makes records of our own doings, for all sinks. Once the end has begun there are none: they would come after
    /// the last of what it waits for.
    fn tell(&mut self) {
        let now = Instant::now();
        if self.ending.is_some() {
            self.lanes.iter_mut().for_each(|lane| drop(lane.take_news(now)));
            return;
        }
        let mut draft = Draft::new(Arc::clone(&self.origin));
        for lane in &mut self.lanes {
            for doing in lane.take_news(now) {
                own::add(&mut draft, self.level, Some(&lane.account().name), doing);
            }
        }
        if let Some(doing) = self.tell_refused() {
            own::add(&mut draft, self.level, None, doing);
        }
        if !draft.is_empty() {
            self.refiner.draft(&mut draft);
            self.accept(Input { records: draft.finish(), ..Input::default() }, now);
        }
    }

    /// Tells of what the full queue refused, once it refuses no more.
    fn tell_refused(&mut self) -> Option<Doing> {
        let refused = Dropped(self.queue.dropped()).total();
        let (before, told) = self.refused;
        self.refused.0 = refused;
        if refused != before || refused == told {
            return None;
        }
        self.refused.1 = refused;
        let why = "the queue was full";
        self.refusing.tell(refused - told, |records| format!("{records} records dropped: {why}"));
        Some(Doing::Dropped { records: refused - told, why: why.to_owned() })
    }

    fn stats(&self) -> Stats {
        Stats {
            sinks: self.lanes.iter().map(|lane| lane.account().clone()).collect(),
            filtered: self.assembler.filtered(),
            sampled_out: self.sampling.left_out(),
            held: self.sampling.held(),
            dropped: Dropped(self.queue.dropped()),
        }
    }

    fn publish(&self) {
        self.published.publish(self.stats());
    }
}

/// A lane for each sink, and the spool that they share. The console has nothing on disk: what it did not show is old.
fn lanes(plan: &mut Plan) -> (Vec<Lane>, Option<Spool>) {
    let (console, sinks) = (plan.console.take(), std::mem::take(&mut plan.sinks));
    let (share, origin) = (plan.share, &plan.origin);
    let mut names: Vec<Option<String>> = console.iter().map(|_| None).collect();
    for sink in &sinks {
        // Two sinks of one name are kept apart by their order.
        let same = names.iter().flatten().filter(|name| name.split('#').next() == Some(sink.name())).count();
        names.push(Some(if same == 0 { sink.name().to_owned() } else { format!("{}#{}", sink.name(), same + 1) }));
    }
    let limits = console.iter().chain(&sinks).map(Sink::limits).collect();
    let is_durable = plan.spool.as_ref().is_some_and(|settings| settings.is_durable);
    let spool = plan.spool.take().and_then(|SpoolSettings { folder, limits: bounds, .. }| {
        let (sender, events) = tokio::sync::mpsc::unbounded_channel();
        let plan = SpoolPlan { folder, bounds, lanes: names, limits, sampler: plan.sampler, events: sender };
        Some(Spool { handle: spool::start(plan)?, events, is_open: false })
    });
    let spooling =
        |lane: usize| spool.as_ref().map(|spool| Spooling { handle: spool.handle.clone(), lane, is_durable });
    let shown = console.map(|console| Lane::new(console, share, None, Arc::clone(origin)));
    let first = usize::from(shown.is_some());
    let kept = (first..).zip(sinks).map(|(lane, sink)| Lane::new(sink, share, spooling(lane), Arc::clone(origin)));
    let lanes: Vec<_> = shown.into_iter().chain(kept).collect();
    (lanes, spool)
}
