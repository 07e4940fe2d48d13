//! Disks that are full, damaged, shared or forbidden: there is a clear message, the host continues,
//! and records are saved where possible.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use ragtrace::sink::SinkError;
use ragtrace::{Durability, QueueLimits, Sampler, SpoolLimits, traced_stage};
use ragtrace_tests::{Reply, Scripted, Trace, install, issue, until};

use crate::process::{Work, Workdir, collecting, disk_use};

const RUNS: u64 = 400;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn value(output: &str, name: &str) -> u64 {
    let word = output.split_whitespace().find_map(|word| word.strip_prefix(&format!("{name}=")));
    word.and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{name} is not said: {output}"))
}

/// Runs the child with files that cannot grow beyond a number of KiB, which gives the error of a
/// full disk for any user.
fn run_with_small_files(workdir: &Workdir, work: Work, kib: u64) -> Output {
    let mut command = Command::new("bash");
    command.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\" \"$@\""));
    command.arg(env!("CARGO_BIN_EXE_chaos-child")).args(workdir.args(work));
    command.stdin(Stdio::null()).output().expect("the child runs")
}

#[test]
fn a_full_disk_costs_what_does_not_fit_and_no_more() {
    let workdir = Workdir::new();
    let work = Work { manner: "down", runs: 4_000, ..Work::default() };
    let output = run_with_small_files(&workdir, work, 2_048);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "the host goes on: {err}");
    assert!(err.contains("ragtrace: the spool in") && err.contains("cannot be used"), "it says so: {err}");
    assert!(out.contains("complete=false balanced=true"), "{out}");
    let (spooled, dropped) = (value(&out, "spooled"), value(&out, "dropped"));
    assert!(spooled > 0, "what fits is kept: {out}");
    assert!(dropped > 0, "what does not is counted: {out}");
    workdir.drain();
    let arrived = workdir.arrived().len() as u64;
    println!("{spooled} fitted, {dropped} did not, {arrived} arrived");
    // The pipeline's own records were spooled too, but the file does not contain them.
    assert!(arrived <= spooled && arrived + 20 >= spooled, "{arrived} of {spooled}");
}

#[test]
fn a_damaged_spool_is_set_aside() {
    let workdir = Workdir::new();
    let spooled = workdir.run(Work { manner: "down", runs: RUNS, ..Work::default() });
    assert!(spooled.status.success());
    let database = workdir.spool.join("slot-0/spool.redb");
    for damage in [damage_header, damage_middle, truncate, replace] {
        let bytes = fs::read(&database).expect("there is a spool");
        fs::write(&database, damage(bytes)).expect("it can be damaged");
        let output = workdir.run(Work { manner: "down", from: RUNS, runs: RUNS, ..Work::default() });
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "the host goes on: {err}");
        assert!(err.contains("cannot be read") && err.contains("it is kept as"), "it says so: {err}");
        assert!(value(&out, "spooled") >= RUNS * 2, "what is new is kept: {out}");
    }
    let folder = fs::read_dir(workdir.spool.join("slot-0")).expect("the slot is there");
    let aside = folder.flatten().filter(|entry| entry.file_name().to_string_lossy().contains("corrupt")).count();
    assert_eq!(aside, 4, "what could not be read is kept");
    workdir.drain();
    assert_eq!(workdir.arrived().len() as u64, RUNS * 2);
}

fn damage_header(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes[..512].fill(0xa5);
    bytes
}

fn damage_middle(mut bytes: Vec<u8>) -> Vec<u8> {
    let from = 4_096;
    bytes[from..].fill(0x5a);
    bytes
}

fn truncate(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() / 3);
    bytes
}

fn replace(_: Vec<u8>) -> Vec<u8> {
    b"this is no spool".repeat(1_000)
}

#[test]
fn processes_share_a_folder_and_the_slot_of_one_that_died_is_adopted_once() {
    let workdir = Workdir::new();
    let work = |from| Work { task: "hold", manner: "down", from, runs: RUNS, ..Work::default() };
    let mut children: Vec<_> = (0..3).map(|n| workdir.start(work(n * RUNS))).collect();
    for child in &mut children {
        while child.line().expect("it holds before it ends") != "holding" {}
    }
    let slots = || fs::read_dir(&workdir.spool).expect("a spool").flatten().filter(|e| e.path().is_dir()).count();
    assert_eq!(slots(), 3, "each has a slot of its own");
    children.remove(1).kill();
    // Two processes at once compete for the slot of the one that died. The slots of the others,
    // which are alive, are left alone.
    let adopters: Vec<_> = (0..2)
        .map(|_| {
            let work = Work { task: "drain", ..Work::default() };
            workdir.command(work).spawn().expect("the child starts")
        })
        .collect();
    let said: Vec<_> = adopters.into_iter().map(|child| child.wait_with_output().expect("it ends")).collect();
    let recovered: Vec<_> = said.iter().map(|output| value(&text(&output.stdout), "recovered")).collect();
    assert_eq!(recovered.iter().filter(|n| **n > 0).count(), 1, "it is adopted once: {recovered:?}");
    assert_eq!(workdir.arrived().len() as u64, RUNS * 2, "nothing of those that live");
    for child in children {
        drop(child.kill());
    }
    workdir.drain();
    let arrived = workdir.arrived();
    assert_eq!(arrived.len() as u64, 3 * RUNS * 2);
    assert!(arrived.contains(&Trace { number: 3 * RUNS - 1, is_end: true }));
}

