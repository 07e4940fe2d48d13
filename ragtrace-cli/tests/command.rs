//! Tests of the command as users run it.

#[expect(dead_code, reason = "shared with the tests of the store, which use more of it")]
#[path = "../../ragtrace-store/tests/support/mod.rs"]
mod support;

#[path = "command/keeping.rs"]
mod keeping;

use std::io::Read;
use std::process::{Command, Output, Stdio};

use ragtrace::Timestamp;
use serde_json::{Value as Json, json};
use support::{File, INSTANCE, Make, TRACE, ingestion};

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

#[test]
fn a_trace_is_drawn_by_any_form_of_its_id() {
    let file = holding(ingestion());
    let drawn = stdout(&ragtrace(&file, &["trace", "last"]));
    assert!(drawn.starts_with(&format!("✗ {TRACE}  failed in 1.42s")), "{drawn}");
    assert!(drawn.contains("└─✗ chunk_embedding"), "{drawn}");
    assert!(!drawn.contains('\u{1b}'), "no colour into a pipe");
    for id in [TRACE, &TRACE.replace('-', ""), &TRACE.to_uppercase(), "0199a1c2", "0199a1c27"] {
        assert_eq!(stdout(&ragtrace(&file, &["trace", id])), drawn, "{id}");
    }
}

#[test]
fn a_trace_is_written_as_json_and_as_json_lines() {
    let file = holding(ingestion());
    let json: Json =
        serde_json::from_str(&stdout(&ragtrace(&file, &["trace", "last", "--format", "json"]))).expect("JSON");
    assert_eq!((&json["trace_id"], &json["status"]), (&json!(TRACE), &json!("failed")));
    assert_eq!(json["spans"].as_array().map(Vec::len), Some(4));
    assert_eq!(json["logs"][0]["instance"], INSTANCE);
    let lines = stdout(&ragtrace(&file, &["trace", "last", "--format", "jsonl"]));
    let spans: Vec<Json> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(&Json::from(spans), &json["spans"]);
}

#[test]
fn json_lines_of_a_trace_have_each_of_its_scores_once() {
    let score = |name: &str, span: Option<u64>| {
        let score = Make::new("score", name, 1, 2_000).with("score", json!({"name": name, "value": true}));
        score.with("span_id", span.map_or(Json::Null, |span| format!("{span:016x}").into())).record()
    };
    let scores =
        [score("recall", Some(4)), score("precision", Some(4)), score("helpful", None), score("lost", Some(99))];
    let file = holding(ingestion().into_iter().chain(scores));
    let lines = stdout(&ragtrace(&file, &["trace", "last", "--format", "jsonl"]));
    let lines: Vec<Json> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let (spans, loose) = lines.split_at(4);
    let names = |scores: &[Json]| -> Vec<String> {
        let names = scores.iter().map(|score| score["score"]["name"].as_str().expect("a name").to_owned());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    };
    for span in spans {
        let scores = span.get("scores").and_then(Json::as_array);
        match span["stage"].as_str() {
            Some("chunk_embedding") => assert_eq!(names(scores.expect("judged")), ["precision", "recall"]),
            _ => assert_eq!(scores, None, "{span}"),
        }
    }
    assert_eq!(names(loose), ["helpful", "lost"]);
    assert!(loose.iter().all(|score| score["event"] == "score"), "{loose:?}");
}

