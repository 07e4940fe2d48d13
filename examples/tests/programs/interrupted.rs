//! Runs that are interrupted by signals, or by a disk that is full for a while.

use ragtrace_sinks::store::{SpanNode, SpanStatus};

use crate::program::Folder;
use crate::signals::{ended, send, start};
use crate::trace::assert_whole;
use crate::{SAMPLES, STAGES, locked_database};

/// Creates a folder with a database of one document, and without the stage logs of that run.
fn folder_with_a_database() -> Folder {
    let folder = Folder::new();
    folder.file("first.md", "Makes the database.");
    assert_eq!(folder.run("ingest", &["first.md"]).code, Some(0));
    std::fs::remove_file(folder.path("ragtrace.db")).expect("the log of the first run");
    folder
}

#[tokio::test]
async fn a_signal_leaves_cancelled_stages_and_a_tally_and_the_next_run_goes_on() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let folder = folder_with_a_database();
        let lock = locked_database(&folder).await;
        let child = start(&folder, "ingest", &["--jobs", "1", "--user", "alice", SAMPLES]);
        let id = folder.started("data_storage").await;
        send(&child, &[signal]);
        let run = ended(child).await;
        drop(lock);

        assert_eq!(run.code, Some(code), "{}", run.stderr);
        assert_eq!(run.last_line(), "0 ingested, 0 failed, 4 cancelled, 0 chunks stored");
        assert!(run.stdout.contains("cancelled in"), "{}", run.stdout);
        let trace = folder.store().await.trace(id).await.expect("a readable store").expect("the trace");
        assert_whole(&trace);
        let with = |status| trace.spans().filter(move |span| span.status() == status).map(SpanNode::stage);
        let cancelled: Vec<_> = with(SpanStatus::Cancelled).collect();
        assert_eq!(cancelled, ["ingestion", "document_ingestion", "data_storage"]);
        let completed: Vec<_> = with(SpanStatus::Completed).filter(|stage| *stage != "change_detection").collect();
        assert_eq!(completed, STAGES[..4]);

        let run = folder.run("ingest", &[SAMPLES]);
        assert!(run.last_line().starts_with("4 ingested, 0 failed, "), "{}", run.stdout);
        let run = folder.run("ingest", &[SAMPLES, "first.md"]);
        assert_eq!(run.last_line(), "0 ingested, 5 unchanged, 0 failed, 0 chunks stored");
    }
}

#[tokio::test]
async fn a_second_signal_ends_a_run_at_once() {
    let folder = folder_with_a_database();
    let lock = locked_database(&folder).await;
    let child = start(&folder, "ingest", &["--jobs", "1", SAMPLES]);
    folder.started("data_storage").await;
    send(&child, &["INT", "TERM"]);
    let run = ended(child).await;
    drop(lock);
    // The two may arrive in either order.
    assert!(matches!(run.code, Some(130 | 143)), "{:?}", run.code);
    assert_eq!(run.stdout, "", "it has not waited for the tally");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_disk_that_is_full_for_a_while_fails_no_document() {
    use std::process::{Command, Stdio};

    use crate::program::wait_for;

    let folder = Folder::new();
    for number in 0..300 {
        folder.file(&format!("in/{number}.txt"), format!("The text of document number {number}. ").repeat(30));
    }
    // A limit of the size of files, in units of 512 bytes, stands for the disk.
    let mut command = folder.command("ingest", &["in"]);
    let limited = "trap '' XFSZ; ulimit -S -f 1000; exec \"$0\" in";
    let mut shell = Command::new("sh");
    shell.args(["-c", limited]).arg(command.get_program()).current_dir(folder.path(""));
    for (name, value) in command.env("RAGTRACE_SINKS", "").get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let child = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a shell");
    wait_for("a full disk", async || {
        let size = |name: &str| std::fs::metadata(folder.path(name)).map_or(0, |file| file.len());
        (size("rag.db").max(size("rag.db-wal")) >= 1000 * 512).then_some(())
    })
    .await;
    let raised =
        Command::new("prlimit").args(["--fsize=unlimited:unlimited", "--pid", &child.id().to_string()]).status();
    assert!(raised.expect("util-linux is installed").success());
    let run = ended(child).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.starts_with("300 ingested, 0 failed"), "{}", run.stdout);
}
