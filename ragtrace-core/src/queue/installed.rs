//! The process's one queue, and each thread's producer in it.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::num::NonZeroU8;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::limits::QueueLimits;
use super::memory::Admission;
use super::producer::Producer;
use super::shared::Queue;
use crate::context::Request;
use crate::entry::RecipientId;
use crate::value::FieldBuffer;

/// The id of the installed queue; 0 while none is.
static INSTALLED: AtomicU8 = AtomicU8::new(0);
static QUEUE: Mutex<Option<Arc<Queue>>> = Mutex::new(None);

/// A thread's producer, while it is not at work.
struct ThreadProducer {
    // Without a destructor an access is a plain load; `ON_THREAD_EXIT` drops it.
    producer: Cell<ManuallyDrop<Option<Box<Producer>>>>,
    /// Whether the thread has a producer, here or at work.
    is_taken: Cell<bool>,
}

impl ThreadProducer {
    #[inline]
    fn take(&self) -> Option<Box<Producer>> {
        ManuallyDrop::into_inner(self.producer.replace(ManuallyDrop::new(None)))
    }

    #[inline]
    fn put(&self, producer: Box<Producer>) {
        // There is none: whoever puts one has taken one, or is the first.
        let _none = self.producer.replace(ManuallyDrop::new(Some(producer)));
    }
}

thread_local! {
    static PRODUCER: ThreadProducer =
        const { ThreadProducer { producer: Cell::new(ManuallyDrop::new(None)), is_taken: Cell::new(false) } };
    static ON_THREAD_EXIT: EndChain = const { EndChain };
    /// Whether the thread is one of the pipeline's.
    static IS_OURS: Cell<bool> = const { Cell::new(false) };
}

/// Has the queue take nothing of this thread from now on: it is one of the pipeline's. What runs there, such as a sink that has
/// stages or a panic hook that logs, would lead to more of it without end.
pub fn exclude_this_thread() {
    IS_OURS.set(true);
}

/// Ends the thread's chain when the thread ends.
struct EndChain;

impl Drop for EndChain {
    fn drop(&mut self) {
        drop(PRODUCER.with(ThreadProducer::take));
    }
}

/// Returns the id of the installed queue.
#[inline]
pub(crate) fn installed_id() -> Option<RecipientId> {
    RecipientId::new(INSTALLED.load(Ordering::Relaxed))
}

/// Makes the process's queue, unless there is one.
pub fn install(limits: QueueLimits) -> Option<Arc<Queue>> {
    static INSTALLATIONS: AtomicU64 = AtomicU64::new(0);
    let mut installed = QUEUE.lock().unwrap_or_else(PoisonError::into_inner);
    if installed.is_some() {
        return None;
    }
    // Numbers come round. An end that is taken for one of the queue of 253 installations ago is read without its start.
    let turn = INSTALLATIONS.fetch_add(1, Ordering::Relaxed) % u64::from(u8::MAX - 2);
    let id = u8::try_from(turn).ok().and_then(|turn| NonZeroU8::MIN.checked_add(turn)).unwrap_or(NonZeroU8::MIN);
    let queue = Arc::new(Queue::new(limits, id));
    *installed = Some(Arc::clone(&queue));
    INSTALLED.store(id.get(), Ordering::Relaxed);
    Some(queue)
}

/// Has `queue` refuse what comes from now on. What was accepted before can still be read.
pub fn uninstall(queue: &Queue) {
    let mut installed = QUEUE.lock().unwrap_or_else(PoisonError::into_inner);
    if installed.as_ref().is_some_and(|installed| installed.id == queue.id) {
        INSTALLED.store(0, Ordering::Relaxed);
        *installed = None;
    }
}

/// Hands over an entry to the queue `id`, if it is the installed one, and returns whether it was accepted.
#[inline]
pub(crate) fn push<const HEAD: usize>(
    id: RecipientId,
    request: &Request,
    admission: Admission,
    head: [u64; HEAD],
    fields: &FieldBuffer,
) -> bool {
    let mut producer = match PRODUCER.with(ThreadProducer::take) {
        Some(producer) if producer.id() == id => producer,
        outdated => match make(outdated, id) {
            Some(producer) => producer,
            None => return false,
        },
    };
    let is_accepted = producer.push(request, admission, head, fields);
    if producer.stays {
        PRODUCER.with(|place| place.put(producer));
    }
    is_accepted
}

/// Makes a producer for a thread that has none in the queue `id`.
#[cold]
#[inline(never)]
fn make(outdated: Option<Box<Producer>>, id: RecipientId) -> Option<Box<Producer>> {
    // A producer that is neither in its place nor outdated is at work: its work has led here again, as an allocator's may that runs stages.
    let is_at_work = outdated.is_none() && PRODUCER.with(|place| place.is_taken.get());
    drop(outdated);
    let mut producer = register().filter(|producer| producer.id() == id)?;
    // Else, and where the thread is at its end, it is a chain of its own for one entry.
    producer.stays = !is_at_work && ON_THREAD_EXIT.try_with(|_| ()).is_ok();
    PRODUCER.with(|place| place.is_taken.set(place.is_taken.get() || producer.stays));
    Some(Box::new(producer))
}

#[cold]
#[inline(never)]
fn register() -> Option<Producer> {
    if IS_OURS.try_with(Cell::get).unwrap_or(false) {
        return None;
    }
    let queue = Arc::clone(QUEUE.lock().unwrap_or_else(PoisonError::into_inner).as_ref()?);
    let thread = std::thread::current();
    let name = thread.name().map_or_else(|| format!("{:?}", thread.id()), str::to_owned);
    Some(Producer::register(queue, name.into()))
}
