//! Panics that end the process, in a program that is built with `panic = "abort"`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use ragtrace_tests::until;
use serde_json::Value;

/// The time after which the test gives up on a child, far more than it ever takes.
const BOUND: Duration = Duration::from_mins(1);

/// Builds the program as an application with such a profile is built. Its build dependencies are
/// compiled already.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is in the target's folder");
        let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["build", "-p", "ragtrace-tests-abort", "--offline", "--message-format=json"])
            .args(["--config", "profile.dev.panic=\"abort\"", "--config", "profile.dev.debug=false"])
            .env("CARGO_TARGET_DIR", target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        let messages = output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        let mut executable = messages.filter_map(|line| {
            let message: Value = serde_json::from_slice(line).unwrap();
            message["executable"].as_str().map(PathBuf::from)
        });
        executable.next_back().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    })
}

/// Runs the program to its end by a panic. Returns the records that it wrote, and its standard
/// error.
fn panics(manner: &str) -> (Vec<Value>, String) {
    let mut command = Command::new(program());
    command.arg(manner).env("RUST_BACKTRACE", "0").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    until(&format!("the end of `{manner}`"), BOUND, || match child.try_wait() {
        Ok(ended) => ended.is_some(),
        Err(error) => panic!("{error}"),
    });
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success(), "a panic ends it");
    let records = output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let records = records.map(|line| serde_json::from_slice(line).unwrap()).collect();
    (records, String::from_utf8(output.stderr).unwrap())
}

fn messages(records: &[Value]) -> Vec<&str> {
    records.iter().filter_map(|record| record["message"].as_str()).collect()
}

/// Asserts that both stages have a started and a failed record, with the right parents and the
/// panic's message.
fn assert_failed(records: &[Value], thread: &str) {
    let of = |message: &str| {
        let mut found = records.iter().filter(|record| record["message"] == message);
        let record = found.next().unwrap_or_else(|| panic!("no {message} in {:?}", messages(records)));
        assert!(found.next().is_none(), "{message} is there twice");
        record
    };
    let (outer, inner) = (of("ingestion_failed"), of("chunking_failed"));
    for (started, failed) in [("ingestion_started", outer), ("chunking_started", inner)] {
        let started = of(started);
        for key in ["trace_id", "span_id", "parent_span_id", "user_id", "thread", "source"] {
            assert_eq!(started[key], failed[key], "{key}");
        }
        assert_eq!((&failed["level"], &failed["error"]["type"]), (&"ERROR".into(), &"panic".into()));
        let message = failed["error"]["message"].as_str().unwrap();
        assert!(message.starts_with("no text in a.md (at ") && message.contains("main.rs:"), "{message}");
        assert!(failed["metrics"]["duration_ms"].is_number());
        assert_eq!(failed["thread"], thread);
    }
    assert_eq!(inner["parent_span_id"], outer["span_id"]);
    assert_eq!((&outer["context"]["document"], &inner["metrics"]["pages"]), (&"a.md".into(), &2.into()));
}

#[test]
fn the_stages_that_a_panic_passes_fail_before_the_process_ends() {
    let (records, said) = panics("stage");
    assert_failed(&records, "main");
    assert_eq!(records.len(), 4, "{:?}", messages(&records));
    assert!(said.contains("no text in a.md"), "the hook that was there before still runs: {said}");
}

#[test]
fn what_runs_on_other_threads_stays_open() {
    let (records, _) = panics("thread");
    assert_failed(&records, "worker-7");
    let all = messages(&records);
    assert!(all.contains(&"waiting_started") && all.len() == 5, "{all:?}");
}

#[test]
fn a_panic_outside_of_any_stage_loses_nothing_that_was_recorded_before() {
    let (records, _) = panics("nowhere");
    assert_eq!(messages(&records), ["complete_started", "complete_completed"]);
}

#[test]
fn a_sink_that_never_answers_does_not_keep_the_process() {
    let (records, _) = panics("stuck");
    assert_failed(&records, "main");
}

#[test]
fn a_panic_of_a_sink_ends_the_process_there_and_then() {
    let (_, said) = panics("sink");
    assert!(said.contains("a sink panics"), "{said}");
}

#[test]
fn a_lock_that_the_panicking_thread_holds_does_not_keep_the_process() {
    let (records, said) = panics("locked");
    assert!(said.contains("no text in a.md"), "{said}");
    assert!(records.is_empty(), "the sink waits for the lock");
}
