//! Tests of the command as users run it.

#[expect(dead_code, reason = "shared with the tests of the store, which use more of it")]
#[path = "../../../ragtrace-store/tests/support/mod.rs"]
mod support;

mod check;
mod completions;
mod errors;
mod export;
mod import;
mod keeping;
mod logs;
mod migrate;
mod purge;
mod score;
mod spool;
mod stats;
mod streams;
mod tail;
mod traces;
mod usage;

use std::process::{Command, Output};

use support::File;

const OTHER: &str = "0199a1c2-7b1e-7a54-9c01-ffffffffffff";

fn holding(records: impl IntoIterator<Item = ragtrace::Record>) -> File {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(File::holding(records))
}

/// Returns the command in the file's folder, without variables that the test's own environment may
/// set.
fn command(file: &File, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ragtrace"));
    command.current_dir(file.folder.path()).args(arguments).env_remove("RAGTRACE_STORE").env_remove("NO_COLOR");
    command
}

fn ragtrace(file: &File, arguments: &[&str]) -> Output {
    command(file, arguments).output().expect("the command runs")
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn stdout(output: &Output) -> String {
    assert_eq!(code(output), Some(0), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

const LISTS: [&[&str]; 8] = [
    &["traces"],
    &["logs"],
    &["logs", "--trace", "last"],
    &["errors"],
    &["stats"],
    &["inflight"],
    &["stages"],
    &["tail"],
];

/// Reads lines until one contains `wanted`.
fn until_line(lines: &mut impl Iterator<Item = std::io::Result<String>>, wanted: &str) -> String {
    lines.map(|line| line.expect("text")).find(|line| line.contains(wanted)).expect("a line like that")
}

#[ragtrace::traced_stage]
fn asked() {}

/// A sink whose backend is down.
struct Down;

impl ragtrace::Sink for Down {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    async fn deliver(&self, _: &ragtrace::sink::Batch) -> Result<ragtrace::sink::Delivered, ragtrace::sink::SinkError> {
        Err(ragtrace::sink::SinkError::retry("down"))
    }
}

/// Leaves two requests of alice and one of bob waiting in a spool.
fn spool_three_requests(folder: &std::path::Path) -> ragtrace::Telemetry {
    let builder = ragtrace::builder().console(ragtrace::Console::Off).level("info").sink(Down);
    let telemetry =
        builder.spool(folder, ragtrace::SpoolLimits::default()).install().expect("nothing else is installed");
    for user in ["alice", "bob", "alice"] {
        ragtrace::RequestContext::new().with_user_id(user).sync_scope(asked);
    }
    telemetry
}

/// Waits until the sink's statistics satisfy a condition.
fn until(telemetry: &ragtrace::Telemetry, is_so: impl Fn(&ragtrace::SinkStats) -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !is_so(&telemetry.stats().sinks[0]) {
        assert!(std::time::Instant::now() < deadline, "{:?}", telemetry.stats());
        telemetry.flush_blocking(std::time::Duration::from_millis(100));
    }
}