#[test]
fn a_folder_that_cannot_be_written_costs_the_spool_and_no_more() {
    let workdir = Workdir::new();
    fs::create_dir_all(&workdir.spool).expect("a folder");
    fs::set_permissions(&workdir.spool, std::os::unix::fs::PermissionsExt::from_mode(0o555)).expect("it is ours");
    let mut command = workdir.command(Work { durability: "durable", runs: RUNS, ..Work::default() });
    if fs::write(workdir.spool.join("probe"), "").is_ok() {
        // An administrator may write anywhere, so the child runs as another user, who may write
        // where records arrive.
        fs::remove_file(workdir.spool.join("probe")).expect("it was just made");
        let parent = workdir.file.parent().expect("a folder");
        fs::set_permissions(parent, std::os::unix::fs::PermissionsExt::from_mode(0o777)).expect("it is ours");
        command.uid(65_534).gid(65_534);
    }
    let output = command.output().expect("the child runs");
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "the host goes on: {err}");
    assert!(err.contains("cannot be used") && err.to_lowercase().contains("permission denied"), "it says so: {err}");
    assert_eq!(err.matches("cannot be used").count(), 1, "once: {err}");
    assert_eq!(workdir.arrived().len() as u64, RUNS * 2, "what the sink takes arrives: {out}");
}

#[test]
fn a_spool_stays_within_its_limit_and_drops_the_oldest() {
    const LIMIT: u64 = 4 << 20;
    let workdir = Workdir::new();
    let runs = 10_000;
    let output = workdir.run(Work { manner: "down", runs, spool_bytes: LIMIT, ..Work::default() });
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    let (blocks, length) = disk_use(&workdir.spool);
    println!("{blocks} bytes on disk, {length} long, of {LIMIT}: {out}");
    assert!(blocks <= LIMIT, "{blocks} of {LIMIT}");
    assert!(out.contains("balanced=true"), "{out}");
    assert!(value(&out, "dropped") > 0 && err.contains("the spool is full"), "{out} {err}");
    workdir.drain();
    let arrived = workdir.arrived();
    assert!(arrived.contains(&Trace { number: runs - 1, is_end: true }), "the newest are kept");
    assert!(!arrived.contains(&Trace { number: 0, is_end: false }), "the oldest went");
}

#[test]
fn a_spool_stays_within_its_limit_and_drops_the_newest_if_that_is_set() {
    const LIMIT: u64 = 4 << 20;
    let workdir = Workdir::new();
    let runs = 10_000;
    let work = Work { manner: "down", runs, spool_bytes: LIMIT, when_full: "newest", ..Work::default() };
    let output = workdir.run(work);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    let (blocks, _) = disk_use(&workdir.spool);
    println!("{blocks} bytes on disk of {LIMIT}: {out}");
    assert!(blocks <= LIMIT, "{blocks} of {LIMIT}");
    assert!(out.contains("balanced=true") && value(&out, "dropped") > 0, "{out}");
    assert_eq!(err.matches("has no room for sink file, whose records stay in memory").count(), 1, "once: {err}");
    assert!(err.contains("they were left at the shutdown, and could not be stored on disk"), "{err}");
    workdir.drain();
    let arrived = workdir.arrived();
    // The records up to the full disk are kept. A small batch may find space later.
    let oldest = (0..1_000).flat_map(|number| [false, true].map(|is_end| Trace { number, is_end }));
    assert!(oldest.into_iter().all(|trace| arrived.contains(&trace)), "the oldest are kept");
}

#[test]
fn a_file_that_is_damaged_while_it_is_open_costs_what_it_holds_and_no_more() {
    for damage in [damage_middle, truncate, replace] {
        let workdir = Workdir::new();
        let mut child = workdir.start(Work { task: "twice", manner: "down", runs: 4_000, ..Work::default() });
        while child.line().expect("it holds before it ends") != "holding" {}
        let database = workdir.spool.join("slot-0/spool.redb");
        // The file is damaged in place, while the process has it open.
        fs::write(&database, damage(fs::read(&database).expect("there is a spool"))).expect("it can be damaged");
        let output = child.end();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success() && out.contains("balanced=true"), "the host goes on: {out} {err}");
        // The process may not have had to read the damaged part; the next one does.
        let next = workdir.run(Work { task: "drain", ..Work::default() });
        let said = err + &text(&next.stderr);
        assert!(next.status.success(), "so does the next one: {said}");
        assert!(said.contains("it is kept as") || said.contains("cannot be used"), "one says so: {said}");
    }
}

