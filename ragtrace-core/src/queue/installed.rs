//! The process's one queue, and each thread's producer in it.
//!
//! A forked process has no queue, because the worker stays in the parent. Records in the child are
//! refused and counted until the child installs its own telemetry. The child does not touch the
//! parent's queue, because another thread may have held its locks at the time of the fork.

use std::cell::Cell;
use std::mem::{self, ManuallyDrop};
use std::num::NonZeroU8;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, OnceLock, PoisonError};

use super::limits::QueueLimits;
use super::memory::Admission;
use super::producer::Producer;
use super::shared::Queue;
use crate::context::Request;
use crate::entry::RecipientId;
use crate::fork::{self, Process};
use crate::id;
use crate::level::Level;
use crate::value::FieldBuffer;

/// The id of the installed queue: 0 if there is none, and [`STAYED_BEHIND`] in a forked process
/// whose parent had one.
static INSTALLED: AtomicU8 = AtomicU8::new(0);
/// The id that stands for the parent's queue, which nobody reads in this process. No queue has this
/// number.
const STAYED_BEHIND: RecipientId = RecipientId::new(u8::MAX - 1).expect("not zero");
static PLACE: Place = Place::new(0);
/// Counts the records that a forked process has lost so far, by level.
static LOST_IN_CHILD: [AtomicU64; Level::ALL.len()] = [const { AtomicU64::new(0) }; Level::ALL.len()];

/// The slot of a process's queue. Each process forked from it uses the next slot.
struct Place {
    /// The process that owns the slot, or 0 if none does yet.
    process: AtomicU64,
    queue: Mutex<Option<Arc<Queue>>>,
    next: OnceLock<Box<Self>>,
}

impl Place {
    const fn new(process: u64) -> Self {
        Self { process: AtomicU64::new(process), queue: Mutex::new(None), next: OnceLock::new() }
    }

    /// Locks this process's slot.
    fn lock() -> MutexGuard<'static, Option<Arc<Queue>>> {
        let own = Process::current().to_bits();
        let mut place = &PLACE;
        while let Err(owner) = place.process.compare_exchange(0, own, Ordering::Relaxed, Ordering::Relaxed)
            && owner != own
        {
            place = place.next.get_or_init(|| Box::new(Self::new(own)));
        }
        place.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Detaches a forked process from its parent's queue.
extern "C" fn leave_parent() {
    fork::note();
    id::diverge(Process::current().to_bits());
    for count in &LOST_IN_CHILD {
        count.store(0, Ordering::Relaxed);
    }
    if INSTALLED.load(Ordering::Relaxed) != 0 {
        INSTALLED.store(STAYED_BEHIND.get(), Ordering::Relaxed);
    }
}

/// Returns the number of records that this process has lost because it was forked from one with a
/// queue, by level.
pub fn lost_in_child() -> [u64; Level::ALL.len()] {
    LOST_IN_CHILD.each_ref().map(|count| count.load(Ordering::Relaxed))
}

/// A thread's producer while it is not in use.
struct ThreadProducer {
    // Without a destructor, access to the thread-local is a plain load. `ON_THREAD_EXIT` drops the
    // producer.
    producer: Cell<ManuallyDrop<Option<Box<Producer>>>>,
    /// True if the thread has a producer, here or in use.
    is_taken: Cell<bool>,
}

impl ThreadProducer {
    #[inline]
    fn take(&self) -> Option<Box<Producer>> {
        ManuallyDrop::into_inner(self.producer.replace(ManuallyDrop::new(None)))
    }

