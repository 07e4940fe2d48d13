//! Recorded text is foreign: in no field of a record can it control the terminal, break the layout
//! or flood the output of a command.

use ragtrace_store::display_width;
use serde_json::{Value as Json, json};

use super::run::{run, stderr};
use crate::support::{File, Make, run as run_of};

/// The largest output of a command, in bytes, however long the recorded texts are.
const LARGEST: usize = 4_000_000;

/// Texts that a terminal, a browser or a layout might trip over.
fn texts() -> Vec<(&'static str, String)> {
    let mega = 1 << 20;
    vec![
        ("a script", "<script>alert(1)</script><img src=x onerror=alert(1)>".to_owned()),
        ("escapes", "\u{1b}[2J\u{1b}[31mred\u{1b}]0;owned\u{7}\u{1b}P+q\u{1b}\\".to_owned()),
        ("a link", "\u{1b}]8;;http://evil.example\u{1b}\\click\u{1b}]8;;\u{1b}\\".to_owned()),
        ("8-bit escapes", "\u{9b}2J\u{9d}0;owned\u{9c}\u{90}\u{85}".to_owned()),
        ("marks of direction", "\u{202e}live\u{2066}\u{200f}\u{61c}".to_owned()),
        ("characters without a shape", "a\u{200b}b\u{2060}c\u{feff}d\u{ad}e\u{3164}\u{e0041}".to_owned()),
        ("separators", "line\nbreak\r\nand\ttab\u{b}\u{c}\u{2028}\u{2029}\u{0}%00\\0".to_owned()),
        ("a bell in a name", "\u{7}\u{8}\u{8}\u{8}\u{7f}".to_owned()),
        ("a flood of marks", format!("Z{}", "\u{301}\u{489}".repeat(20_000))),
        ("wide text", "段階👩‍👩‍👧‍👦".repeat(2_000)),
        ("a long word", "x".repeat(mega)),
        ("a long run of escapes", "\u{1b}[1m".repeat(mega / 8)),
        ("nothing", String::new()),
        ("braces", "{}{0}%s%n\\u{1b}${HOME}`id`'\"".to_owned()),
    ]
}

/// Returns records with this text in every field that takes one. Of a very long text, most fields
/// get the beginning.
fn records(text: &str) -> Vec<ragtrace::Record> {
    let short: String = text.chars().take(3_000).collect();
    let error = json!({"type": short, "message": short, "chain": [text, short]});
    let item =
        json!({"type": short, "id": short, "score": 0.5, "content": short, "source": short, "derived_from": short});
    let all = |make: Make| {
        let ids = ["user_id", "tenant_id", "session_id", "request_id", "request_type"];
        let origin = ["service", "environment", "version", "host", "thread", "logger"];
        let make = ids.iter().chain(&origin).fold(make, |make, name| make.with(name, short.as_str()));
        let context =
            json!({(short.as_str()): short, "query": short, "input": short, "plain": short, "json": {"a": short}});
        make.with("message", short.as_str()).with("context", context).with("source", json!({"file": short, "line": 7}))
    };
    let (root, root_end) = run_of("failed", text, 1, (0, 900));
    let (child, child_end) = run_of("failed", &short, 2, (10, 800));
    let items = |make: Make| make.with("kind", "retrieve").with("generated", json!([item])).with("used", json!([item]));
    let root_end = root_end.with("error", error.clone()).with("stack_trace", text).with("local_root", true);
    let child_end =
        child_end.metrics(json!({"duration_ms": 790, (short.as_str()): 1, "count": 3})).with("error", error.clone());
    let line = Make::new("log", &short, 2, 20).with("error", error);
    let score = |value: Json| {
        let score = json!({"name": short, "value": value, "by": short, "comment": short});
        Make::new("score", "x", 1, 950).with("score", score)
    };
    // Running now, for `inflight`.
    let now = ragtrace::Timestamp::now().to_string();
    let open = Make::new("started", &short, 3, 0).trace("0199a1c2-7b1e-7a54-9c01-0000000000ff");
    let makes = [
        all(root),
        all(root_end),
        items(all(child)).parent(1),
        items(all(child_end)).parent(1),
        all(line).with("message", text).with("context", json!({"input": text})),
        all(score(json!(short))),
        all(open).with("timestamp", now),
    ];
    makes.iter().map(Make::record).collect()
}

