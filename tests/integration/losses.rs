//! Losses, and that a flush or a shutdown with losses is never reported as complete.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ragtrace::sink::{Batch, BatchLimits, Delivered, SinkError};
use ragtrace::{Durability, Level, QueueLimits, Report, Sink, SinkStats, SpoolLimits, Telemetry, traced_stage};
use ragtrace_tests::until;

use crate::support::{Memory, finish, quiet, turn};

/// A time that ends before a parked sink is tried again.
const SOON: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(30);

#[traced_stage]
fn done() {}

#[traced_stage(level = "debug")]
fn hidden() {}

/// A sink that accepts nothing until it is repaired.
#[derive(Clone, Default)]
struct Parked(Arc<AtomicBool>);

impl Sink for Parked {
    fn name(&self) -> &'static str {
        "parked"
    }

    fn limits(&self) -> BatchLimits {
        BatchLimits::default().with_records(16).with_age(Duration::from_millis(10))
    }

    async fn deliver(&self, _: &Batch) -> Result<Delivered, SinkError> {
        if self.0.load(Ordering::Relaxed) { Ok(Delivered::all()) } else { Err(SinkError::park("no such user")) }
    }
}

fn spooled(folder: &Path, durability: Durability, sink: impl Sink) -> Telemetry {
    let builder = quiet().spool(folder, SpoolLimits::default()).durability(durability);
    builder.sink(sink).install().expect("the only one")
}

fn only(report: &Report) -> &SinkStats {
    let sink = &report.stats.sinks[0];
    assert!(sink.is_balanced() && sink.pending == 0, "{report}");
    sink
}

/// Returns folders that cannot be used by any user.
fn unusable(folder: &Path) -> Vec<PathBuf> {
    let file = folder.join("a file");
    fs::write(&file, "no folder").expect("a file");
    let mut paths = vec![file.join("below"), file];
    // A name that no folder of Windows may have.
    #[cfg(not(unix))]
    paths.push(folder.join("what?"));
    #[cfg(unix)]
    {
        let dangling = folder.join("dangling");
        std::os::unix::fs::symlink(folder.join("nowhere/at/all"), &dangling).expect("a link");
        paths.extend([dangling, "/dev/null".into(), "/dev/null/spool".into()]);
    }
    #[cfg(target_os = "linux")]
    paths.push("/proc/no-such-folder".into());
    paths
}

#[test]
fn a_folder_that_cannot_be_used_makes_neither_flush_nor_shutdown_complete() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    for path in unusable(folder.path()) {
        for durability in [Durability::Spill, Durability::Durable] {
            let telemetry = spooled(&path, durability, Parked::default());
            (0..50).for_each(|_| done());
            let flushed = telemetry.flush_blocking(SOON / 4);
            assert!(!flushed.complete, "{}: {flushed}", path.display());
            let report = telemetry.shutdown_blocking(SOON);
            assert!(!report.complete, "{}: {report}", path.display());
            let sink = only(&report);
            assert!(sink.dropped >= 100 && sink.dropped == sink.accepted && sink.counts_dropped > 0, "{report}");
            let why = sink.drop_reason.as_deref().expect("it is told");
            assert!(why.contains("could not be stored on disk") && report.to_string().contains(why), "{report}");
        }
    }
}

#[test]
fn a_folder_that_is_removed_costs_what_it_held_and_that_is_told() {
    for durability in [Durability::Spill, Durability::Durable] {
        let _turn = turn();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("spool");
        let telemetry = spooled(&path, durability, Parked::default());
        (0..50).for_each(|_| done());
        until("the records to be on disk", LONG, || telemetry.flush_blocking(SOON).stats.sinks[0].spooled >= 100);
        fs::remove_dir_all(&path).expect("it is ours");
        (0..50).for_each(|_| done());
        let report = telemetry.shutdown_blocking(LONG);
        let sink = only(&report).clone();
        assert!(!report.complete && sink.dropped >= 100 && sink.spooled >= 100, "{durability:?}: {report}");
        assert_eq!(sink.drop_reason.as_deref(), Some("the spool file was damaged or removed"));
        let mended = Parked(Arc::new(AtomicBool::new(true)));
        let report = spooled(&path, durability, mended).shutdown_blocking(LONG);
        assert_eq!((only(&report).recovered, report.complete), (sink.spooled, true), "what is new is there: {report}");
    }
}

