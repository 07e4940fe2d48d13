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

/// Counts the allocations of each thread.
pub struct Counting;

// SAFETY: every call goes to the system's allocator as it came.
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

/// What a burst of stages cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// Wall time on the caller's thread, a stage, in nanoseconds.
    pub wall: f64,
    /// CPU time of the caller's thread, a stage, in nanoseconds: what other programs on the machine
    /// do not disturb.
    pub own: f64,
    /// CPU time of the whole process until everything was handed on, a stage, in nanoseconds.
    pub cpu: f64,
    /// Allocations on the caller's thread, a stage.
    pub allocations: f64,
    /// Records that were lost.
    pub dropped: u64,
}

impl Sample {
    /// In the place of one that could not be taken.
    pub const MISSING: Self = Self { wall: f64::NAN, own: f64::NAN, cpu: f64::NAN, allocations: f64::NAN, dropped: 0 };
}

/// Polls the future that `make` makes until it is ready, on this thread, without a runtime. It is
/// inlined and the future made where it is polled, so that moves of futures, whose sizes differ,
/// are no part of what is measured.
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

/// A burst, under a name that `valgrind --tool=callgrind --toggle-collect='*run_burst*'` finds.
#[inline(never)]
fn run_burst(burst: &mut impl FnMut(usize), stages: usize) {
    burst(stages);
}

/// Runs `burst` once as large to warm up and once to measure. `flush` hands on what is left, and
/// returns how much was lost.
pub fn measure(stages: usize, mut burst: impl FnMut(usize), mut flush: impl FnMut() -> u64) -> Sample {
    run_burst(&mut burst, stages);
    flush();
    // For a profiler: so many bursts more.
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

/// Stages in a request of the workload `request`, besides its root.
pub const STAGES_IN_A_REQUEST: usize = 10;

/// Returns how many requests have so many stages, their roots included.
pub const fn requests_of(stages: usize) -> usize {
    stages / (STAGES_IN_A_REQUEST + 1)
}

/// Runs `request` as often as makes `stages` stages, one after the other, polled by a
/// current-thread runtime. Each figure of the sample is that of a request.
pub fn measure_requests(stages: usize, request: impl AsyncFn(u64), flush: impl FnMut() -> u64) -> Sample {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without drivers");
    let burst = |requests: usize| {
        runtime.block_on(async {
            for n in 0..requests as u64 {
                request(n).await;
            }
        });
    };
    measure(requests_of(stages), burst, flush)
}

/// Runs `stage` on `threads` threads at once, `stages` times in all, once to warm up and once to
/// measure. The caller's time is the CPU time of these threads; the wall time is that of a stage on
/// one of them.
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

/// A future that is pending a number of times.
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
