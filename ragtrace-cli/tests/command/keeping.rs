//! Retention and purge, and reading the store afterwards.

use std::process::{Command, Stdio};

use ragtrace::Record;

use crate::support::{File, Make, TRACE, ingestion};
use crate::{code, holding, ragtrace, stderr, stdout};

/// Returns the ingestion's records, dated years ago.
fn old() -> impl Iterator<Item = Record> {
    ingestion()
        .into_iter()
        .map(|record| Record::from_json(&record.to_json().replace("2026-11-22", "2020-11-22")).expect("a record"))
}

#[test]
fn every_command_that_reads_sees_the_archive() {
    let file = holding(old());
    stdout(&ragtrace(&file, &["retention", "--archive-days", "36500"]));
    for arguments in [
        &["trace", TRACE][..],
        &["trace", "last"],
        &["trace", "0199a1c2"],
        &["trace", "0199a1c27b1e"],
        &["logs"],
        &["logs", "--trace", TRACE],
        &["logs", "--trace", "last"],
        &["logs", "--trace", "0199a1c2"],
        &["logs", "--request", "req-1"],
        &["logs", "--user", "alice", "--stage", "ingestion"],
        &["errors"],
        &["errors", "--since", "9999d"],
        &["tail"],
        &["purge", "--user", "alice", "--dry-run"],
    ] {
        stdout(&ragtrace(&file, arguments));
    }
    let errors = stdout(&ragtrace(&file, &["errors", "--format", "jsonl"]));
    assert_eq!(errors.lines().count(), 2, "{errors}");
}

/// Creates a file with some megabytes of records for retention to remove.
fn large() -> File {
    let text = "x".repeat(4_000);
    let record = |number: u64| {
        let trace = uuid::Uuid::new_v4().to_string();
        let make = Make::new("log", "file_parsing", number + 1, 0).trace(&trace);
        make.with("timestamp", "2020-11-22T08:20:11.000000Z").with("message", &*text).record()
    };
    holding((0..4_000).map(record))
}

#[test]
fn retention_says_what_is_free_and_gives_it_back_when_it_is_asked_to() {
    let file = large();
    let length = || std::fs::metadata(file.path()).expect("a file").len();
    let sample_nothing = ["retention", "--sample", "0", "--archive-days", "36500"];
    let full = length();
    let output = ragtrace(&file, &sample_nothing);
    assert_eq!(stdout(&output), "1 days: 0 traces archived, 4000 removed; 0 expired from the archive\n");
    let said = stderr(&output);
    assert!(said.contains("MB of the file are free") && said.contains("`--shrink` gives them back"), "{said}");
    assert!(length() >= full);
    let dry = ragtrace(&file, &[&sample_nothing[..], &["--shrink", "--dry-run"]].concat());
    assert_eq!(code(&dry), Some(0), "{}", stderr(&dry));
    assert!(length() >= full, "a dry run changes nothing");
    let output = ragtrace(&file, &[&sample_nothing[..], &["--shrink"]].concat());
    stdout(&output);
    assert_eq!(stderr(&output), "", "nothing is free any more");
    assert!(length() < full / 4, "{} of {full}", length());
}

/// Starts another process that is in the middle of reading the file.
fn reader(file: &File) -> std::process::Child {
    let script = "import sqlite3,sys\nc=sqlite3.connect(sys.argv[1],isolation_level=None)\nc.execute('BEGIN')\n\
                  c.execute('SELECT count(*) FROM logs').fetchall()\nprint('reads',flush=True)\nsys.stdin.read()";
    let mut python = Command::new("python3");
    python.args(["-c", script]).arg(file.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
    python.spawn().expect("python3 runs")
}

#[test]
fn a_purge_whose_bytes_a_reader_holds_says_so_and_fails() {
    let file = holding(ingestion());
    let mut reader = reader(&file);
    let mut line = String::new();
    let out = reader.stdout.as_mut().expect("a pipe");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).expect("it reads");
    let purged = ragtrace(&file, &["purge", "--user", "alice"]);
    assert_eq!(code(&purged), Some(2), "{}", stderr(&purged));
    let said = stderr(&purged);
    assert!(said.contains("9 rows are removed, but their bytes remain in the write-ahead log"), "{said}");
    assert!(said.contains("stop that program, and purge again"), "{said}");
    drop(reader.stdin.take());
    assert!(reader.wait().expect("ends").success());
    let again = ragtrace(&file, &["purge", "--user", "alice"]);
    assert_eq!(code(&again), Some(1), "nothing is left of her: {}", stderr(&again));
}

#[test]
fn a_purge_tells_what_of_a_spool_stays_since_nobody_can_read_it() {
    let file = holding(ingestion());
    let spool = file.folder.path().join("spool");
    std::fs::create_dir_all(spool.join("slot-0")).expect("made");
    std::fs::write(spool.join("slot-0/spool.redb.corrupt-1"), "anything").expect("written");
    std::fs::write(spool.join("dead-letters.jsonl"), "no letter\n").expect("written");
    let output = ragtrace(&file, &["purge", "--user", "alice", "--spool", "spool"]);
    stdout(&output);
    let said = stderr(&output);
    assert!(said.contains("1 files of the spool could not be read"), "{said}");
    assert!(said.contains("1 batches and dead letters of the spool cannot be read"), "{said}");
}