#[test]
fn errors_are_those_of_a_user_since_a_while_ago() {
    let hour_ago = Timestamp::now().minus(std::time::Duration::from_hours(1)).to_string();
    let recent = Make::new("failed", "retrieval", 9, 0)
        .with("timestamp", hour_ago)
        .with("error", json!({"type": "Timeout", "message": "no answer in 5s", "chain": ["connection reset"]}));
    let of_bob = recent.clone().with("id", uuid::Uuid::new_v4().to_string()).with("user_id", "bob");
    let old = Make::new("failed", "retrieval", 9, 0).with("timestamp", "2020-01-01T00:00:00.000000Z");
    let file = holding([recent.record(), of_bob.record(), old.record()]);
    let seen = stdout(&ragtrace(&file, &["errors", "--user", "alice", "--since", "24h"]));
    assert!(seen.contains("ERROR retrieval_failed"), "{seen}");
    assert!(seen.contains("Timeout: no answer in 5s\n    ↳ connection reset"), "{seen}");
    let lines = |arguments: &[&str]| stdout(&ragtrace(&file, arguments)).lines().count();
    assert_eq!(lines(&["errors", "--format", "jsonl", "--user", "alice", "--since", "24h"]), 1);
    assert_eq!(lines(&["errors", "--format", "jsonl", "--user", "alice"]), 2);
    assert_eq!(lines(&["errors", "--format", "jsonl", "--until", "2020-01-02"]), 1);
    assert_eq!(lines(&["errors", "--format", "jsonl", "--limit", "2"]), 2);
    let json: Json = serde_json::from_str(&stdout(&ragtrace(&file, &["errors", "--format", "json"]))).expect("JSON");
    assert_eq!(json.as_array().map(Vec::len), Some(3));
    for nobody in [["--user", "carol"], ["--tenant", "umbrella"], ["--stage", "rerank"], ["--since", "30m"]] {
        let output = ragtrace(&file, &["errors", nobody[0], nobody[1]]);
        assert_eq!((code(&output), stderr(&output).as_str()), (Some(1), "ragtrace: no errors match\n"));
        assert_eq!(output.stdout, b"");
    }
}

#[test]
fn logs_take_the_filters_of_records() {
    let file = holding(ingestion().into_iter().chain([Make::new("log", "ask", 9, 0).trace(OTHER).record()]));
    let lines = |arguments: &[&str]| {
        let all = [&["logs", "--format", "jsonl"], arguments].concat();
        stdout(&ragtrace(&file, &all)).lines().count()
    };
    assert_eq!(lines(&[]), 9);
    assert_eq!(lines(&["--trace", OTHER]), 1);
    assert_eq!(lines(&["--trace", "last"]), 8);
    assert_eq!(lines(&["--level", "error"]), 2);
    assert_eq!(lines(&["--request", "req-1", "--stage", "ingestion", "--tenant", "acme"]), 2);
    let output = ragtrace(&file, &["logs", "--request", "req-2"]);
    assert_eq!((code(&output), stderr(&output).as_str()), (Some(1), "ragtrace: no records match\n"));
}

#[test]
fn the_message_of_a_log_line_stands_after_its_logger() {
    let line = |number: u64, logger: &str| {
        let make = Make::new("log", "ask", number, 0).with("message", "connection closed");
        make.with("logger", logger).record()
    };
    let end = Make::new("completed", "ask", 3, 0).with("logger", "app::ask").record();
    let file = holding([line(1, "hyper"), line(2, "app::\u{1b}[31mdb"), end]);
    for subcommand in ["logs", "tail"] {
        let shown = stdout(&ragtrace(&file, &[subcommand]));
        assert!(shown.contains(" hyper: connection closed "), "{shown}");
        assert!(shown.contains("db: connection closed ") && !shown.contains('\u{1b}'), "{shown}");
        assert!(shown.contains(" ask_completed ") && !shown.contains("app::ask:"), "{shown}");
    }
}

#[test]
fn the_lines_of_a_trace_are_listed_and_are_in_the_trace_for_programs() {
    let line = Make::new("log", "ask", 9, 0).with("message", "a question has come").record();
    let file = holding(ingestion().into_iter().chain([line]));
    let listed = stdout(&ragtrace(&file, &["logs", "--trace", TRACE]));
    assert!(listed.contains(": a question has come "), "{listed}");
    let trace: Json =
        serde_json::from_str(&stdout(&ragtrace(&file, &["trace", TRACE, "--format", "json"]))).expect("JSON");
    assert!(trace.to_string().contains("a question has come"), "{trace}");
}

