//! Runs the command.

use std::path::Path;
use std::process::{Command, Output};

/// Returns the command in a folder, without variables that the test's own environment may set.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ragtrace"));
    for variable in ["RAGTRACE_STORE", "RAGTRACE_SPOOL", "RAGTRACE_SINKS", "DATABASE_URL", "NO_COLOR", "COLUMNS"] {
        command.env_remove(variable);
    }
    command.current_dir(folder).args(arguments);
    command
}

pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().expect("the command runs")
}

/// Returns standard output of a command that found something.
pub(crate) fn stdout(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
    String::from_utf8(output.stdout).expect("UTF-8")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// Returns a text without its escape sequences for colours.
pub(crate) fn without_colour(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain + rest
}
