//! Installing, using and shutting down the telemetry leaves the process as the program set it up.
//!
//! This is one test, since it is about properties that a process has only once.

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ragtrace::{Console, traced_stage};

/// The program's own allocator. A library with an allocator would not link with it.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is forwarded to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller fulfils the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller fulfils the contract of `dealloc`, and the memory is from `alloc`
        // above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static HOOK_RUNS: AtomicUsize = AtomicUsize::new(0);

#[traced_stage(kind = parse, fields(bytes))]
fn parse(bytes: usize) -> usize {
    assert!(bytes > 0, "nothing to parse");
    bytes
}

/// Does a run that returns and one that panics. Returns how often the program's hook has run.
fn use_it() -> usize {
    assert_eq!(parse(3), 3);
    assert!(panic::catch_unwind(|| parse(0)).is_err());
    HOOK_RUNS.load(Ordering::Relaxed)
}

/// The properties that a process has only once, as far as they can be read.
#[derive(Debug, PartialEq)]
struct Process {
    environment: BTreeMap<OsString, OsString>,
    folder: std::path::PathBuf,
    log_level: log::LevelFilter,
    has_subscriber: bool,
    has_runtime: bool,
    signals: Vec<Signal>,
}

impl Process {
    fn now() -> Self {
        Self {
            environment: std::env::vars_os().collect(),
            folder: std::env::current_dir().unwrap(),
            log_level: log::max_level(),
            has_subscriber: tracing::dispatcher::has_been_set(),
            has_runtime: tokio::runtime::Handle::try_current().is_ok(),
            signals: signals(),
        }
    }
}

/// A signal's number, handler and flags, and `true` if this thread blocks it.
type Signal = (i32, usize, i32, bool);

#[cfg(unix)]
fn signals() -> Vec<Signal> {
    let mut all = Vec::new();
    // SAFETY: without a new action and a new mask both functions only write to `known` and `mask`,
    // which are plain values.
    unsafe {
        let mut mask = std::mem::zeroed::<libc::sigset_t>();
        assert_eq!(libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), &raw mut mask), 0);
        for signal in 1..32 {
            let mut known = std::mem::zeroed::<libc::sigaction>();
            assert_eq!(libc::sigaction(signal, std::ptr::null(), &raw mut known), 0, "signal {signal}");
            all.push((signal, known.sa_sigaction, known.sa_flags, libc::sigismember(&raw const mask, signal) == 1));
        }
    }
    assert!(all.iter().any(|(signal, ..)| *signal == libc::SIGTERM));
    all
}

#[cfg(not(unix))]
fn signals() -> Vec<Signal> {
    Vec::new()
}

struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        false
    }

    fn log(&self, _: &log::Record<'_>) {}

    fn flush(&self) {}
}

#[test]
fn the_process_stays_as_the_program_made_it() {
    panic::set_hook(Box::new(|_| {
        HOOK_RUNS.fetch_add(1, Ordering::Relaxed);
    }));
    let before = Process::now();
    assert_eq!((before.log_level, before.has_subscriber), (log::LevelFilter::Off, false));
    assert_eq!(use_it(), 1, "stages that nobody listens to");

    let allocations = ALLOCATIONS.load(Ordering::Relaxed);
    let builder = ragtrace::builder().service("host").console(Console::Off);
    let telemetry = builder.sink(ragtrace::sink::JsonLines::new(std::io::sink())).install().unwrap();
    assert!(ALLOCATIONS.load(Ordering::Relaxed) > allocations, "the program's allocator is not used");
    assert_eq!(Process::now(), before, "after the telemetry was installed");
    assert_eq!(use_it(), 2, "the program's hook has to run once a panic");
    assert_eq!(Process::now(), before, "after stages have run");

    let report = telemetry.shutdown_blocking(Duration::from_secs(30));
    assert!(report.complete, "{report}");
    assert_eq!(Process::now(), before, "after the telemetry was shut down");
    assert_eq!(use_it(), 3, "the program's hook has to run once a panic");

    // The program may still decide who receives its own events.
    log::set_logger(&Logger).expect("the program's logger is the first");
    tracing::dispatcher::set_global_default(tracing::Dispatch::none()).expect("the program's subscriber is the first");
}

/// Links the sinks into the program.
#[cfg(feature = "sinks")]
#[test]
fn a_program_that_asks_for_no_sink_gets_none() {
    assert!(ragtrace_sinks::from_lookup(|_| Some(String::new())).unwrap().is_empty());
}