#[test]
fn what_a_filter_takes_may_be_named_as_in_code_too() {
    let end = |number: u64| {
        let make = Make::new("completed", "ask", number + 1, number).with("local_root", true);
        let make = make.trace(&uuid::Uuid::from_u128(u128::from(number) + 1).to_string());
        make.with("session_id", format!("chat-{}", number % 2)).record()
    };
    let file = holding((0..4).map(end));
    let lines = |arguments: &[&str]| {
        let all = [arguments, &["--format", "jsonl"]].concat();
        stdout(&ragtrace(&file, &all)).lines().count()
    };
    let first = "00000000-0000-0000-0000-000000000001";
    for (arguments, expected) in [
        (&["logs", "--session", "chat-1"], 2),
        (&["logs", "--session-id", "chat-1"], 2),
        (&["logs", "--user-id", "alice"], 4),
        (&["logs", "--tenant-id", "acme"], 4),
        (&["logs", "--request-id", "req-1"], 4),
        (&["logs", "--trace-id", first], 1),
        (&["traces", "--session", "chat-0"], 2),
        (&["traces", "--operation", "ask"], 4),
        (&["traces", "--stage", "ask"], 4),
        (&["tail", "--session-id", "chat-0"], 2),
    ] {
        assert_eq!(lines(arguments), expected, "{arguments:?}");
    }
    let drawn = stdout(&ragtrace(&file, &["logs", "--session", "chat-1"]));
    assert!(drawn.contains(" session=chat-1 "), "{drawn}");
    let output = ragtrace(&file, &["errors", "--session", "chat-1"]);
    assert_eq!((code(&output), stderr(&output).as_str()), (Some(1), "ragtrace: no errors match\n"));
}

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
    let commands = "traces trace logs errors stats tail inflight stages retention purge migrate replay";
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
fn many_processes_may_make_the_same_store_at_once() {
    for _ in 0..3 {
        let file = File::new();
        let start = |_| command(&file, &["migrate"]).stderr(Stdio::piped()).spawn().expect("runs");
        let processes: Vec<_> = (0..8).map(start).collect();
        for process in processes {
            let output = process.wait_with_output().expect("ends");
            assert_eq!((code(&output), stderr(&output).as_str()), (Some(0), ""));
        }
        assert_eq!(code(&ragtrace(&file, &["trace", "last"])), Some(1), "made, and empty");
    }
}

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

