//! Tests of arguments, variables, help and exit codes.

use crate::support::{File, Make, TRACE, ingestion};
use crate::{OTHER, code, command, holding, ragtrace, stderr, stdout};

#[test]
fn what_is_not_found_exits_with_1_and_says_so() {
    let file = holding([]);
    for (id, says) in [("last", "no traces yet"), (TRACE, "there is no trace"), ("abc", "begins with abc")] {
        let output = ragtrace(&file, &["trace", id]);
        assert_eq!(code(&output), Some(1));
        assert!(stderr(&output).contains(says), "{}", stderr(&output));
    }
}

#[test]
fn bad_usage_and_no_store_exit_with_2_and_say_what_to_do() {
    let file = holding([]);
    for (arguments, says) in [
        (&["trace"][..], "<ID>"),
        (&["trace", "not-an-id"], "is not a trace id: give a UUID"),
        (&["trace", "last", "--store", "sqlite:none.db"], "there is no file `none.db`"),
        (&["trace", "last", "--store", "mysql://x"], "write `sqlite:` and a path"),
        (&["errors", "--since", "yesterday"], "give an age such as"),
        (&["logs", "--level", "loud"], "expected a level (trace, debug, info, warn or error)"),
        (&["frobnicate"], "unrecognized subcommand"),
    ] {
        let output = ragtrace(&file, arguments);
        assert_eq!(code(&output), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(says), "{arguments:?}: {}", stderr(&output));
    }
    let two = holding(ingestion().into_iter().chain([Make::new("log", "ask", 9, 0).trace(OTHER).record()]));
    let output = ragtrace(&two, &["trace", "0199"]);
    assert_eq!(code(&output), Some(2));
    assert!(stderr(&output).contains("matches several traces"), "{}", stderr(&output));
}

#[test]
fn the_help_shows_the_names_that_flags_have_in_code() {
    let file = File::new();
    let logs = stdout(&ragtrace(&file, &["logs", "--help"]));
    for flag in ["--user-id", "--tenant-id", "--session-id", "--request-id", "--trace-id"] {
        assert!(logs.contains(flag), "{flag}: {logs}");
    }
    assert!(stdout(&ragtrace(&file, &["traces", "--help"])).contains("--stage"));
    assert!(stdout(&ragtrace(&file, &["purge", "--help"])).contains("--user-id"));
}

#[test]
fn the_help_names_every_command_and_says_how_it_exits() {
    let file = File::new();
    let help = stdout(&ragtrace(&file, &["--help"]));
    let commands = "traces trace diff logs errors stats tail inflight stages score export import retention purge migrate replay check";
    for command in commands.split(' ') {
        assert!(help.lines().any(|line| line.trim_start().starts_with(&format!("{command} "))), "{command}: {help}");
        let own = stdout(&ragtrace(&file, &[command, "--help"]));
        assert!(own.contains("--store <URL>") && own.contains("RAGTRACE_STORE"), "{command}: {own}");
    }
    assert!(help.contains("Exits with 0") && help.contains("sqlite:ragtrace.db"), "{help}");
    for list in "traces logs errors stats tail inflight stages".split(' ') {
        let own = stdout(&ragtrace(&file, &[list, "--help"]));
        assert!(own.contains("--format <FORMAT>") && own.contains("jsonl"), "{list}: {own}");
    }
}

#[test]
fn the_store_is_named_before_or_after_the_command_or_by_the_environment() {
    let file = holding(ingestion());
    std::fs::rename(file.path(), file.folder.path().join("moved.db")).expect("moved");
    let url = "sqlite:moved.db";
    stdout(&ragtrace(&file, &["--store", url, "trace", "last"]));
    stdout(&ragtrace(&file, &["trace", "last", "--store", url]));
    stdout(&command(&file, &["trace", "last"]).env("RAGTRACE_STORE", url).output().expect("runs"));
    assert_eq!(code(&ragtrace(&file, &["trace", "last"])), Some(2), "the default is another file");
    stdout(&ragtrace(&file, &["migrate"]));
    assert_eq!(code(&ragtrace(&file, &["trace", "last"])), Some(1), "made, and empty");
}

#[test]
fn what_is_out_of_range_is_refused_before_anything_is_done() {
    let file = holding(ingestion());
    for (arguments, says) in [
        (&["retention", "--archive-days", "740000"][..], "from 0 to 36500"),
        (&["retention", "--days", "-1"], "from 0 to 36500"),
        (&["retention", "--metrics-days", "4294967296"], "from 0 to 36500"),
        (&["retention", "--sample", "NaN"], "between 0 and 1"),
        (&["retention", "--sample", "-0.5"], "between 0 and 1"),
        (&["logs", "--limit", "0"], "from 1 to"),
        (&["traces", "--limit", "-5"], "from 1 to"),
        (&["errors", "--limit", "18446744073709551616"], "from 1 to"),
        (&["tail", "-n", "-1"], "from 0 to"),
        (&["errors", "--since", "99999999999d"], "before the year 0"),
        (&["errors", "--since", "2026-11-23", "--until", "2026-11-22"], "must be before"),
        (&["traces", "--since", "1h", "--until", "2h"], "must be before"),
        (&["stats", "--until", "2d"], "must be before"),
        (&["purge", "--user", ""], "--user"),
        (&["replay", "--spool", ".", "--store", "sqlite:ragtrace.db"], "leave out `--store`"),
        (&["replay"], "RAGTRACE_SPOOL"),
    ] {
        let output = command(&file, arguments).env_remove("RAGTRACE_SPOOL").output().expect("runs");
        assert_eq!(code(&output), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(says), "{arguments:?}: {}", stderr(&output));
    }
    for arguments in [
        &["logs", "--limit", "1000000000"][..],
        &["logs", "--since", "1969-12-31T23:59:60+02:00"],
        &["retention", "--days", "36500"],
    ] {
        stdout(&ragtrace(&file, arguments));
    }
}

#[test]
fn a_variable_that_is_empty_is_one_that_is_not_set() {
    let file = holding(ingestion());
    for empty in ["", " ", "\t\n"] {
        stdout(&command(&file, &["trace", "last"]).env("RAGTRACE_STORE", empty).output().expect("runs"));
        let purge = ["purge", "--user", "alice", "--dry-run"];
        stdout(&command(&file, &purge).env("RAGTRACE_SPOOL", empty).output().expect("runs"));
        let replay = command(&file, &["replay"]).env("RAGTRACE_SPOOL", empty).output().expect("runs");
        assert!(stderr(&replay).contains("pass `--spool FOLDER`"), "{}", stderr(&replay));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_variable_that_is_no_text_is_named() {
    use std::os::unix::ffi::OsStrExt;
    let file = holding(ingestion());
    let url = std::ffi::OsStr::from_bytes(b"sqlite:caf\xe9.db");
    let output = command(&file, &["trace", "last"]).env("RAGTRACE_STORE", url).output().expect("runs");
    assert_eq!(code(&output), Some(2));
    assert!(stderr(&output).contains("RAGTRACE_STORE is not valid UTF-8"), "{}", stderr(&output));
    // An argument takes precedence over the variable.
    let output =
        command(&file, &["trace", "last", "--store", "sqlite:ragtrace.db"]).env("RAGTRACE_STORE", url).output();
    stdout(&output.expect("runs"));
}
