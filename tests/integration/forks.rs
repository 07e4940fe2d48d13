//! Processes that are forked from one with telemetry.

#![expect(unsafe_code, reason = "only the C library forks")]

use std::collections::HashSet;
use std::ffi::c_int;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ragtrace::sink::JsonLines;
use ragtrace::spool::SpoolLimits;
use ragtrace::{Console, Report, RequestContext, Telemetry, traced_stage};
use ragtrace_tests::until;
use serde_json::Value;

/// The variable that tells the forking process what to do. `FOLDER` is the one with the folder of
/// its files.
const SCENE: &str = "RAGTRACE_TEST_FORKS";
const FOLDER: &str = "RAGTRACE_TEST_FOLDER";
/// The time after which the test gives up.
const BOUND: Duration = Duration::from_mins(1);
/// A timeout that must not be waited for.
const FOREVER: Duration = Duration::from_hours(1);

#[traced_stage]
fn work() {}

/// Runs the stage in a request of its own.
fn request() {
    RequestContext::new().sync_scope(work);
}

#[traced_stage]
fn works_on_both_sides(fork: impl FnOnce() -> Forked) -> Forked {
    work();
    fork()
}

/// The process that returns from a fork.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Forked {
    Child,
    Parent(c_int),
}

fn fork() -> Forked {
    unsafe extern "C" {
        fn fork() -> c_int;
    }
    // SAFETY: the function takes no arguments. The child only does what a program with threads may
    // do after a fork with this C library.
    match unsafe { fork() } {
        0 => Forked::Child,
        id => Forked::Parent(id),
    }
}

/// Waits for the end of a child, and returns `true` if it succeeded.
fn wait(child: c_int) -> bool {
    unsafe extern "C" {
        fn waitpid(process: c_int, status: *mut c_int, options: c_int) -> c_int;
    }
    let mut status = 0;
    // SAFETY: the status is written to a valid place.
    unsafe { waitpid(child, &raw mut status, 0) == child && status == 0 }
}

/// Ends a child. The test harness must not continue in it.
fn exit(is_well: bool) -> ! {
    unsafe extern "C" {
        fn _exit(status: c_int) -> !;
    }
    // SAFETY: the function takes a number.
    unsafe { _exit(c_int::from(!is_well)) }
}

/// Runs `child` in a forked process, which ends with it, and returns the process's id.
fn in_child(child: impl FnOnce()) -> c_int {
    match fork() {
        Forked::Parent(id) => id,
        Forked::Child => exit(catch_unwind(AssertUnwindSafe(child)).is_ok()),
    }
}

fn install(folder: &Path, name: &str) -> Telemetry {
    let file = File::create(folder.join(name)).unwrap();
    ragtrace::builder()
        .console(Console::Off)
        .spool(folder.join("spool"), SpoolLimits::default())
        .sink(JsonLines::new(file))
        .install()
        .unwrap()
}

fn assert_lost(report: &Report, lost: u64) {
    assert!(report.stats.forked && report.stats.sinks.is_empty());
    assert_eq!((report.stats.dropped.total(), report.complete), (lost, lost == 0), "{report}");
}

