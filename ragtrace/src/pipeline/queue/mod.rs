//! The queue from the application's threads to the worker: bounded over all threads, without a lock on the way.
//!
//! Each thread writes to a chain of blocks of its own ([`block`]), so an entry costs a write to memory that no other
//! core wants. The bound counts blocks beyond each thread's first. A thread's chain outlives it: the worker reads it to
//! its end and lets go of it then.

mod block;

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use self::block::{Pool, Reader, SLOTS, Writer};
use crate::context::Request;
use crate::level::Level;
use crate::stage::entry::Entry;

/// How much may wait in memory before records are dropped, and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueLimits {
    /// Entries that may wait between all threads and the worker. An entry takes 128 to 192 bytes, and a stage makes two.
    /// Rounded up to a whole block of 128 entries; each thread has its first block besides.
    pub entries: usize,
    /// Records that may wait in memory for one sink. With a spool, more than half of it goes to disk.
    pub sink_records: usize,
    /// Bytes that they may take, as an estimate of their canonical JSON.
    pub sink_bytes: usize,
}

impl Default for QueueLimits {
    /// 131,072 entries; 131,072 records and 32 MiB a sink.
    fn default() -> Self {
        Self { entries: 131_072, sink_records: 131_072, sink_bytes: 32 << 20 }
    }
}

impl QueueLimits {
    /// The same with another number of entries.
    pub fn with_entries(mut self, entries: usize) -> Self {
        self.entries = entries;
        self
    }

    /// The same with another number of bytes a sink.
    pub fn with_sink_bytes(mut self, bytes: usize) -> Self {
        self.sink_bytes = bytes;
        self
    }

    /// The same with another number of records a sink.
    pub fn with_sink_records(mut self, records: usize) -> Self {
        self.sink_records = records;
        self
    }
}

/// Empty blocks (of about 17 KiB) that are always kept at hand.
const AT_HAND: usize = 16;
/// In quiet times each look forgets one in so many of the blocks that were in use: half of them in nine seconds.
const DECAY: usize = 256;

/// The number of the installed queue; 0 while none is.
static INSTALLED: AtomicUsize = AtomicUsize::new(0);
static QUEUE: Mutex<Option<Arc<Queue>>> = Mutex::new(None);

thread_local! {
    static PRODUCER: RefCell<Option<Producer>> = const { RefCell::new(None) };
}

/// What the threads and the worker share.
pub(crate) struct Queue {
    number: usize,
    block_limit: usize,
    /// Blocks beyond the first of each thread.
    blocks: AtomicUsize,
    /// The most of them there were at once, lately.
    most_blocks: AtomicUsize,
    pool: Pool<Entry>,
    dropped: [AtomicU64; Level::ALL.len()],
    /// Chains that the worker has not seen yet.
    new: Mutex<Vec<Consumer>>,
    wake: Notify,
    wake_is_on_its_way: AtomicBool,
}

/// Whether a queue is installed.
pub(crate) fn is_installed() -> bool {
    INSTALLED.load(Ordering::Relaxed) != 0
}

/// Hands over one entry. See [`crate::pipeline::gate::record`].
#[inline]
pub(crate) fn push(request: &Arc<Request>, severity: Severity, make: impl FnOnce() -> Entry) -> bool {
    let installed = INSTALLED.load(Ordering::Relaxed);
    if installed == 0 {
        return false;
    }
    if PRODUCER.try_with(|_| ()).is_err() {
        return push_late(request, severity, make());
    }
    PRODUCER.with(|producer| match producer.try_borrow_mut() {
        Ok(mut producer) => {
            if producer.as_ref().is_none_or(|producer| producer.queue.number != installed) {
                *producer = Producer::register();
            }
            producer.as_mut().is_some_and(|producer| producer.push(request, severity, make))
        }
        // A destructor of an entry, run by the very push that replaces it, records something itself.
        Err(_) => push_late(request, severity, make()),
    })
}

/// Hands over an entry whose thread has no chain to write to, in a chain of its own.
#[cold]
#[inline(never)]
fn push_late(request: &Arc<Request>, severity: Severity, entry: Entry) -> bool {
    Producer::register().is_some_and(|mut producer| producer.push(request, severity, || entry))
}

/// What decides over an entry when the queue is full.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Severity {
    /// It is refused, and counted under this level.
    Refusable(Level),
    /// It is accepted.
    Promised,
}

impl Queue {
    /// Makes the process's queue, unless there is one.
    pub(crate) fn install(limits: QueueLimits) -> Option<Arc<Self>> {
        static NUMBERS: AtomicUsize = AtomicUsize::new(1);
        let mut installed = QUEUE.lock().unwrap_or_else(PoisonError::into_inner);
        if installed.is_some() {
            return None;
        }
        let block_limit = limits.entries.div_ceil(SLOTS);
        let queue = Arc::new(Self {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            block_limit,
            pool: Pool::new(block_limit),
            blocks: AtomicUsize::new(0),
            most_blocks: AtomicUsize::new(0),
            dropped: [const { AtomicU64::new(0) }; Level::ALL.len()],
            new: Mutex::new(Vec::new()),
            wake: Notify::new(),
            wake_is_on_its_way: AtomicBool::new(false),
        });
        *installed = Some(Arc::clone(&queue));
        INSTALLED.store(queue.number, Ordering::Relaxed);
        Some(queue)
    }

    /// Refuses what comes from now on. What was accepted before can still be read.
    pub(crate) fn uninstall(&self) {
        let mut installed = QUEUE.lock().unwrap_or_else(PoisonError::into_inner);
        if installed.as_ref().is_some_and(|queue| queue.number == self.number) {
            INSTALLED.store(0, Ordering::Relaxed);
            *installed = None;
        }
    }

