//! The process's one queue, and each thread's place in it.

use std::cell::RefCell;
use std::num::NonZeroU8;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::producer::Producer;
use super::{Queue, QueueLimits, Severity};
use crate::context::Request;
use crate::stage::entry::AcceptedBy;

/// The number of the installed queue; 0 while none is.
static INSTALLED: AtomicU8 = AtomicU8::new(0);
static QUEUE: Mutex<Option<Arc<Queue>>> = Mutex::new(None);

thread_local! {
    static PRODUCER: RefCell<Option<Producer>> = const { RefCell::new(None) };
}

/// Whether a queue is installed.
#[inline]
pub(crate) fn is_installed() -> bool {
    INSTALLED.load(Ordering::Relaxed) != 0
}

/// The number of the installed queue: what it accepts starts under.
#[inline]
pub(crate) fn number() -> Option<AcceptedBy> {
    AcceptedBy::new(INSTALLED.load(Ordering::Relaxed))
}

/// Makes the process's queue, unless there is one.
pub(crate) fn install(limits: QueueLimits) -> Option<Arc<Queue>> {
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
pub(crate) fn uninstall(queue: &Queue) {
    let mut installed = QUEUE.lock().unwrap_or_else(PoisonError::into_inner);
    if installed.as_ref().is_some_and(|installed| installed.number == queue.number) {
        INSTALLED.store(0, Ordering::Relaxed);
        *installed = None;
    }
}

/// Hands over one entry, and says who accepted it. See [`crate::pipeline::gate::record`].
pub(crate) fn push<const HEAD: usize>(
    request: &Request,
    severity: Severity,
    head: &[u64; HEAD],
    fields: &[u64],
) -> Option<AcceptedBy> {
    let number = number()?;
    let pushed = PRODUCER.try_with(|producer| {
        let mut producer = producer.try_borrow_mut().ok()?;
        match &mut *producer {
            Some(producer) if producer.queue().number == number => Some(producer.push(request, severity, head, fields)),
            producer => {
                *producer = register();
                Some(producer.as_mut().is_some_and(|producer| producer.push(request, severity, head, fields)))
            }
        }
    });
    let is_accepted = match pushed {
        Ok(Some(is_accepted)) => is_accepted,
        // The thread is at its end, or registering has led here again: a chain of its own for the one entry.
        Ok(None) | Err(_) => register().is_some_and(|mut producer| producer.push(request, severity, head, fields)),
    };
    is_accepted.then_some(number)
}

#[cold]
#[inline(never)]
fn register() -> Option<Producer> {
    let queue = Arc::clone(QUEUE.lock().unwrap_or_else(PoisonError::into_inner).as_ref()?);
    let thread = std::thread::current();
    let name = thread.name().map_or_else(|| format!("{:?}", thread.id()), str::to_owned);
    Some(Producer::register(queue, name.into()))
}