fn scene(name: &str, folder: &Path) {
    let mut owner = Some(install(folder, "parent.jsonl"));
    let handle = owner.as_ref().unwrap().handle();
    request();
    match name {
        "without" => {
            let child = in_child(|| {
                assert_lost(&handle.flush_blocking(FOREVER), 0);
                work();
                std::thread::spawn(work).join().unwrap();
                assert_lost(&handle.flush_blocking(FOREVER), 4);
                assert_eq!(handle.stats().dropped.of(ragtrace::Level::Info), 4);
                assert!(handle.to_prometheus().contains("ragtrace_"));
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                assert_lost(&runtime.block_on(handle.flush(FOREVER)), 4);
                let grandchild = in_child(|| assert_lost(&handle.flush_blocking(FOREVER), 0));
                assert!(wait(grandchild));
                assert_lost(&owner.take().unwrap().shutdown_blocking(FOREVER), 4);
                work();
                assert_lost(&handle.flush_blocking(FOREVER), 4);
            });
            assert!(wait(child));
        }
        "dropped" => {
            let child = in_child(|| drop(owner.take()));
            assert!(wait(child));
            work();
        }
        "with" => {
            let children: Vec<_> = ["one.jsonl", "two.jsonl"]
                .into_iter()
                .map(|file| {
                    in_child(|| {
                        let own = install(folder, file);
                        (0..10).for_each(|_| request());
                        assert!(own.flush_blocking(BOUND).complete);
                        assert_lost(&handle.flush_blocking(FOREVER), 0);
                        std::thread::spawn(request).join().unwrap();
                        let report = own.shutdown_blocking(BOUND);
                        assert!(report.complete && !report.stats.forked, "{report}");
                        assert_eq!(report.stats.sinks[0].delivered, 22);
                    })
                })
                .collect();
            (0..10).for_each(|_| request());
            assert!(children.into_iter().all(wait));
        }
        "inside" => match works_on_both_sides(fork) {
            Forked::Parent(child) => assert!(wait(child)),
            // The run that began in the parent ends there.
            Forked::Child => exit(handle.flush_blocking(FOREVER).stats.dropped.total() == 1),
        },
        _ => {
            let goes_on = AtomicBool::new(true);
            std::thread::scope(|threads| {
                for _ in 0..2 {
                    threads.spawn(|| {
                        while goes_on.load(Ordering::Relaxed) {
                            // Each thread is new to the queue, and therefore takes its locks.
                            std::thread::spawn(work).join().unwrap();
                            let _ = handle.stats();
                        }
                    });
                }
                for _ in 0..50 {
                    let child = in_child(|| {
                        work();
                        assert_lost(&handle.flush_blocking(FOREVER), 2);
                    });
                    assert!(wait(child));
                }
                goes_on.store(false, Ordering::Relaxed);
            });
        }
    }
    let report = owner.take().unwrap().shutdown_blocking(BOUND);
    assert!(report.complete && report.stats.sinks[0].dropped == 0, "{report}");
}

/// Runs the scene in a process of its own, and returns the folder with its files.
fn play(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "forks::a_forked_process_answers_at_once_and_counts_what_it_loses"])
        .env(SCENE, name)
        .env(FOLDER, folder.path())
        .stdout(Stdio::null())
        .stderr(File::create(folder.path().join("stderr")).unwrap())
        .spawn()
        .unwrap();
    let mut status = None;
    until(&format!("the end of `{name}`"), BOUND, || {
        status = process.try_wait().unwrap();
        status.is_some()
    });
    let said = std::fs::read_to_string(folder.path().join("stderr")).unwrap();
    assert!(status.unwrap().success(), "{name}: {said}");
    folder
}

fn records(folder: &Path, file: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_forked_process_answers_at_once_and_counts_what_it_loses() {
    if let Ok(name) = std::env::var(SCENE) {
        return scene(&name, Path::new(&std::env::var_os(FOLDER).unwrap()));
    }
    let folder = play("without");
    assert_eq!(records(folder.path(), "parent.jsonl").len(), 2, "the parent has its own records");
}

#[test]
fn a_forked_process_that_drops_the_telemetry_leaves_the_parent_s_alone() {
    let folder = play("dropped");
    assert_eq!(records(folder.path(), "parent.jsonl").len(), 4);
}

#[test]
fn a_forked_process_installs_telemetry_of_its_own() {
    let folder = play("with");
    let of = |file: &str| records(folder.path(), file);
    let all = [of("parent.jsonl"), of("one.jsonl"), of("two.jsonl")];
    assert_eq!(all.each_ref().map(Vec::len), [22, 22, 22]);
    let distinct = |key: &str| {
        let values = all.iter().flatten().filter(|record| record["event"] == "started");
        values.map(|record| record[key].to_string()).collect::<HashSet<_>>().len()
    };
    assert_eq!(["trace_id", "span_id", "request_id"].map(distinct), [33, 33, 33], "no id is made twice");
    let instances: HashSet<_> = all.iter().flatten().map(|record| record["instance"].to_string()).collect();
    assert_eq!(instances.len(), 3);
}

#[test]
fn a_stage_that_a_fork_divides_ends_in_the_parent_alone() {
    let folder = play("inside");
    let ends = records(folder.path(), "parent.jsonl");
    assert_eq!(ends.iter().filter(|record| record["message"] == "works_on_both_sides_completed").count(), 1);
}

#[test]
fn a_lock_that_another_thread_holds_at_the_fork_holds_nobody_up() {
    play("busy");
}
