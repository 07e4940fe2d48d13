//! Tests of what is written to standard output and standard error.

use std::io::Read;
use std::process::{Command, Output, Stdio};

use serde_json::{Value as Json, json};

use crate::support::{Make, ingestion};
use crate::{LISTS, code, command, holding, ragtrace, stderr, stdout};

#[test]
fn what_was_logged_cannot_steer_the_terminal() {
    let evil = "\u{1b}[2J\u{7}\r";
    let record = Make::new("failed", evil, 1, 0)
        .with("user_id", evil)
        .with("context", json!({(evil): evil}))
        .with("error", json!({"type": evil, "message": evil, "chain": [evil]}));
    let file = holding([record.record()]);
    for arguments in [&["trace", "last"][..], &["logs"], &["errors"]] {
        let seen = stdout(&ragtrace(&file, arguments));
        assert!(!seen.contains(['\u{1b}', '\u{7}', '\r']), "{seen:?}");
        assert!(seen.contains("\\u{1b}[2J"), "{seen}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_command_quietly() {
    let file = holding((0..1_000).map(|at| Make::new("log", "file_parsing", 1, at).record()));
    let mut child = command(&file, &["logs"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    let mut some = [0; 16];
    child.stdout.take().expect("a pipe").read_exact(&mut some).expect("a beginning");
    let output = child.wait_with_output().expect("ends");
    assert_eq!((code(&output), stderr(&output).as_str()), (Some(0), ""));
}

/// Needs `script`, which gives the command a terminal. Without it the test checks nothing.
#[cfg(target_os = "linux")]
#[test]
fn colour_is_for_terminals_and_no_color_turns_it_off() {
    let file = holding(ingestion());
    let on_terminal = |no_color: &str| {
        let line = format!("{} trace last", env!("CARGO_BIN_EXE_ragtrace"));
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", &line, "/dev/null"]).current_dir(file.folder.path());
        script.env_remove("RAGTRACE_STORE").env("NO_COLOR", no_color).stdin(Stdio::null());
        script.output().map(|output| stdout(&output))
    };
    let Ok(coloured) = on_terminal("") else { return };
    assert!(coloured.contains("\u{1b}[31m"), "{coloured:?}");
    assert!(!on_terminal("1").expect("ran before").contains("\u{1b}[31m"));
}

#[test]
fn no_output_has_a_password_in_it() {
    let file = holding(ingestion());
    let password = "Sw0rd,fish/#1";
    let urls = [
        format!("postgres://u:{password}@127.0.0.1:1/db"),
        format!("postgres://127.0.0.1:1/db?password={password}"),
        format!("postgresql://u:{password}@no-such-host.invalid/db?sslmode=nonsense"),
        format!("postgres://u:{password}@127.0.0.1:port/db"),
        format!("mysql://u:{password}@127.0.0.1/db"),
        format!("u:{password}@127.0.0.1/db"),
        format!("host=127.0.0.1 password={password}"),
        format!("sqlite:x?password={password}"),
    ];
    let commands = "traces trace diff logs errors stats tail inflight stages score export import retention purge migrate replay check";
    let mut shown = String::new();
    let mut add = |output: Output| {
        shown.push_str(&String::from_utf8_lossy(&output.stdout));
        shown.push_str(&String::from_utf8_lossy(&output.stderr));
        assert!(!shown.contains("panicked") && output.status.code().is_some_and(|code| code <= 2), "{output:?}");
    };
    for command_name in commands.split(' ') {
        let url = urls[0].as_str();
        add(command(&file, &[command_name, "--help"])
            .env("RAGTRACE_STORE", url)
            .env("DATABASE_URL", url)
            .output()
            .expect("runs"));
        add(ragtrace(&file, &[command_name, "--store", url, "--help"]));
        add(ragtrace(&file, &[command_name, "--store", url, "--no-such-flag"]));
        add(ragtrace(&file, &[command_name, url, url]));
        add(ragtrace(&file, &[command_name, "--format", url, "--since", url]));
        add(ragtrace(&file, &[command_name, &format!("--stor={url}")]));
    }
    for url in urls.iter().map(String::as_str) {
        for arguments in
            [&["traces"][..], &["trace", "last"], &["retention", "--dry-run"], &["purge", "--user", "x"], &["migrate"]]
        {
            add(command(&file, arguments).env("RAGTRACE_STORE", url).output().expect("runs"));
            add(ragtrace(&file, &[arguments, &["--store", url]].concat()));
        }
        add(ragtrace(&file, &[url]));
        add(ragtrace(&file, &["errors", "--since", url]));
        add(ragtrace(&file, &["traces", "--after", url, "--limit", url]));
        add(command(&file, &["replay", "--spool", "."]).env("RAGTRACE_SINKS", url).output().expect("runs"));
        let replay = [("RAGTRACE_SINKS", "postgres"), ("DATABASE_URL", url)];
        add(command(&file, &["replay", "--spool", "."]).envs(replay).output().expect("runs"));
    }
    for secret in ["Sw0rd", "fish", "Sw0rd%2Cfish"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("***"), "{shown}");
}

#[test]
fn a_list_of_nothing_is_an_empty_document() {
    let file = holding([]);
    for list in LISTS {
        let output = ragtrace(&file, &[list, &["--format", "json"]].concat());
        assert_eq!((code(&output), output.stdout.as_slice()), (Some(1), b"[]\n".as_slice()), "{list:?}");
        assert!(stderr(&output).starts_with("ragtrace: "), "{list:?}");
        for format in ["jsonl", "table"] {
            let output = ragtrace(&file, &[list, &["--format", format]].concat());
            assert_eq!((code(&output), output.stdout.as_slice()), (Some(1), b"".as_slice()), "{list:?}");
        }
    }
    let file = holding(ingestion());
    let tail: Json = serde_json::from_str(&stdout(&ragtrace(&file, &["tail", "--format", "json"]))).expect("JSON");
    assert_eq!(tail.as_array().map(Vec::len), Some(8));
}

#[cfg(target_os = "linux")]
#[test]
fn outputs_that_are_closed_or_full_are_no_reason_to_panic() {
    let full = || Stdio::from(std::fs::OpenOptions::new().write(true).open("/dev/full").expect("there"));
    let closed = || {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        Stdio::from(writer)
    };
    let file = holding(ingestion());
    let others: [&[&str]; 8] = [
        &["trace", "last"],
        &["trace", "no"],
        &["retention", "--dry-run"],
        &["purge", "--user", "alice", "--dry-run"],
        &["--help"],
        &["logs", "--help"],
        &["--version"],
        &["frobnicate"],
    ];
    for arguments in LISTS.iter().chain(&others).copied() {
        let prints = !ragtrace(&file, arguments).stdout.is_empty();
        let output = command(&file, arguments).stdout(full()).output().expect("runs");
        assert!(!stderr(&output).contains("panicked"), "{arguments:?}: {}", stderr(&output));
        if prints {
            let expected = "ragtrace: standard output cannot be written: No space left on device";
            assert_eq!(code(&output), Some(2), "{arguments:?}");
            assert!(stderr(&output).starts_with(expected), "{arguments:?}: {}", stderr(&output));
        }
        let output = command(&file, arguments).stdout(closed()).output().expect("runs");
        assert!(code(&output).is_some_and(|code| code <= 2), "{arguments:?}: {output:?}");
        assert!(!prints || code(&output) == Some(0), "{arguments:?}: {output:?}");
        for stderr in [full(), closed()] {
            let status = command(&file, arguments).stdout(Stdio::null()).stderr(stderr).status().expect("runs");
            assert!(status.code().is_some_and(|code| code <= 2), "{arguments:?}: {status:?}");
        }
    }
}

#[test]
fn the_columns_of_a_table_stand_beneath_one_another_in_every_script() {
    let users =
        ["alice", "田中太郎", "👩\u{200d}👩\u{200d}👧", "❤\u{fe0f}", "e\u{301}", "\u{202e}evil\u{1b}[2J", "עברית"];
    let end = |(at, user): (usize, &&str)| {
        let make = Make::new("completed", "ask", at as u64 + 1, 0).with("local_root", true).with("user_id", *user);
        make.trace(&uuid::Uuid::from_u128(at as u128 + 1).to_string()).metrics(json!({"duration_ms": 1})).record()
    };
    let file = holding(users.iter().enumerate().map(end));
    let table = stdout(&ragtrace(&file, &["traces"]));
    let begins = |line: &str| ragtrace_store::display_width(line.split_once("00000000-").expect("a trace").0);
    let begins: Vec<usize> = table.lines().skip(1).map(begins).collect();
    assert_eq!(begins, [begins[0]; 7], "{table}");
}
