//! The questions that the README asks, with the answers that it shows.

use super::clock::shifted;
use super::run::stdout;
use crate::fixture::Fixture;

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
const SECTION: &str = "## Four questions";
/// Stands for any text within a line, and on a line of its own for any lines.
const ANYTHING: &str = "…";

/// A command as the README writes it, and the lines of output that it shows.
struct Shown<'a> {
    command: &'a str,
    lines: Vec<&'a str>,
}

/// Returns the commands of the section, in order.
fn shown(readme: &str) -> Vec<Shown<'_>> {
    let (_, section) = readme.split_once(SECTION).expect("the section");
    let section = section.split("\n## ").next().expect("text");
    let mut shown: Vec<Shown<'_>> = Vec::new();
    // Code is every second part.
    for block in section.split("```").skip(1).step_by(2) {
        for line in block.lines().skip(1) {
            match line.strip_prefix("$ ragtrace ") {
                Some(command) => shown.push(Shown { command, lines: Vec::new() }),
                None => shown.last_mut().expect("a command comes first").lines.push(line),
            }
        }
    }
    shown
}

/// Returns `true` if a line is as shown, where an ellipsis stands for anything.
fn is_as_shown(line: &str, shown: &str) -> bool {
    if line == shown {
        return true;
    }
    let mut rest = line;
    let parts: Vec<&str> = shown.split(ANYTHING).collect();
    parts.len() > 1
        && parts.iter().enumerate().all(|(at, part)| {
            let found = match at {
                0 => rest.strip_prefix(part),
                _ if at + 1 == parts.len() => rest.ends_with(part).then_some(""),
                _ => rest.split_once(part).map(|(_, after)| after),
            };
            found.map(|after| rest = after).is_some()
        })
}

/// Checks that the output has the shown lines, in order and without others between them but where
/// an ellipsis says so.
fn compare(output: &str, shown: &Shown<'_>) {
    let mut lines = output.lines().filter(|line| !line.is_empty());
    let mut may_skip = false;
    for expected in shown.lines.iter().filter(|line| !line.is_empty()) {
        if *expected == ANYTHING {
            may_skip = true;
            continue;
        }
        let found = lines.find(|line| !may_skip || is_as_shown(line, expected));
        let is_found = found.is_some_and(|line| is_as_shown(line, expected));
        assert!(is_found, "`ragtrace {}` does not print {expected:?} there, but\n{output}", shown.command);
        may_skip = false;
    }
    assert!(may_skip || lines.next().is_none(), "`ragtrace {}` prints more than is shown:\n{output}", shown.command);
}

#[test]
fn each_question_of_the_readme_has_the_answer_that_is_shown() {
    let readme = std::fs::read_to_string(README).expect("the README");
    let commands = shown(&readme);
    assert!(commands.len() >= 4, "{} commands", commands.len());
    let fixture = Fixture::new();
    for shown in &commands {
        let mut arguments: Vec<&str> = shown.command.split_whitespace().collect();
        arguments.extend(["--width", "100", "--color", "never"]);
        let output = stdout(fixture.file.folder.path(), &arguments);
        compare(&shifted(&output, fixture.now()), shown);
    }
}

#[test]
fn an_ellipsis_stands_for_anything_and_nothing_else_does() {
    for (line, shown, expected) in [
        ("a b c", "a b c", true),
        ("a b c", "a … c", true),
        ("a b c", "…c", true),
        ("a b c", "a…", true),
        ("a b c", "a … b", false),
        ("a b c", "b…", false),
        ("a b c", "a b", false),
        ("a…b", "a…b", true),
    ] {
        assert_eq!(is_as_shown(line, shown), expected, "{line} {shown}");
    }
}
