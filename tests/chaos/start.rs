//! Spools that a process left incomplete, or that are damaged, and the next start.

use std::fs;
use std::path::Path;
use std::time::Duration;

use ragtrace::SpoolLimits;
use ragtrace::sink::SinkError;
use ragtrace_tests::{Reply, Scripted, install, issue};

use crate::process::{Work, Workdir};

#[test]
fn a_process_that_ends_at_any_moment_of_its_start_leaves_a_spool_that_the_next_one_takes() {
    let workdir = Workdir::new();
    for _ in 0..80 {
        let mut child =
            workdir.command(Work { manner: "down", runs: 50, ..Work::default() }).spawn().expect("it starts");
        std::thread::sleep(Duration::from_micros(fastrand::u64(..12_000)));
        child.kill().expect("it can be killed");
        let output = child.wait_with_output().expect("it was ours");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("cannot be read") && !said.contains("stay there"), "{said}");
    }
    let output = workdir.run(Work { task: "drain", ..Work::default() });
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("cannot be"), "{said}");
    assert!(aside(&workdir.spool).is_empty());
}

/// Returns the names of files that were set aside.
fn aside(spool: &Path) -> Vec<String> {
    let slots = fs::read_dir(spool).into_iter().flatten().flatten();
    let files = slots.flat_map(|slot| fs::read_dir(slot.path()).into_iter().flatten().flatten());
    files.map(|file| file.file_name().to_string_lossy().into_owned()).filter(|name| name.contains("corrupt")).collect()
}

/// Spools some records into `folder`, and returns their number.
fn spool_some(folder: &Path) -> u64 {
    let down = Scripted::new("down", |_| Reply::Fail(SinkError::retry("down")), |_| ());
    let telemetry = install(ragtrace::builder().spool(folder, SpoolLimits::default()).sink(down));
    (0..100).for_each(issue);
    let report = telemetry.shutdown(Duration::from_secs(2));
    assert!(report.complete && report.stats.sinks[0].dropped == 0, "{report}");
    report.stats.sinks[0].spooled
}

/// Returns a new file of the spool's database, as it is before the first bytes that identify it are
/// written.
fn unborn(bytes: &[u8]) -> Vec<u8> {
    let mut unborn = vec![0; bytes.len()];
    unborn[9..512].copy_from_slice(&bytes[9..512]);
    unborn
}

#[test]
fn a_file_that_nothing_was_written_to_is_taken_for_none() {
    let whole = tempfile::tempdir().expect("a folder");
    spool_some(whole.path());
    let bytes = fs::read(whole.path().join("slot-0/spool.redb")).expect("there is a spool");
    for half_made in [Vec::new(), vec![0; 1], vec![0; 4_096], vec![0; bytes.len()], unborn(&bytes)] {
        for slot in ["slot-0", "slot-5"] {
            let folder = tempfile::tempdir().expect("a folder");
            fs::create_dir(folder.path().join(slot)).expect("a folder");
            fs::write(folder.path().join(slot).join("spool.redb"), &half_made).expect("a file");
            fs::write(folder.path().join(slot).join("spool.redb.new"), "half made, too").expect("a file");
            assert!(spool_some(folder.path()) >= 200);
            assert_eq!(aside(folder.path()), [""; 0], "{} bytes", half_made.len());
        }
    }
}

#[test]
fn a_file_that_was_cut_is_set_aside_and_never_holds_up_a_start() {
    let whole = tempfile::tempdir().expect("a folder");
    spool_some(whole.path());
    let bytes = fs::read(whole.path().join("slot-0/spool.redb")).expect("there is a spool");
    let lengths = [1, 8, 9, 64, 511, 512, 4_095, 4_096, 8_192, 65_536, bytes.len() / 2, bytes.len() - 1];
    for length in lengths {
        for slot in ["slot-0", "slot-5"] {
            let folder = tempfile::tempdir().expect("a folder");
            fs::create_dir(folder.path().join(slot)).expect("a folder");
            fs::write(folder.path().join(slot).join("spool.redb"), &bytes[..length]).expect("a file");
            let spooled = spool_some(folder.path());
            // The part that is cut off may not have contained anything yet.
            let is_whole = spooled >= 400;
            assert!(
                spooled >= 200 && (is_whole || aside(folder.path()).len() == 1),
                "{length} of {}: {spooled}",
                bytes.len()
            );
        }
    }
}
