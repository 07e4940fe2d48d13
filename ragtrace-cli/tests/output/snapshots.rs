//! The output of every command, at three widths and with and without colour, as committed in
//! `tests/snapshots`.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

use ragtrace_store::display_width;

use super::clock::shifted;
use super::run::{stdout, without_colour};
use crate::fixture::{ANSWER, BULK, Fixture, LOST, STUCK, TODAY, UPLOAD, YESTERDAY, trace_id};

const WIDTHS: [usize; 3] = [40, 80, 160];

/// A command, and the name of its file.
struct Case {
    name: &'static str,
    arguments: Vec<String>,
    /// `true` if the command fits its lines to the width. Records are not cut, so that all of their
    /// fields are there, and neither are sentences.
    fits: bool,
    /// `true` if the output has ages, such as `1h 0m`. It is printed soon after the store is
    /// written.
    ages: bool,
}

fn case(name: &'static str, arguments: &str) -> Case {
    let trace = |number: u64| trace_id(number).to_string();
    let named = [
        ("ANSWER", ANSWER),
        ("BULK", BULK),
        ("LOST", LOST),
        ("STUCK", STUCK),
        ("TODAY", TODAY),
        ("UPLOAD", UPLOAD),
        ("YESTERDAY", YESTERDAY),
    ];
    let argument = |word: &str| {
        let number = named.iter().find(|(name, _)| *name == word).map(|(_, number)| *number);
        number.map_or_else(|| word.to_owned(), trace)
    };
    Case { name, arguments: arguments.split(' ').map(argument).collect(), fits: true, ages: false }
}

fn records(name: &'static str, arguments: &str) -> Case {
    Case { fits: false, ..case(name, arguments) }
}

fn aging(name: &'static str, arguments: &str) -> Case {
    Case { ages: true, ..case(name, arguments) }
}

fn cases() -> Vec<Case> {
    vec![
        case("diff", "diff YESTERDAY ANSWER"),
        case("diff_changed", "diff YESTERDAY TODAY --changed"),
        case("diff_folded", "diff UPLOAD BULK"),
        case("diff_others", "diff UPLOAD TODAY"),
        aging("errors", "errors"),
        aging("errors_alice", "errors --user alice --since 90m"),
        records("errors_list", "errors --list --since 2d"),
        aging("inflight", "inflight"),
        records("export_csv", "export --format csv --trace LOST"),
        records("logs", "logs --user alice --since 61m --limit 12"),
        records("purge", "purge --user dave --dry-run"),
        case("stages", "stages"),
        case("stats", "stats --since 24h"),
        case("stats_costs", "stats --since 2d --costs"),
        case("stats_retrieval", "stats --since 2d --retrieval"),
        case("stats_version", "stats --since 2d --by version --no-compare"),
        records("tail", "tail -n 8"),
        case("trace_answer", "trace ANSWER"),
        case("trace_folded", "trace BULK"),
        case("trace_logs", "trace UPLOAD --logs --self"),
        case("trace_lost", "trace LOST"),
        case("trace_span", "trace ANSWER --span generation"),
        case("trace_span_failed", "trace UPLOAD --span 000000010000000b"),
        case("trace_stuck", "trace STUCK --logs"),
        case("trace_summary", "trace BULK --summary"),
        case("traces", "traces --since 10h"),
        case("traces_failed", "traces --status failed --user alice"),
    ]
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots")
}

/// Returns the output at all widths, each below the command that printed it.
fn printed(fixture: &Fixture, case: &Case, colour: bool) -> String {
    let mut text = String::new();
    for width in WIDTHS {
        let width = width.to_string();
        let color = if colour { "always" } else { "never" };
        let mut arguments: Vec<&str> = case.arguments.iter().map(String::as_str).collect();
        arguments.extend(["--width", &width, "--color", color]);
        let printed = stdout(fixture.file.folder.path(), &arguments);
        let _ = write!(text, "$ ragtrace {}\n{printed}\n", arguments.join(" "));
    }
    let text = shifted(&text, fixture.now());
    if case.name == "inflight" { running(&text) } else { text }
}

/// Replaces how long stages have been running, which depends on the test's own speed.
fn running(text: &str) -> String {
    let mut replaced = String::new();
    for line in text.lines() {
        let is_time = |word: &&str| word.ends_with("ms") && word.len() > 6 && word.as_bytes()[0].is_ascii_digit();
        let time = line.split_whitespace().find(is_time);
        let line = time.map_or(line.to_owned(), |time| line.replace(time, &format!("{:#>1$}", "ms", time.len())));
        let _ = writeln!(replaced, "{line}");
    }
    replaced
}

#[test]
fn every_command_prints_what_is_committed() {
    let shared = Fixture::new();
    let bless = std::env::var_os("RAGTRACE_BLESS").is_some();
    let mut differences = String::new();
    for case in cases() {
        let fresh = case.ages.then(Fixture::new);
        let fixture = fresh.as_ref().unwrap_or(&shared);
        let (plain, colourful) = (printed(fixture, &case, false), printed(fixture, &case, true));
        assert_eq!(without_colour(&colourful).replace("--color always", "--color never"), plain, "{}", case.name);
        for (suffix, text) in [("", plain), ("_in_colour", colourful)] {
            let path = folder().join(format!("{}{suffix}.txt", case.name));
            if bless {
                std::fs::write(&path, &text).expect("written");
            }
            let committed = std::fs::read_to_string(&path).unwrap_or_default();
            if committed != text {
                let lines = committed.lines().map(Some).chain(std::iter::repeat(None)).zip(text.lines());
                let (was, is) = lines.clone().find(|(was, is)| *was != Some(is)).unwrap_or_default();
                let _ = writeln!(differences, "{}:\n  was {:?}\n  is  {is:?}", path.display(), was.unwrap_or_default());
            }
        }
    }
    assert!(
        differences.is_empty(),
        "{differences}\nIf this is meant, run `RAGTRACE_BLESS=1 cargo test -p ragtrace-cli --test output`, look at \
        the changes in ragtrace-cli/tests/snapshots, and commit them."
    );
}

#[test]
fn no_line_is_wider_than_asked_or_ends_with_blanks() {
    let fixture = Fixture::new();
    for case in cases().into_iter().filter(|case| case.fits) {
        for width in [40, 41, 47, 59, 80, 111, 160] {
            let width_text = width.to_string();
            let mut arguments: Vec<&str> = case.arguments.iter().map(String::as_str).collect();
            arguments.extend(["--width", &width_text]);
            let printed = stdout(fixture.file.folder.path(), &arguments);
            for line in printed.lines() {
                assert!(display_width(line) <= width, "{arguments:?}: {line:?}\n{printed}");
                assert!(!line.ends_with(' '), "{arguments:?}: {line:?}");
            }
        }
    }
}

#[test]
fn no_file_is_left_of_a_command_that_is_gone() {
    let names =
        cases().into_iter().flat_map(|case| [format!("{}.txt", case.name), format!("{}_in_colour.txt", case.name)]);
    let files = std::fs::read_dir(folder()).expect("a folder");
    let files: BTreeSet<String> =
        files.map(|file| file.expect("a file").file_name().into_string().expect("UTF-8")).collect();
    assert_eq!(files, names.collect());
}