/// Commands, and `true` for those that fit their lines to the width.
const COMMANDS: [(&[&str], bool); 15] = [
    (&["trace", "0199a1c2-7b1e-7a54-9c01-5f2e8d3b9a10"], true),
    (&["trace", "0199a1c2-7b1e-7a54-9c01-5f2e8d3b9a10", "--logs", "--self", "--all"], true),
    (&["trace", "0199a1c2-7b1e-7a54-9c01-5f2e8d3b9a10", "--summary"], true),
    (&["trace", "0199a1c2-7b1e-7a54-9c01-5f2e8d3b9a10", "--span", "0000000000000001"], true),
    (&["trace", "0199a1c2-7b1e-7a54-9c01-5f2e8d3b9a10", "--span", "0000000000000002"], true),
    (&["diff", "0199a1c2-7b1e-7a54-9c01-5f2e8d3b9a10", "0199a1c2-7b1e-7a54-9c01-0000000000ff"], true),
    (&["diff", "0199a1c2-7b1e-7a54-9c01-0000000000ff", "0199a1c2-7b1e-7a54-9c01-5f2e8d3b9a10", "--changed"], true),
    (&["traces"], true),
    (&["traces", "--format", "json"], false),
    (&["logs"], false),
    (&["errors"], false),
    (&["tail", "-n", "100"], false),
    (&["inflight"], true),
    (&["stats", "--since", "2026-11-01", "--until", "2026-12-01"], true),
    (&["trace", "0199a1c2-7b1e-7a54-9c01-5f2e8d3b9a10", "--format", "jsonl"], false),
];

fn is_harmless(c: char) -> bool {
    let hides = |c: char| matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    c == '\n' || !(c.is_control() || hides(c))
}

#[test]
fn no_recorded_text_controls_the_terminal_or_breaks_the_layout() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for (what, text) in texts() {
        let file = runtime.block_on(async {
            let file = File::new();
            let sink = file.sink();
            ragtrace::Sink::deliver(&sink, &crate::support::batch(records(&text))).await.expect("written");
            // Kept open: its process is alive.
            file
        });
        for (arguments, fits) in COMMANDS {
            for width in [40, 100] {
                let width_text = width.to_string();
                let arguments = [arguments, &["--width", &width_text]].concat();
                let output = run(file.folder.path(), &arguments);
                let printed = String::from_utf8(output.stdout.clone()).expect("UTF-8");
                let told = stderr(&output);
                assert_eq!(output.status.code(), Some(0), "{what}: {arguments:?}: {told}");
                let is_json = arguments.contains(&"--format");
                for text in [&printed, &told] {
                    let bad = text.chars().find(|c| !is_harmless(*c) && (!is_json || c.is_control()));
                    assert_eq!(bad, None, "{what}: {arguments:?}");
                }
                assert!(is_json || printed.len() < LARGEST, "{what}: {arguments:?}: {} bytes", printed.len());
                let widest = printed.lines().map(display_width).max().unwrap_or(0);
                assert!(!fits || widest <= width, "{what}: {arguments:?}: {widest} columns");
            }
        }
    }
}

#[test]
fn a_name_that_is_not_found_cannot_control_the_terminal_either() {
    let file = File::new();
    run(file.folder.path(), &["migrate"]);
    let evil = "\u{1b}[2J\u{202e}\n";
    for arguments in [
        &["trace", evil][..],
        &["diff", evil, "last"],
        &["trace", "last", "--span", evil],
        &["logs", "--user", evil],
        &["trace", "last", "--store", &format!("sqlite:{evil}")],
        &["trace", "last", "--store", &format!("{evil}:x")],
    ] {
        let output = run(file.folder.path(), arguments);
        let told = stderr(&output);
        assert_ne!(output.status.code(), Some(0), "{arguments:?}");
        assert!(told.lines().all(|line| line.chars().all(is_harmless)), "{told:?}");
    }
}
