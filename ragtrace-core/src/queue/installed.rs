//! The process's one queue, and each thread's place in it.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::num::NonZeroU8;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::producer::Producer;
use super::{Queue, QueueLimits, Severity};
use crate::context::Request;
use crate::stage::entry::AcceptedBy;
use crate::stage::slots::Slots;

/// The number of the installed queue; 0 while none is.
static INSTALLED: AtomicU8 = AtomicU8::new(0);
static QUEUE: Mutex<Option<Arc<Queue>>> = Mutex::new(None);

/// A thread's place in the queue.
struct Place {
    // Without a destructor an access is a plain load; `AT_END` drops it.
    producer: Cell<ManuallyDrop<Option<Box<Producer>>>>,
    /// Whether the thread has a producer, here or at work.
    is_taken: Cell<bool>,
}

impl Place {
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
    static PLACE: Place =
        const { Place { producer: Cell::new(ManuallyDrop::new(None)), is_taken: Cell::new(false) } };
    static AT_END: Leaving = const { Leaving };
}

/// Ends the thread's chain when the thread ends.
struct Leaving;

impl Drop for Leaving {
    fn drop(&mut self) {
        drop(PLACE.with(Place::take));
    }
}

/// The number of the installed queue: what it accepts starts under.
#[inline]
pub(crate) fn number() -> Option<AcceptedBy> {
    AcceptedBy::new(INSTALLED.load(Ordering::Relaxed))
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
    let number = u8::try_from(turn).ok().and_then(|turn| NonZeroU8::MIN.checked_add(turn)).unwrap_or(NonZeroU8::MIN);
    let queue = Arc::new(Queue::new(limits, number));
    *installed = Some(Arc::clone(&queue));
    INSTALLED.store(number.get(), Ordering::Relaxed);
    Some(queue)
}

/// Has `queue` refuse what comes from now on. What was accepted before can still be read.
pub fn uninstall(queue: &Queue) {
    let mut installed = QUEUE.lock().unwrap_or_else(PoisonError::into_inner);
    if installed.as_ref().is_some_and(|installed| installed.number == queue.number) {
        INSTALLED.store(0, Ordering::Relaxed);
        *installed = None;
    }
}

/// Hands over one entry to the queue `number`, if it is the installed one, and says whether it was accepted. See
/// [`crate::gate::record`].
#[inline]
pub(crate) fn push<const HEAD: usize>(
    number: AcceptedBy,
    request: &Request,
    severity: Severity,
    head: [u64; HEAD],
    fields: &Slots,
) -> bool {
    let mut producer = match PLACE.with(Place::take) {
        Some(producer) if producer.number() == number => producer,
        outdated => match make(outdated, number) {
            Some(producer) => producer,
            None => return false,
        },
    };
    let is_accepted = producer.push(request, severity, head, fields);
    if producer.stays {
        PLACE.with(|place| place.put(producer));
    }
    is_accepted
}

/// A producer for a thread that has none in the queue `number`.
#[cold]
#[inline(never)]
fn make(outdated: Option<Box<Producer>>, number: AcceptedBy) -> Option<Box<Producer>> {
    // What has a place and is not in it is at work: its work has led here again, as an allocator's may that runs stages.
    let is_at_work = outdated.is_none() && PLACE.with(|place| place.is_taken.get());
    drop(outdated);
    let mut producer = register().filter(|producer| producer.number() == number)?;
    // Else, and where the thread is at its end, it is a chain of its own for one entry.
    producer.stays = !is_at_work && AT_END.try_with(|_| ()).is_ok();
    PLACE.with(|place| place.is_taken.set(place.is_taken.get() || producer.stays));
    Some(Box::new(producer))
}

#[cold]
#[inline(never)]
fn register() -> Option<Producer> {
    let queue = Arc::clone(QUEUE.lock().unwrap_or_else(PoisonError::into_inner).as_ref()?);
    let thread = std::thread::current();
    let name = thread.name().map_or_else(|| format!("{:?}", thread.id()), str::to_owned);
    Some(Producer::register(queue, name.into()))
}
