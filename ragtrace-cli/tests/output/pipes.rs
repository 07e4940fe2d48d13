//! Exit codes, and readers that stop early.

use std::io::Read;
use std::process::Stdio;

use super::run::{command, run, stderr};
use crate::fixture::{ANSWER, BULK, Fixture, UPLOAD, trace_id};
use crate::support::File;

#[test]
fn a_command_exits_with_0_if_it_found_something_and_with_1_if_not() {
    let fixture = Fixture::new();
    let (answer, upload) = (trace_id(ANSWER).to_string(), trace_id(UPLOAD).to_string());
    let missing = "0199a1c2-0000-0000-0000-000000000000";
    for (arguments, code, says) in [
        (&["diff", &answer, &upload][..], 0, ""),
        (&["diff", "last~1", "last"], 0, ""),
        (&["diff", &answer, &answer, "--changed"], 0, ""),
        (&["diff", &answer, missing], 1, "ragtrace: there is no trace 0199a1c2-0000-0000-0000-000000000000\n"),
        (&["diff", "ffff", &answer], 1, "ragtrace: no trace id begins with ffff\n"),
        (&["diff", &answer, "last~999"], 1, "ragtrace: the store has 30 traces, and so no `last~999`\n"),
        (&["trace", &answer, "--span", "reranking"], 0, ""),
        (&["trace", &answer, "--span", "reranker"], 1, "ragtrace: the trace has no span and no stage \"reranker\"\n"),
        (&["trace", &answer, "--summary"], 0, ""),
        (&["trace", &answer, "--summary", "--span", "reranking"], 2, "cannot be used with"),
        (&["trace", &answer, "--logs", "--summary"], 2, "cannot be used with"),
        (&["diff", &answer], 2, "<AFTER>"),
        (&["trace", &answer, "--width", "39"], 2, "give a whole number from 40 to 10000"),
        (&["trace", &answer, "--width", "-1"], 2, "give a whole number from 40 to 10000"),
        (&["trace", &answer, "--color", "red"], 2, "[possible values: auto, always, never]"),
    ] {
        let output = run(fixture.file.folder.path(), arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
        let told = stderr(&output);
        assert!(if code == 2 { told.contains(says) } else { told == says }, "{arguments:?}: {told}");
        assert_eq!(output.stdout.is_empty(), code != 0, "{arguments:?}");
    }
}

#[test]
fn an_empty_store_has_nothing_to_compare() {
    let file = File::new();
    assert_eq!(run(file.folder.path(), &["migrate"]).status.code(), Some(0));
    for arguments in [&["diff", "last~1", "last"][..], &["trace", "last", "--summary"]] {
        let output = run(file.folder.path(), arguments);
        assert_eq!(
            (output.status.code(), stderr(&output).as_str()),
            (Some(1), "ragtrace: the store has no traces yet\n")
        );
    }
}

#[test]
fn a_reader_that_has_seen_enough_ends_every_command_quietly() {
    let fixture = Fixture::new();
    let (bulk, upload) = (trace_id(BULK).to_string(), trace_id(UPLOAD).to_string());
    for arguments in [
        &["trace", &bulk, "--all", "--logs"][..],
        &["trace", &bulk, "--format", "json"],
        &["trace", &bulk, "--format", "jsonl"],
        &["trace", &bulk, "--summary"],
        &["trace", &upload, "--span", "ingestion"],
        &["diff", &upload, &bulk],
        &["diff", &upload, &bulk, "--format", "jsonl"],
        &["logs", "--format", "json"],
    ] {
        let mut child = command(fixture.file.folder.path(), arguments);
        let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
        let mut some = [0; 16];
        child.stdout.take().expect("a pipe").read_exact(&mut some).expect("a beginning");
        let output = child.wait_with_output().expect("ends");
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn colour_follows_the_option_then_the_environment() {
    let fixture = Fixture::new();
    let has_colour = |arguments: &[&str], no_color: Option<&str>| {
        let mut command = command(fixture.file.folder.path(), &[&["trace", "last"], arguments].concat());
        if let Some(value) = no_color {
            command.env("NO_COLOR", value);
        }
        let output = command.output().expect("runs");
        output.stdout.contains(&0x1b)
    };
    assert!(!has_colour(&[], None), "no terminal");
    assert!(has_colour(&["--color", "always"], None));
    assert!(has_colour(&["--color=always"], Some("1")), "what the command line says comes first");
    assert!(!has_colour(&["--color", "never"], None));
    assert!(!has_colour(&["--color", "auto"], Some("1")));
}

#[test]
fn the_width_follows_the_option_then_the_environment() {
    let fixture = Fixture::new();
    let width = |arguments: &[&str], columns: Option<&str>| {
        let mut command = command(fixture.file.folder.path(), &[&["trace", "last"], arguments].concat());
        if let Some(columns) = columns {
            command.env("COLUMNS", columns);
        }
        let output = command.output().expect("runs");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        text.lines().map(ragtrace_store::display_width).max().expect("lines")
    };
    assert_eq!(width(&[], None), 100);
    assert_eq!(width(&[], Some("70")), 70);
    assert_eq!(width(&["--width", "120"], Some("70")), 120);
    assert_eq!(width(&[], Some("0")), 100, "no width");
    assert_eq!(width(&[], Some("wide")), 100, "no width");
    assert!(width(&[], Some("7")) <= 40, "the narrowest");
}
