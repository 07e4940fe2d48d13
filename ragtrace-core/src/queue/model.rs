//! Tests of the queue with the model checker `loom`, which tries every order in which threads can
//! meet.
//!
//! `scripts/test-loom` builds the crate with `--cfg ragtrace_loom`. This replaces the standard
//! library's atomics with those of loom and makes blocks four words long, so that a few entries
//! fill several blocks.

use std::sync::Arc;

use loom::sync::Mutex;
use loom::thread;

use super::memory::Admission;
use super::producer::Producer;
use super::{Consumer, Queue, QueueLimits, RequestCache};
use crate::catalog::StageDescriptor;
use crate::context::Request;
use crate::entry::{self, RecipientId, Run};
use crate::time::Ticks;
use crate::value::FieldBuffer;
use crate::{Level, SpanId, TraceId};

static STAGE: StageDescriptor = StageDescriptor::new("modelled", "model");

fn queue(bytes: usize) -> Arc<Queue> {
    Arc::new(Queue::new(QueueLimits::default().with_bytes(bytes), RecipientId::MIN))
}

/// Creates a request without names, which would only make the model larger.
fn request() -> Request {
    Request::new(TraceId::from_u128(1).expect("not zero"))
}

/// Pushes the start of a run whose span is `number`.
fn write(producer: &mut Producer, request: &Request, admission: Admission, number: u64) -> bool {
    let span = SpanId::from_u64(number).expect("not zero");
    let run = Run { stage: &STAGE, span, parent: None, started: Ticks(number), local_root: true };
    producer.push(request, admission, entry::start(&run), &FieldBuffer::begin())
}

/// The worker's state: the chains that it knows, and the entries that it has read.
#[derive(Default)]
struct Worker {
    consumers: Vec<Consumer>,
    requests: RequestCache,
    seen: Vec<u64>,
}

impl Worker {
    /// Does what a flush does: records the ends of the chains, and reads until they are reached.
    fn flush(&mut self, queue: &Queue) {
        self.consumers.append(&mut queue.take_new_consumers());
        self.consumers.iter_mut().for_each(Consumer::set_flush_target);
        self.read(queue);
        assert!(self.consumers.iter().all(Consumer::has_reached_flush_target), "what was there is read in one look");
    }

    /// Reads all chains once, as the worker's thread does.
    fn read(&mut self, queue: &Queue) {
        self.consumers.append(&mut queue.take_new_consumers());
        let Self { consumers, requests, seen } = self;
        consumers.retain_mut(|consumer| {
            let take = |taken: super::QueuedEntry<'_>| {
                if let Some((run, _)) = taken.entry.start() {
                    assert_eq!(run.started.0, run.span.as_u64(), "the words are of one entry");
                    seen.push(run.span.as_u64());
                }
            };
            queue.drain(consumer, requests, usize::MAX, take).is_some()
        });
    }
}

#[test]
fn a_thread_that_ends_leaves_everything_to_be_read_in_order() {
    loom::model(|| {
        let queue = queue(1 << 20);
        let of_thread = Arc::clone(&queue);
        let thread = thread::spawn(move || {
            let mut producer = Producer::register(of_thread, "modelled".into());
            let request = request();
            for number in 1..=3 {
                assert!(write(&mut producer, &request, Admission::Guaranteed, number));
            }
        });
        let mut worker = Worker::default();
        worker.read(&queue);
        worker.read(&queue);
        thread.join().expect("it ends");
        worker.read(&queue);
        assert_eq!(worker.seen, [1, 2, 3]);
        // A chain is dropped once it is read to its end, and not before.
        assert!(worker.consumers.is_empty());
    });
}

#[test]
fn a_full_queue_refuses_and_counts_and_keeps_what_is_promised() {
    loom::model(|| {
        // Room for the request's identity and one further entry.
        let queue = queue(96);
        let of_thread = Arc::clone(&queue);
        let thread = thread::spawn(move || {
            let mut producer = Producer::register(of_thread, "modelled".into());
            let (request, level) = (request(), Level::Info);
            let accepted =
                (1..=2).filter(|number| write(&mut producer, &request, Admission::Droppable(level), *number));
            let accepted = accepted.count();
            assert!(write(&mut producer, &request, Admission::Guaranteed, 3));
            accepted
        });
        let mut worker = Worker::default();
        worker.read(&queue);
        let accepted = thread.join().expect("it ends");
        worker.read(&queue);
        let refused: u64 = queue.dropped().iter().sum();
        assert_eq!(worker.seen.len(), accepted + 1);
        assert_eq!((accepted as u64 + refused, worker.seen.last()), (2, Some(&3)));
    });
}

#[test]
fn what_was_accepted_before_a_flush_is_read_by_it() {
    loom::model(|| {
        let queue = queue(1 << 20);
        // A minimal substitute for the channel that carries commands to the worker.
        let commands = Arc::new(Mutex::new(Vec::new()));
        let (of_thread, sent) = (Arc::clone(&queue), Arc::clone(&commands));
        let thread = thread::spawn(move || {
            let mut producer = Producer::register(of_thread, "modelled".into());
            let request = request();
            write(&mut producer, &request, Admission::Guaranteed, 1);
            sent.lock().expect("whole").push(());
            // An entry recorded during the flush may be read by it or later.
            write(&mut producer, &request, Admission::Guaranteed, 2);
        });
        let mut worker = Worker::default();
        // The worker may be in the middle of a read of its own when the command arrives.
        worker.read(&queue);
        if commands.lock().expect("whole").pop().is_some() {
            worker.flush(&queue);
            assert!(worker.seen.contains(&1), "the flush returned without it");
        }
        thread.join().expect("it ends");
        worker.read(&queue);
        assert_eq!(worker.seen, [1, 2]);
    });
}

#[test]
fn two_threads_share_the_bound_and_the_pool() {
    // Three threads have very many possible orders. Those with at most two preemptions are enough
    // to find errors.
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let queue = queue(192);
        let threads = [10, 20].map(|first| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                let mut producer = Producer::register(queue, "modelled".into());
                write(&mut producer, &request(), Admission::Droppable(Level::Info), first)
            })
        });
        let mut worker = Worker::default();
        worker.read(&queue);
        let accepted = threads.map(|thread| u64::from(thread.join().expect("it ends"))).iter().sum::<u64>();
        worker.read(&queue);
        assert_eq!(worker.seen.len() as u64, accepted);
        assert_eq!(accepted + queue.dropped().iter().sum::<u64>(), 2);
        assert!(worker.consumers.is_empty());
    });
}
