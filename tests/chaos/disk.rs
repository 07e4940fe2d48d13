//! Disks that are full, damaged, shared or forbidden: a clear message, the host goes on, and what can be saved is.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

use ragtrace::Durability;
use ragtrace_tests::{Trace, issue, until};
use std::time::Duration;

use crate::process::{Place, Work, disk_use};

const RUNS: u64 = 400;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn value(output: &str, name: &str) -> u64 {
    let word = output.split_whitespace().find_map(|word| word.strip_prefix(&format!("{name}=")));
    word.and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{name} is not said: {output}"))
}

/// Runs the child with files that cannot grow beyond so many KiB: the error that a full disk gives, for any user.
fn run_with_small_files(place: &Place, work: Work, kib: u64) -> Output {
    let mut command = Command::new("bash");
    command.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\" \"$@\""));
    command.arg(env!("CARGO_BIN_EXE_chaos-child")).args(place.words(work));
    command.stdin(Stdio::null()).output().expect("the child runs")
}

#[test]
fn a_full_disk_costs_what_does_not_fit_and_no_more() {
    let place = Place::new();
    let work = Work { manner: "down", runs: 4_000, ..Work::default() };
    let output = run_with_small_files(&place, work, 2_048);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "the host goes on: {err}");
    assert!(err.contains("ragtrace: the spool in") && err.contains("cannot be used"), "it says so: {err}");
    assert!(out.contains("balanced=true"), "{out}");
    let (spooled, dropped) = (value(&out, "spooled"), value(&out, "dropped"));
    assert!(spooled > 0, "what fits is kept: {out}");
    assert!(dropped > 0, "what does not is counted: {out}");
    place.drain();
    let arrived = place.arrived().len() as u64;
    println!("{spooled} fitted, {dropped} did not, {arrived} arrived");
    // Records of our own were spooled, too, and the file has none of those.
    assert!(arrived <= spooled && arrived + 20 >= spooled, "{arrived} of {spooled}");
}

#[test]
fn a_damaged_spool_is_set_aside() {
    let place = Place::new();
    let spooled = place.run(Work { manner: "down", runs: RUNS, ..Work::default() });
    assert!(spooled.status.success());
    let database = place.spool.join("slot-0/spool.redb");
    for damage in [damage_header, damage_middle, truncate, replace] {
        let bytes = fs::read(&database).expect("there is a spool");
        fs::write(&database, damage(bytes)).expect("it can be damaged");
        let output = place.run(Work { manner: "down", from: RUNS, runs: RUNS, ..Work::default() });
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "the host goes on: {err}");
        assert!(err.contains("cannot be read") && err.contains("it is kept as"), "it says so: {err}");
        assert!(value(&out, "spooled") >= RUNS * 2, "what is new is kept: {out}");
    }
    let folder = fs::read_dir(place.spool.join("slot-0")).expect("the slot is there");
    let aside = folder.flatten().filter(|entry| entry.file_name().to_string_lossy().contains("corrupt")).count();
    assert_eq!(aside, 4, "what could not be read is kept");
    place.drain();
    assert_eq!(place.arrived().len() as u64, RUNS * 2);
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
    let place = Place::new();
    let work = |from| Work { task: "hold", manner: "down", from, runs: RUNS, ..Work::default() };
    let mut children: Vec<_> = (0..3).map(|n| place.start(work(n * RUNS))).collect();
    for child in &mut children {
        while child.line().expect("it holds before it ends") != "holding" {}
    }
    let slots = || fs::read_dir(&place.spool).expect("a spool").flatten().filter(|e| e.path().is_dir()).count();
    assert_eq!(slots(), 3, "each has a slot of its own");
    children.remove(1).kill();
    // Two at once want the slot of the one that died; the others are alive, so theirs are left alone.
    let adopters: Vec<_> = (0..2)
        .map(|_| {
            let work = Work { task: "drain", ..Work::default() };
            place.command(work).spawn().expect("the child starts")
        })
        .collect();
    let said: Vec<_> = adopters.into_iter().map(|child| child.wait_with_output().expect("it ends")).collect();
    let recovered: Vec<_> = said.iter().map(|output| value(&text(&output.stdout), "recovered")).collect();
    assert_eq!(recovered.iter().filter(|n| **n > 0).count(), 1, "it is adopted once: {recovered:?}");
    assert_eq!(place.arrived().len() as u64, RUNS * 2, "nothing of those that live");
    for child in children {
        drop(child.kill());
    }
    place.drain();
    let arrived = place.arrived();
    assert_eq!(arrived.len() as u64, 3 * RUNS * 2);
    assert!(arrived.contains(&Trace { number: 3 * RUNS - 1, is_end: true }));
}

#[test]
fn a_folder_that_cannot_be_written_costs_the_spool_and_no_more() {
    let place = Place::new();
    fs::create_dir_all(&place.spool).expect("a folder");
    fs::set_permissions(&place.spool, std::os::unix::fs::PermissionsExt::from_mode(0o555)).expect("it is ours");
    let mut command = place.command(Work { durability: "durable", runs: RUNS, ..Work::default() });
    if fs::write(place.spool.join("probe"), "").is_ok() {
        // The administrator may write anywhere, so the child is somebody else, who may write where records arrive.
        fs::remove_file(place.spool.join("probe")).expect("it was just made");
        let parent = place.file.parent().expect("a folder");
        fs::set_permissions(parent, std::os::unix::fs::PermissionsExt::from_mode(0o777)).expect("it is ours");
        command.uid(65_534).gid(65_534);
    }
    let output = command.output().expect("the child runs");
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "the host goes on: {err}");
    assert!(err.contains("cannot be used") && err.to_lowercase().contains("permission denied"), "it says so: {err}");
    assert_eq!(err.matches("cannot be used").count(), 1, "once: {err}");
    assert_eq!(place.arrived().len() as u64, RUNS * 2, "what the sink takes arrives: {out}");
}

#[test]
fn a_spool_stays_within_its_limit_and_drops_the_oldest() {
    const LIMIT: u64 = 4 << 20;
    let place = Place::new();
    let runs = 10_000;
    let output = place.run(Work { manner: "down", runs, spool_bytes: LIMIT, ..Work::default() });
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    let (blocks, length) = disk_use(&place.spool);
    println!("{blocks} bytes on disk, {length} long, of {LIMIT}: {out}");
    assert!(blocks <= LIMIT, "{blocks} of {LIMIT}");
    assert!(out.contains("balanced=true"), "{out}");
    assert!(value(&out, "dropped") > 0 && err.contains("the spool is full"), "{out} {err}");
    place.drain();
    let arrived = place.arrived();
    assert!(arrived.contains(&Trace { number: runs - 1, is_end: true }), "the newest are kept");
    assert!(!arrived.contains(&Trace { number: 0, is_end: false }), "the oldest went");
}

#[test]
fn what_is_too_old_is_dropped_and_counted() {
    use ragtrace::SpoolLimits;
    use ragtrace::sink::SinkError;
    use ragtrace_tests::{Reply, Scripted, install};
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
