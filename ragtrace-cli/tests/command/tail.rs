//! Tests of the newest records, and of following them.

use std::process::Stdio;

use serde_json::Value as Json;

use crate::support::{self, File, Make, ingestion};
use crate::{code, command, holding, ragtrace, stderr, stdout, until_line};

#[test]
fn a_tail_that_follows_writes_what_comes() {
    let file = holding(ingestion());
    let mut child = command(&file, &["tail", "-f", "-n", "0", "--format", "jsonl", "--stage", "rerank"]);
    let mut child = child.stdout(Stdio::piped()).spawn().expect("runs");
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("a pipe")));
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (writer, done) = (file.sink(), std::sync::Arc::clone(&stop));
    // The tail shows only what is written after it has started, so this writes until a line
    // appears.
    let writing = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        while !done.load(std::sync::atomic::Ordering::Relaxed) {
            let record = Make::new("log", "rerank", 1, 0).record();
            let batch = support::batch([record, Make::new("log", "other", 1, 0).record()]);
            runtime.block_on(ragtrace::Sink::deliver(&writer, &batch)).expect("delivered");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    });
    let line = lines.next().expect("a line").expect("text");
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    writing.join().expect("ends");
    child.kill().expect("ends");
    child.wait().expect("ends");
    assert_eq!(serde_json::from_str::<Json>(&line).expect("JSON")["stage"], "rerank");
}

fn deliver(file: &File, stage: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let record = Make::new("log", stage, 1, 0).record();
    runtime.block_on(async {
        let sink = file.sink();
        ragtrace::Sink::deliver(&sink, &support::batch([record])).await.expect("delivered");
        ragtrace::Sink::close(&sink).await;
    });
}

#[cfg(unix)]
#[test]
fn a_tail_follows_the_file_that_takes_the_place_of_the_one_it_had() {
    let file = holding(ingestion());
    let mut child = command(&file, &["tail", "-f", "-n", "1", "--format", "jsonl"]);
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("a pipe")));
    let mut told = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().expect("a pipe")));
    until_line(&mut lines, "ingestion");
    // The file is moved, and another one is created in its place.
    std::fs::rename(file.path(), file.folder.path().join("old.db")).expect("moved");
    until_line(&mut told, "is gone: waiting for a file of that name");
    deliver(&file, "after_moving");
    until_line(&mut told, "has been replaced: following the new file");
    until_line(&mut lines, "after_moving");
    deliver(&file, "later");
    until_line(&mut lines, "later");
    // The file is deleted with its companions, and created again.
    for name in ["ragtrace.db", "ragtrace.db-wal", "ragtrace.db-shm"] {
        let _ = std::fs::remove_file(file.folder.path().join(name));
    }
    until_line(&mut told, "is gone: waiting for a file of that name");
    deliver(&file, "made_anew");
    until_line(&mut told, "has been replaced: following the new file");
    until_line(&mut lines, "made_anew");
    child.kill().expect("ends");
    child.wait().expect("ends");
}

#[cfg(unix)]
#[test]
fn a_tail_outlives_a_file_that_is_cut_or_goes_at_any_moment() {
    let (file, other) = (holding(ingestion()), holding(ingestion()));
    let mut child = command(&file, &["tail", "-f", "-n", "1", "--format", "jsonl"]);
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("a pipe")));
    let mut told = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().expect("a pipe")));
    until_line(&mut lines, "ingestion");
    std::fs::File::options().write(true).open(file.path()).and_then(|file| file.set_len(0)).expect("cut");
    until_line(&mut told, "waiting for the store");
    std::fs::copy(other.path(), file.path()).expect("written anew");
    until_line(&mut told, "the store answers again");
    // Replacements fall between two looks of the tail at the file, and in the middle of one.
    for round in 0..40 {
        std::fs::remove_file(file.path()).expect("removed");
        std::thread::sleep(std::time::Duration::from_millis(round * 7 % 30));
        std::fs::copy(other.path(), file.folder.path().join("next")).expect("copied");
        std::fs::rename(file.folder.path().join("next"), file.path()).expect("moved");
        std::thread::sleep(std::time::Duration::from_millis(round * 11 % 30));
    }
    deliver(&file, "at_last");
    until_line(&mut lines, "at_last");
    assert!(child.try_wait().expect("known").is_none(), "it follows on");
    child.kill().expect("ends");
    child.wait().expect("ends");
}

#[cfg(target_os = "linux")]
#[test]
fn a_tail_ends_when_nobody_reads_it_any_more() {
    let file = holding(ingestion());
    let mut child = command(&file, &["tail", "-f", "-n", "2"]);
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("a pipe")));
    until_line(&mut lines, "trace=");
    drop(lines);
    // No record comes, so only the closed pipe can end the command.
    let output = child.wait_with_output().expect("ends");
    assert_eq!((code(&output), stderr(&output).as_str()), (Some(0), ""));
}

#[test]
fn a_tail_takes_every_filter_that_logs_do() {
    let other =
        Make::new("log", "ask", 9, 40).with("message", "Connection closed").with("request_id", "req-2").record();
    let file = holding(ingestion().into_iter().chain([other]));
    for (arguments, expected) in [
        (&["--trace", "last"][..], 9),
        (&["--request", "req-2"], 1),
        (&["--level", "error"], 2),
        (&["--event", "failed"], 2),
        (&["--event", "started", "--stage", "ingestion"], 1),
        (&["--text", "connection CLOSED"], 1),
        (&["--text", "embederror"], 2),
        (&["--since", "2026-11-22T08:20:12Z"], 2),
        (&["--until", "2026-11-22T08:20:11.001Z"], 1),
        (&["--user", "alice", "--tenant", "acme"], 9),
    ] {
        let count = |command: &str, limit: &str| {
            let all = [&[command, limit, "100", "--format", "jsonl"], arguments].concat();
            stdout(&ragtrace(&file, &all)).lines().count()
        };
        assert_eq!((count("tail", "-n"), count("logs", "--limit")), (expected, expected), "{arguments:?}");
    }
    // What follows is chosen by the same filters as what is there.
    let arguments = ["tail", "-f", "-n", "1", "--format", "jsonl", "--text", "CLOSED", "--event", "log"];
    let mut child = command(&file, &arguments).stdout(Stdio::piped()).spawn().expect("runs");
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("a pipe")));
    until_line(&mut lines, "Connection closed");
    let write = |message: &str, event: &str| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let record = Make::new(event, "ask", 1, 0).with("message", message).record();
        runtime.block_on(async {
            let sink = file.sink();
            ragtrace::Sink::deliver(&sink, &support::batch([record])).await.expect("delivered");
            ragtrace::Sink::close(&sink).await;
        });
    };
    write("opened", "log");
    write("closed too", "started");
    write("it was closed", "log");
    let next = lines.next().expect("a line").expect("text");
    assert!(next.contains("it was closed"), "{next}");
    child.kill().expect("ends");
    child.wait().expect("ends");
}