#[test]
fn a_slot_that_cannot_be_read_costs_what_it_holds_and_no_more() {
    let workdir = Workdir::new();
    assert!(workdir.run(Work { manner: "down", runs: RUNS, ..Work::default() }).status.success());
    // The slot of another process, with a folder in place of its file.
    fs::create_dir_all(workdir.spool.join("slot-7/spool.redb")).expect("a folder");
    let output = workdir.run(Work { manner: "down", from: RUNS, runs: RUNS, ..Work::default() });
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success() && value(&out, "spooled") >= 4 * RUNS, "both are kept: {out} {err}");
    assert!(err.contains("slot-7 stay there, because they cannot be moved"), "it says so: {err}");
    workdir.drain();
    assert_eq!(workdir.arrived().len() as u64, 4 * RUNS);
}

#[test]
fn a_disk_that_hangs_costs_its_sinks_what_is_over_their_share_and_no_other_anything() {
    let folder = tempfile::tempdir().expect("a folder");
    let lock = fs::File::create(folder.path().join("dead-letters.lock")).expect("a file");
    lock.lock().expect("nobody else has it");
    // Writing a dead letter waits for the lock, on the spool's thread.
    let picky = Scripted::new("picky", |_| Reply::TakeBut(vec![(0, "bad".to_owned())]), |_| ());
    let down = Scripted::new("down", |_| Reply::Fail(SinkError::retry("down")), |_| ());
    let (well, seen) = collecting();
    let limits = QueueLimits::default().with_sink_records(20_000);
    let builder = ragtrace::builder().queue(limits).spool(folder.path(), SpoolLimits::default());
    let telemetry = install(builder.sink(picky).sink(down).sink(well));
    issue(0);
    until("the disk to hang", Duration::from_secs(10), || telemetry.stats().sinks[0].dead_lettered > 0);
    let mut issued = 1;
    until("a sink to be over its memory", Duration::from_mins(1), || {
        (issued..issued + 1_000).for_each(issue);
        issued += 1_000;
        until("the worker to read", Duration::from_secs(30), || telemetry.stats().sinks[2].accepted >= 2 * issued);
        assert!(telemetry.stats().sinks.iter().all(ragtrace::SinkStats::is_balanced));
        telemetry.stats().sinks[1].dropped > 0
    });
    until("it to be told to the other sinks", Duration::from_secs(30), || {
        let told = |record: &ragtrace::Record| {
            record.message() == "ragtrace_records_dropped"
                && record.field("sink").and_then(|value| value.as_str()) == Some("down")
        };
        seen.lock().expect("whole").iter().any(told)
    });
    drop(lock);
    let report = telemetry.shutdown(Duration::from_secs(30));
    println!("{issued} runs: {report}");
    let [_, down, well] = &report.stats.sinks[..] else { panic!("three sinks") };
    assert!(down.is_balanced() && down.spooled > 0 && down.spooled + down.dropped == down.accepted, "{report}");
    assert_eq!((well.dropped, report.stats.dropped.total()), (0, 0), "{report}");
    let arrived = seen.lock().expect("whole").iter().filter(|record| record.stage().is_some()).count();
    assert_eq!(arrived as u64, 2 * issued, "the sink that is well has all");
}

#[test]
fn what_is_held_and_cannot_be_written_ahead_makes_a_flush_incomplete_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("spool");
    fs::write(&path, "no folder").expect("a file");
    let (sink, _) = collecting();
    let builder = ragtrace::builder().spool(&path, SpoolLimits::default()).durability(Durability::Durable);
    let telemetry = install(builder.sample(Sampler::ratio(0.0)).sink(sink));
    let patience = Duration::from_mins(10);
    let begin = Instant::now();
    let flushed = held(|| telemetry.flush_blocking(patience));
    assert!(begin.elapsed() < patience, "{:?}", begin.elapsed());
    assert!(!flushed.complete && flushed.stats.held == 3, "{flushed}");
    fs::remove_file(&path).expect("it is there");
    until("the disk to be used again", Duration::from_secs(30), || {
        held(|| telemetry.flush_blocking(Duration::from_secs(5))).complete
    });
    let report = telemetry.shutdown(Duration::from_secs(5));
    assert!(report.complete && report.stats.held == 0 && report.stats.sinks[0].accepted == 0, "{report}");
}

#[traced_stage]
fn held<T>(body: impl FnOnce() -> T) -> T {
    issue(1);
    body()
}

#[test]
fn what_is_too_old_is_dropped_and_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let down = Scripted::new("down", |_| Reply::Fail(SinkError::retry("down")), |_| ());
    let limits = SpoolLimits::default().with_age(Duration::from_millis(1));
    let builder = ragtrace::builder().spool(folder.path(), limits).durability(Durability::Spill).sink(down);
    let telemetry = install(builder);
    (0..10).for_each(issue);
    telemetry.flush_blocking(Duration::from_secs(2));
    until("the old to be dropped", Duration::from_secs(15), || {
        let stats = telemetry.stats();
        stats.sinks[0].dropped >= 20 && stats.sinks[0].is_balanced()
    });
    telemetry.shutdown(Duration::from_millis(200));
}
