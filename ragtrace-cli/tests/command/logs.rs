//! Tests of the lists of records, and of their filters.

use serde_json::Value as Json;

use crate::support::{Make, TRACE, ingestion};
use crate::{OTHER, code, holding, ragtrace, stderr, stdout};

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