    #[inline]
    fn put(&self, producer: Box<Producer>) {
        // The slot is empty: the producer that is put back was taken from it, or is the thread's
        // first.
        let _none = self.producer.replace(ManuallyDrop::new(Some(producer)));
    }
}

thread_local! {
    static PRODUCER: ThreadProducer =
        const { ThreadProducer { producer: Cell::new(ManuallyDrop::new(None)), is_taken: Cell::new(false) } };
    static ON_THREAD_EXIT: EndChain = const { EndChain };
    /// True on threads of the pipeline.
    static IS_OURS: Cell<bool> = const { Cell::new(false) };
}

/// Excludes this thread from recording, because it belongs to the pipeline.
///
/// Code that runs here, such as a sink with stages or a panic hook that logs, would otherwise
/// create more and more records about their own delivery.
pub fn exclude_this_thread() {
    IS_OURS.set(true);
}

/// The prefix of the names of threads that libraries start on behalf of a sink, and that cannot
/// exclude themselves.
pub const SINK_THREAD: &str = "ragtrace-sink-";

/// Returns `true` on a thread of the pipeline.
#[inline]
pub fn is_excluded() -> bool {
    IS_OURS.get()
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

/// Installs the process's queue, or returns `None` if there is one already.
pub fn install(limits: QueueLimits) -> Option<Arc<Queue>> {
    static INSTALLATIONS: AtomicU64 = AtomicU64::new(0);
    static WATCH: Once = Once::new();
    WATCH.call_once(|| fork::watch(leave_parent));
    let mut installed = Place::lock();
    if installed.is_some() {
        return None;
    }
    // Ids are reused after 252 installations. An end that is attributed to an earlier queue with
    // the same id is read without its start.
    let turn = INSTALLATIONS.fetch_add(1, Ordering::Relaxed) % u64::from(u8::MAX - 3);
    let id = u8::try_from(turn).ok().and_then(|turn| NonZeroU8::MIN.checked_add(turn)).unwrap_or(NonZeroU8::MIN);
    let queue = Arc::new(Queue::new(limits, id));
    *installed = Some(Arc::clone(&queue));
    INSTALLED.store(id.get(), Ordering::Relaxed);
    Some(queue)
}

/// Makes `queue` refuse further entries. Entries accepted before can still be read.
pub fn uninstall(queue: &Queue) {
    let mut installed = Place::lock();
    if installed.as_ref().is_some_and(|installed| installed.id == queue.id) {
        INSTALLED.store(0, Ordering::Relaxed);
        *installed = None;
    }
    // Also clears the mark of the parent's queue in a forked process.
    let _ = INSTALLED.compare_exchange(STAYED_BEHIND.get(), 0, Ordering::Relaxed, Ordering::Relaxed);
}

/// Pushes an entry to the queue `id` if it is the installed one, and returns `true` if it was
/// accepted.
#[expect(
    clippy::inline_always,
    reason = "some entries have heads of equal length, so the compiler sees two callers and would not inline it"
)]
#[inline(always)]
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
            None => return refuse(id, admission),
        },
    };
    let is_accepted = producer.push(request, admission, head, fields);
    if producer.stays {
        PRODUCER.with(|place| place.put(producer));
    }
    is_accepted
}

/// Creates a producer in the queue `id` for a thread that has none there.
#[cold]
#[inline(never)]
fn make(outdated: Option<Box<Producer>>, id: RecipientId) -> Option<Box<Producer>> {
    // A producer that is neither in its slot nor outdated is in use: something it called has led
    // here again, such as an allocator that runs stages.
    let is_at_work = outdated.is_none() && PRODUCER.with(|place| place.is_taken.get());
    if id == STAYED_BEHIND {
        // This process must not take the parent's chain apart.
        if let Some(of_parent) = outdated {
            mem::forget(of_parent);
            PRODUCER.with(|place| place.is_taken.set(false));
        }
        return None;
    }
    drop(outdated);
    let mut producer = register().filter(|producer| producer.id() == id)?;
    // If the producer is not kept, because another is in use or the thread is ending, its chain
    // carries only one entry.
    producer.stays = !is_at_work && ON_THREAD_EXIT.try_with(|_| ()).is_ok();
    PRODUCER.with(|place| place.is_taken.set(place.is_taken.get() || producer.stays));
    Some(Box::new(producer))
}

/// Refuses an entry for lack of a queue, and counts it if this is a forked process.
#[cold]
#[inline(never)]
fn refuse(id: RecipientId, admission: Admission) -> bool {
    if let (STAYED_BEHIND, Admission::Droppable(level)) = (id, admission) {
        LOST_IN_CHILD[level as usize].fetch_add(1, Ordering::Relaxed);
    }
    false
}

/// Creates a producer for this thread in the installed queue, if there is one.
#[cold]
#[inline(never)]
fn register() -> Option<Producer> {
    if IS_OURS.try_with(Cell::get).unwrap_or(false) {
        return None;
    }
    let queue = Arc::clone(Place::lock().as_ref()?);
    let thread = std::thread::current();
    let name = thread.name().map_or_else(|| format!("{:?}", thread.id()), str::to_owned);
    Some(Producer::register(queue, name.into()))
}
