//! The queue under the model checker `loom`: every order in which threads may meet is tried.
//!
//! `scripts/test-loom` builds the crate with `--cfg ragtrace_loom`, which puts loom's atomics in
//! the place of those of the standard library in this very code, and makes blocks four words long,
//! so that a few entries fill several.

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

/// Names of a request would only make the model larger.
fn request() -> Request {
    Request::new(TraceId::from_u128(1).expect("not zero"))
}

/// Hands over the start of a run whose span is `number`.
fn write(producer: &mut Producer, request: &Request, admission: Admission, number: u64) -> bool {
    let span = SpanId::from_u64(number).expect("not zero");
    let run = Run { stage: &STAGE, span, parent: None, started: Ticks(number), local_root: true };
    producer.push(request, admission, entry::start(&run), &FieldBuffer::begin())
}

/// What the worker has: the chains that it knows, and what it read.
#[derive(Default)]
struct Worker {
    consumers: Vec<Consumer>,
    requests: RequestCache,
    seen: Vec<u64>,
}

impl Worker {
    /// What a flush does: notes what the chains hold, and reads until that is reached.
    fn flush(&mut self, queue: &Queue) {
        self.consumers.append(&mut queue.take_new_consumers());
        self.consumers.iter_mut().for_each(Consumer::set_flush_target);
        self.read(queue);
        assert!(self.consumers.iter().all(Consumer::has_reached_flush_target), "what was there is read in one look");
    }

    /// One look, as the worker's thread does it.
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
        // A chain is let go of once it is read to its end, and not before.
        assert!(worker.consumers.is_empty());
    });
}

#[test]
fn a_full_queue_refuses_and_counts_and_keeps_what_is_promised() {
    loom::model(|| {
        // Room for the request's name and one entry more.
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
        // The command's way to the worker: what a channel does, and no more.
        let commands = Arc::new(Mutex::new(Vec::new()));
        let (of_thread, sent) = (Arc::clone(&queue), Arc::clone(&commands));
        let thread = thread::spawn(move || {
            let mut producer = Producer::register(of_thread, "modelled".into());
            let request = request();
            write(&mut producer, &request, Admission::Guaranteed, 1);
            sent.lock().expect("whole").push(());
            // What comes during the flush may be read by it or later.
            write(&mut producer, &request, Admission::Guaranteed, 2);
        });
        let mut worker = Worker::default();
        // The worker is at some point of a look of its own when the command comes.
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
    // Three threads in every order are many orders: those with at most two preemptions find what
    // there is to find.
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