#[test]
fn a_purge_reaches_what_waits_in_the_spool() {
    let file = holding([]);
    let purge = |more: &[&str]| ragtrace(&file, &[&["purge", "--user", "alice", "--spool", "spool"], more].concat());
    let telemetry = spool_three_requests(&file.folder.path().join("spool"));
    until(&telemetry, |sink| sink.spooled >= 6);
    let held = purge(&[]);
    assert_eq!(code(&held), Some(1), "{}", stderr(&held));
    assert!(stderr(&held).contains("1 running processes hold their part of the spool"), "{}", stderr(&held));
    telemetry.shutdown_blocking(std::time::Duration::from_secs(5));

    let four = "0 log rows, 0 archived rows, 0 finished traces, 0 scores, 4 waiting records, 0 dead letters";
    assert_eq!(stdout(&purge(&["--dry-run"])), format!("would be removed: {four}\n"));
    assert_eq!(stdout(&purge(&[])), format!("removed: {four}\n"));
    assert_eq!(code(&purge(&[])), Some(1), "nothing is left of her");

    // The next process delivers what is left, which is bob's alone.
    let builder = ragtrace::builder().console(ragtrace::Console::Off).sink(file.sink());
    let builder = builder.spool(file.folder.path().join("spool"), ragtrace::SpoolLimits::default());
    let telemetry = builder.install().expect("the other is shut down");
    until(&telemetry, |sink| sink.delivered >= 2 && sink.spooled == 0);
    let report = telemetry.shutdown_blocking(std::time::Duration::from_secs(20));
    assert!(report.complete, "{report}");
    let json = stdout(&ragtrace(&file, &["logs", "--stage", "asked", "--format", "json"]));
    let rows: Json = serde_json::from_str(&json).expect("JSON");
    let users: Vec<_> = rows.as_array().expect("a list").iter().map(|row| row["user_id"].as_str()).collect();
    assert_eq!(users, [Some("bob"), Some("bob")]);
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
fn traces_stages_and_what_runs_are_listed() {
    let now = Timestamp::now();
    let end = Make::new("completed", "ingestion", 1, 0).with("timestamp", now.to_string()).with("local_root", true);
    let end = end.metrics(json!({"duration_ms": 12.5, "count": 3, "cost_usd": 0.25}));
    let runs = Make::new("started", "running", 2, 0).with("timestamp", now.to_string());
    let file = holding([end.record(), runs.record()]);
    let table = stdout(&ragtrace(&file, &["traces"]));
    assert!(table.starts_with("ended") && table.contains("completed  ingestion  12.5ms  alice  acme"), "{table}");
    let line = stdout(&ragtrace(&file, &["traces", "--status", "completed", "--user", "alice", "--format", "jsonl"]));
    let json: Json = serde_json::from_str(&line).expect("JSON");
    assert_eq!((&json["operation"], &json["duration_ms"]), (&json!("ingestion"), &json!(12.5)));
    assert_eq!(code(&ragtrace(&file, &["traces", "--status", "failed"])), Some(1));
    let json: Json = serde_json::from_str(&stdout(&ragtrace(&file, &["stats", "--format", "json"]))).expect("JSON");
    assert_eq!((&json[0]["stage"], &json[0]["runs"], &json[0]["items"]), (&json!("ingestion"), &json!(1), &json!(3)));
    assert_eq!(stdout(&ragtrace(&file, &["tail", "-n", "1", "--format", "jsonl"])).lines().count(), 1);
    // The process has closed its sink, so its open stage is lost and not in flight.
    assert_eq!(code(&ragtrace(&file, &["inflight"])), Some(1));
    assert_eq!(code(&ragtrace(&file, &["stages"])), Some(1));
}

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

#[test]
fn retention_and_purge_say_what_they_do() {
    let old = ingestion().into_iter().map(|record| {
        ragtrace::Record::from_json(&record.to_json().replace("2026-11-22", "2020-11-22")).expect("a record")
    });
    let file = holding(old);
    let said = stdout(&ragtrace(&file, &["retention", "--dry-run", "--archive-days", "36500"]));
    assert_eq!(said, "1 days: 1 traces would be archived, 0 would be removed; 0 would be expired from the archive\n");
    let done = stdout(&ragtrace(&file, &["retention", "--archive-days", "36500"]));
    assert_eq!(done, "1 days: 1 traces archived, 0 removed; 0 expired from the archive\n");
    assert_eq!(code(&ragtrace(&file, &["retention", "--sample", "2"])), Some(2));
    stdout(&ragtrace(&file, &["trace", TRACE]));
    // One dead letter of alice and one of bob.
    let letter = |user: &str| {
        let record = Make::new("log", "x", 1, 0).with("user_id", user).record().to_json();
        format!(
            "{{\"at\":\"2026-11-22T08:20:11.000000Z\",\"sink\":\"postgres\",\"reason\":\"bad\",\"record\":{record}}}\n"
        )
    };
    let letters = file.folder.path().join("dead-letters.jsonl");
    let of_bob = letter("bob");
    std::fs::write(&letters, letter("alice") + &of_bob).expect("written");
    let said = stdout(&ragtrace(&file, &["purge", "--user", "alice", "--spool", ".", "--dry-run"]));
    assert_eq!(
        said,
        "would be removed: 0 log rows, 8 archived rows, 0 finished traces, 0 scores, 0 waiting records, 1 dead letters\n"
    );
    let said = stdout(&ragtrace(&file, &["purge", "--user", "alice", "--spool", "."]));
    assert_eq!(
        said,
        "removed: 0 log rows, 8 archived rows, 0 finished traces, 0 scores, 0 waiting records, 1 dead letters\n"
    );
    assert_eq!(std::fs::read_to_string(&letters).expect("there"), of_bob);
    assert_eq!(code(&ragtrace(&file, &["purge", "--user", "alice"])), Some(1));
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
    let commands = "traces trace logs errors stats tail inflight stages retention purge migrate replay";
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

/// Reads lines until one contains `wanted`.
fn until_line(lines: &mut impl Iterator<Item = std::io::Result<String>>, wanted: &str) -> String {
    lines.map(|line| line.expect("text")).find(|line| line.contains(wanted)).expect("a line like that")
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
