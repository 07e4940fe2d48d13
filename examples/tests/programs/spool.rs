//! Tests what the programs keep on disk while their logs cannot be delivered, set up by the
//! environment alone.

use ragtrace_sinks::store::TraceFilter;

use crate::program::{Ended, Folder};
use crate::trace::assert_whole;

fn ingest(folder: &Folder, settings: &[(&str, &str)]) -> Ended {
    let mut command = folder.command("ingest", &["a.md"]);
    command.envs(settings.iter().copied());
    Ended::from(command.output().expect("the program runs"))
}

#[tokio::test]
async fn what_could_not_be_delivered_is_delivered_by_the_next_run() {
    let folder = Folder::new();
    folder.file("a.md", "A text.");
    let spool = [("RAGTRACE_SPOOL", "spool"), ("RAGTRACE_DURABILITY", "durable"), ("RAGTRACE_SPOOL_BYTES", "67108864")];
    let mut unavailable = spool.to_vec();
    unavailable.push(("RAGTRACE_SQLITE_PATH", "missing/ragtrace.db"));
    let run = ingest(&folder, &unavailable);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "1 ingested, 0 failed, 1 chunks stored\n"), "{}", run.stderr);
    assert!(!run.stderr.contains("not all stage logs were delivered"), "on disk is safe: {}", run.stderr);
    assert_eq!(ingest(&folder, &spool).code, Some(0));
    let traces = folder.store().await.traces(TraceFilter::new()).await.expect("a readable store");
    assert_eq!(traces.len(), 2, "both runs");
    assert_whole(&folder.last_trace().await);
}

#[test]
fn a_setting_that_is_malformed_is_refused_before_any_work() {
    let folder = Folder::new();
    folder.file("a.md", "A text.");
    for (settings, why) in [
        (vec![("RAGTRACE_DURABILITY", "always")], "RAGTRACE_DURABILITY: expected a durability (memory"),
        (vec![("RAGTRACE_DURABILITY", "durable")], "the durability Durable needs a folder for the spool"),
        (
            vec![("RAGTRACE_SPOOL", "spool"), ("RAGTRACE_SPOOL_BYTES", "1 GB")],
            "RAGTRACE_SPOOL_BYTES: expected a number of bytes, found \"1 GB\"",
        ),
        // A valid setting does not hide an invalid one.
        (vec![("RAGTRACE_CONSOLE", "loud"), ("RAGTRACE_LOG", "info")], "RAGTRACE_CONSOLE: expected a form of console"),
    ] {
        let run = ingest(&folder, &settings);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{settings:?}: {}", run.stderr);
        assert!(run.stderr.contains(why), "{settings:?}: {}", run.stderr);
    }
    assert!(!folder.path("rag.db").exists());
}