    /// Entries that were refused because the queue was full, by level.
    pub(crate) fn dropped(&self) -> [u64; Level::ALL.len()] {
        self.dropped.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    /// Keeps as many empty blocks at hand as threads wanted at once lately, so that they allocate none themselves. The
    /// worker calls it at each look; when it is quiet, the number goes down little by little.
    pub(crate) fn tend_pool(&self) {
        let in_use = self.blocks.load(Ordering::Relaxed);
        let most = self.most_blocks.load(Ordering::Relaxed);
        // A quarter more, since no two bursts are alike.
        let wanted = (most + most / 4).max(AT_HAND);
        self.pool.fill(wanted.saturating_sub(in_use));
        if in_use == 0 {
            self.most_blocks.store(most - most.div_ceil(DECAY), Ordering::Relaxed);
            self.pool.shrink(self.pool.len().saturating_sub(wanted));
        }
    }

    /// Waits until a thread has filled a block.
    pub(crate) async fn filled(&self) {
        self.wake.notified().await;
        self.wake_is_on_its_way.store(false, Ordering::Relaxed);
    }

    /// The chains of threads that came since the last call.
    pub(crate) fn take_new(&self) -> Vec<Consumer> {
        std::mem::take(&mut *self.new.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn wake(&self) {
        if !self.wake_is_on_its_way.swap(true, Ordering::Relaxed) {
            self.wake.notify_one();
        }
    }
}

/// A thread's end of its chain.
struct Producer {
    queue: Arc<Queue>,
    chain: Writer<Entry>,
    /// The request that the chain named last. It is compared and never followed; the chain or its reader keeps the
    /// request alive for as long as it is the last, so its address is no other's.
    named: *const Request,
    at_end: Arc<AtomicBool>,
}

impl Producer {
    #[cold]
    fn register() -> Option<Self> {
        let queue = Arc::clone(QUEUE.lock().unwrap_or_else(PoisonError::into_inner).as_ref()?);
        let (chain, reader) = block::chain(&queue.pool);
        let at_end = Arc::new(AtomicBool::new(false));
        let thread = std::thread::current();
        let name = thread.name().map_or_else(|| format!("{:?}", thread.id()), str::to_owned);
        let consumer =
            Consumer { chain: reader, at_end: Arc::clone(&at_end), thread: name.into(), named: None, request: None };
        queue.new.lock().unwrap_or_else(PoisonError::into_inner).push(consumer);
        Some(Self { queue, chain, named: std::ptr::null(), at_end })
    }

    #[inline]
    fn push(&mut self, request: &Arc<Request>, severity: Severity, make: impl FnOnce() -> Entry) -> bool {
        if self.chain.is_full() && !self.may_extend(severity) {
            return false;
        }
        if self.named != Arc::as_ptr(request) {
            self.name(request);
        }
        self.chain.write(&self.queue.pool, make);
        true
    }

    /// Says that what follows is of `request`.
    #[inline(never)]
    fn name(&mut self, request: &Arc<Request>) {
        self.named = Arc::as_ptr(request);
        self.chain.write(&self.queue.pool, || Entry::Request(Arc::clone(request)));
        if self.chain.is_full() {
            // What the request was named for follows, whatever the bound.
            self.may_extend(Severity::Promised);
        }
    }

    /// Counts a block more if the bound allows it, else a loss.
    #[cold]
    fn may_extend(&self, severity: Severity) -> bool {
        self.queue.wake();
        let before = self.queue.blocks.fetch_add(1, Ordering::Relaxed);
        match severity {
            Severity::Refusable(level) if before >= self.queue.block_limit => {
                self.queue.blocks.fetch_sub(1, Ordering::Relaxed);
                self.queue.dropped[level as usize].fetch_add(1, Ordering::Relaxed);
                false
            }
            _ => {
                self.queue.most_blocks.fetch_max(before + 1, Ordering::Relaxed);
                true
            }
        }
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.at_end.store(true, Ordering::Release);
    }
}

/// The worker's end of a thread's chain.
pub(crate) struct Consumer {
    chain: Reader<Entry>,
    at_end: Arc<AtomicBool>,
    thread: Arc<str>,
    /// The request that the chain named last. It is held for as long as the thread may compare its address.
    named: Option<Arc<Request>>,
    /// What records refer to: a copy, so that counting their references does not take the line of memory that the
    /// application's threads count theirs in.
    request: Option<Arc<Request>>,
}

/// What the worker reads: an entry, whose it is, and the thread it comes from.
pub(crate) struct Taken<'a> {
    pub(crate) entry: Entry,
    pub(crate) request: &'a Arc<Request>,
    pub(crate) thread: &'a Arc<str>,
}

impl Consumer {
    /// Takes at most `most` entries, and says whether there may be more to come: `None` when the thread is gone and
    /// its chain at its end, else how many were taken.
    pub(crate) fn drain(&mut self, queue: &Queue, most: usize, mut take: impl FnMut(Taken<'_>)) -> Option<usize> {
        // Read before the chain is: what the thread wrote before its end is seen then.
        let at_end = self.at_end.load(Ordering::Acquire);
        for taken in 0..most {
            let freed = || {
                queue.blocks.fetch_sub(1, Ordering::Relaxed);
            };
            match self.chain.read(&queue.pool, freed) {
                Some(Entry::Request(request)) => {
                    self.request = Some(Arc::new(Request::clone(&request)));
                    self.named = Some(request);
                }
                Some(entry) => {
                    if let Some(request) = &self.request {
                        take(Taken { entry, request, thread: &self.thread });
                    }
                }
                None if at_end => return None,
                None => return Some(taken),
            }
        }
        Some(most)
    }
}
