//! Clocks and counters.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// An allocator that counts the allocations of each thread.
pub struct Counting;

// SAFETY: every call is forwarded to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The cost of a burst of stages.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// The wall time on the caller's thread per stage, in nanoseconds.
    pub wall: f64,
    /// The CPU time of the caller's thread per stage, in nanoseconds. Other programs on the machine
    /// do not affect it.
    pub own: f64,
    /// The CPU time of the whole process until everything is flushed, per stage, in nanoseconds.
    pub cpu: f64,
    /// The number of allocations on the caller's thread per stage.
    pub allocations: f64,
    /// The number of records that were lost.
    pub dropped: u64,
}

impl Sample {
    /// A placeholder for a sample that could not be taken.
    pub const MISSING: Self = Self { wall: f64::NAN, own: f64::NAN, cpu: f64::NAN, allocations: f64::NAN, dropped: 0 };
}

/// Polls the future that `make` returns on this thread until it is ready, without a runtime.
///
/// The function is inlined and creates the future where it is polled, so that moves of futures,
/// which differ in size, are not measured.
#[inline(always)]
pub fn block_on<F: Future>(make: impl FnOnce() -> F) -> F::Output {
    let mut future = pin!(make());
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// Runs a burst, under a name that `valgrind --tool=callgrind --toggle-collect='*run_burst*'`
/// finds.
#[inline(never)]
fn run_burst(burst: &mut impl FnMut(usize), stages: usize) {
    burst(stages);
}

/// Runs `burst` once to warm up and once to measure. `flush` flushes the telemetry, and returns the
/// number of lost records.
pub fn measure(stages: usize, mut burst: impl FnMut(usize), mut flush: impl FnMut() -> u64) -> Sample {
    run_burst(&mut burst, stages);
    flush();
    // A profiler may ask for further bursts.
    let more = std::env::var("BURSTS").ok().and_then(|bursts| bursts.parse().ok()).unwrap_or(0);
    for _ in 0..more {
        run_burst(&mut burst, stages);
        flush();
    }
    let cpu = process_cpu();
    let allocations = ALLOCATIONS.get();
    let (start, own) = (Instant::now(), thread_cpu());
    run_burst(&mut burst, stages);
    let (wall, own) = (start.elapsed(), thread_cpu() - own);
    let allocations = ALLOCATIONS.get() - allocations;
    let dropped = flush();
    let cpu = process_cpu() - cpu;
    let each = |total: Duration| total.as_nanos() as f64 / stages as f64;
    Sample {
        wall: each(wall),
        own: each(own),
        cpu: each(cpu),
        allocations: allocations as f64 / stages as f64,
        dropped,
    }
}

/// Runs `stage` `stages` times in all on `threads` threads at once, first to warm up and then to
/// measure.
///
/// The caller's time is the CPU time of these threads. The wall time is that of a stage on one of
/// them.
pub fn measure_threads(
    threads: usize,
    stages: usize,
    stage: impl Fn(u64) + Sync,
    mut flush: impl FnMut() -> u64,
) -> Sample {
    let each = stages / threads;
    let burst = || -> Duration {
        std::thread::scope(|scope| {
            let running: Vec<_> = (0..threads)
                .map(|_| {
                    scope.spawn(|| {
                        let own = thread_cpu();
                        (0..each as u64).for_each(&stage);
                        thread_cpu() - own
                    })
                })
                .collect();
            running.into_iter().map(|thread| thread.join().expect("a stage does not panic")).sum()
        })
    };
    burst();
    flush();
    let (cpu, start) = (process_cpu(), Instant::now());
    let own = burst();
    let wall = start.elapsed();
    let dropped = flush();
    let cpu = process_cpu() - cpu;
    let a_stage = |total: Duration, of: usize| total.as_nanos() as f64 / of as f64;
    Sample {
        wall: a_stage(wall, each),
        own: a_stage(own, each * threads),
        cpu: a_stage(cpu, each * threads),
        allocations: f64::NAN,
        dropped,
    }
}

fn process_cpu() -> Duration {
    // SAFETY: a zeroed `rusage` is valid, and the call fills it.
    let usage = unsafe {
        let mut usage = std::mem::zeroed::<libc::rusage>();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let time = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1_000);
    time(usage.ru_utime) + time(usage.ru_stime)
}

fn thread_cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call fills a valid `timespec`.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// A future that is pending the given number of times.
pub struct Pend(pub u32);

impl Future for Pend {
    type Output = ();

    fn poll(mut self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::hint::black_box(self.0) == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        Poll::Pending
    }
}
