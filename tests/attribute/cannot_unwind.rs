//! Panics that cannot unwind in a program whose others do: the process ends, after its records were
//! delivered.

use std::fs::File;
use std::panic::catch_unwind;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use ragtrace::sink::JsonLines;
use ragtrace::{Console, traced_stage};
use ragtrace_tests::until;
use serde_json::Value;

/// The variable that tells the child how to panic. `FILE` tells it the file for its records.
const MANNER: &str = "RAGTRACE_TEST_PANICS";
const FILE: &str = "RAGTRACE_TEST_FILE";
/// The time after which the test gives up on a child, far more than it ever takes.
const BOUND: Duration = Duration::from_mins(1);

/// A value that panics when it is dropped.
struct Panics;

impl Drop for Panics {
    fn drop(&mut self) {
        panic!("in the destructor");
    }
}

#[traced_stage]
fn before() {}

#[traced_stage]
fn drops() {
    let _panics = Panics;
    panic!("in the stage");
}

#[traced_stage]
fn drops_outside() {
    let _panics = Panics;
    inner();
}

extern "C" fn callback() {
    panic!("in the callback");
}

extern "C" fn callback_of_a_stage() {
    inner();
}

#[traced_stage]
fn calls() {
    callback();
}

#[traced_stage]
fn calls_a_stage() {
    callback_of_a_stage();
}

#[traced_stage]
fn inner() {
    panic!("in the inner stage");
}

/// Runs in the child: records, and panics in a manner that ends the process.
fn panic_as_told(manner: &str) {
    let file = File::create(std::env::var_os(FILE).unwrap()).unwrap();
    let telemetry = ragtrace::builder().console(Console::Off).sink(JsonLines::new(file)).install().unwrap();
    before();
    match manner {
        "destructor" => drops(),
        "destructor outside" => drops_outside(),
        "callback" => calls(),
        "stage in a callback" => calls_a_stage(),
        "thread" => drop(std::thread::spawn(calls).join()),
        "no stage" => callback(),
        // Caught panics do not end the process, however many there are.
        _ => (0..100).for_each(|_| assert!(catch_unwind(inner).is_err())),
    }
    drop(telemetry);
}

/// Runs the child to its end. Returns its records, and `true` if it ended by itself.
fn run(manner: &str) -> (Vec<Value>, bool) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("records.jsonl");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "cannot_unwind::what_was_recorded_is_delivered_before_the_process_ends"])
        .env(MANNER, manner)
        .env(FILE, &file)
        .env("RUST_BACKTRACE", "0")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut status = None;
    until(&format!("the end of `{manner}`"), BOUND, || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    (read(&file), status.unwrap().success())
}

fn read(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn error<'a>(records: &'a [Value], message: &str) -> &'a str {
    let mut found = records.iter().filter(|record| record["message"] == message);
    let record = found.next().unwrap_or_else(|| panic!("no {message} in {records:?}"));
    assert!(found.next().is_none(), "{message} is there twice");
    record["error"]["message"].as_str().unwrap()
}

#[test]
fn what_was_recorded_is_delivered_before_the_process_ends() {
    if let Ok(manner) = std::env::var(MANNER) {
        return panic_as_told(&manner);
    }
    let cases = [
        ("destructor", "drops_failed", "in the destructor (at "),
        ("destructor outside", "inner_failed", "in the inner stage (at "),
        ("callback", "calls_failed", "in the callback (at "),
        ("stage in a callback", "inner_failed", "in the inner stage (at "),
        ("thread", "calls_failed", "in the callback (at "),
    ];
    for (manner, message, text) in cases {
        let (records, survived) = run(manner);
        assert!(!survived, "{manner}");
        assert!(records.iter().any(|record| record["message"] == "before_completed"), "{manner}: {records:?}");
        let error = error(&records, message);
        assert!(error.starts_with(text) && error.contains("cannot_unwind.rs:"), "{manner}: {error}");
    }
    let (records, survived) = run("no stage");
    assert_eq!((records.len(), survived), (2, false));
}

#[test]
fn a_stage_around_the_one_that_panicked_fails_too() {
    for (manner, message) in
        [("destructor outside", "drops_outside_failed"), ("stage in a callback", "calls_a_stage_failed")]
    {
        let (records, _) = run(manner);
        assert!(!error(&records, message).is_empty(), "{manner}");
    }
}

#[test]
fn panics_that_are_caught_hold_nothing_up() {
    let (records, survived) = run("caught");
    assert!(survived);
    assert_eq!(records.iter().filter(|record| record["message"] == "inner_failed").count(), 100);
}