#[test]
fn a_folder_that_is_removed_at_the_very_end_is_not_called_complete() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("spool");
    let telemetry = spooled(&path, Durability::Spill, Parked::default());
    (0..50).for_each(|_| done());
    until("the records to be on disk", LONG, || telemetry.flush_blocking(SOON).stats.sinks[0].spooled >= 100);
    fs::remove_dir_all(&path).expect("it is ours");
    let report = telemetry.shutdown_blocking(SOON);
    assert!(!report.complete && only(&report).dropped >= 100, "{report}");
}

#[test]
fn a_place_that_something_else_has_is_passed_over_for_the_next_one() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    fs::write(path.join("slot-0"), "no folder").expect("a file");
    fs::create_dir_all(path.join("slot-1/lock")).expect("a folder in the place of the lock");
    fs::create_dir_all(path.join("slot-2/spool.redb")).expect("a folder in the place of the file");
    let telemetry = spooled(path, Durability::Durable, Parked::default());
    (0..50).for_each(|_| done());
    let report = telemetry.shutdown_blocking(SOON);
    assert!(report.complete && only(&report).spooled >= 100, "{report}");
    assert!(path.join("slot-3/spool.redb").is_file());
}

#[test]
fn a_shutdown_without_time_says_what_it_did_not_read() {
    let _turn = turn();
    let telemetry = quiet().sink(Memory::default()).install().expect("the only one");
    (0..20_000).for_each(|_| done());
    let report = telemetry.shutdown_blocking(Duration::ZERO);
    let sink = only(&report);
    let all = sink.accepted + report.stats.dropped.total();
    assert!(all >= 40_000, "{report}");
    assert_eq!(report.complete, sink.delivered == all, "{report}");
}

#[test]
fn records_without_room_make_the_next_flush_incomplete_and_the_shutdown_too() {
    let _turn = turn();
    let sink = Parked::default();
    let is_mended = Arc::clone(&sink.0);
    let limits = QueueLimits::default().with_sink_records(10);
    let telemetry = quiet().queue(limits).sink(sink).install().expect("the only one");
    (0..50).for_each(|_| done());
    until("records to be dropped", LONG, || telemetry.stats().sinks[0].dropped >= 90);
    assert!(!telemetry.flush_blocking(SOON).complete);
    is_mended.store(true, Ordering::Relaxed);
    until("a flush over what came since to be complete", LONG, || telemetry.flush_blocking(SOON).complete);
    done();
    assert!(telemetry.flush_blocking(LONG).complete);
    let report = telemetry.shutdown_blocking(LONG);
    assert!(!report.complete && only(&report).dropped >= 90, "it speaks of all: {report}");
}

/// A sink that refuses every record for good.
struct Refusing;

impl Sink for Refusing {
    fn name(&self) -> &'static str {
        "refusing"
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        Ok(Delivered::partly((0..batch.records().len()).map(|index| (index, "bad".to_owned()))))
    }
}

#[test]
fn a_record_that_is_refused_is_kept_as_a_dead_letter_or_lost() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    let kept = spooled(folder.path(), Durability::Spill, Refusing);
    done();
    let report = kept.shutdown_blocking(LONG);
    assert!(report.complete && only(&report).dead_lettered == 2, "{report}");
    let lost = quiet().sink(Refusing).install().expect("the first is gone");
    done();
    let report = lost.shutdown_blocking(LONG);
    assert!(!report.complete && only(&report).dead_lettered == 2, "{report}");
    let unwritable = tempfile::tempdir().expect("a folder");
    fs::create_dir(unwritable.path().join("dead-letters.jsonl")).expect("a folder in the place of the file");
    let failed = spooled(unwritable.path(), Durability::Spill, Refusing);
    done();
    let report = failed.shutdown_blocking(LONG);
    assert!(!report.complete && only(&report).dropped == 2, "{report}");
}

#[test]
fn counts_that_are_lost_without_a_record_are_told_too() {
    let _turn = turn();
    let telemetry = quiet().level(Level::Error).sink(Parked::default()).install().expect("the only one");
    (0..5).for_each(|_| hidden());
    let report = telemetry.shutdown_blocking(SOON);
    let sink = only(&report);
    // Five requests and one minute, or two minutes if a new one began meanwhile.
    assert!(!report.complete && sink.counts_dropped >= 6, "{report}");
    assert!(report.to_string().contains("counts dropped"), "{report}");
    finish(quiet().sink(Memory::default()).install().expect("the first is gone"));
}
