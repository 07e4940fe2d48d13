//! Writes lists as a table, as JSON, or as JSON lines.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::ops::Range;
use std::time::Duration;

use ragtrace::Timestamp;
use ragtrace_store::{display_width, fit, printable};

use crate::output::{Format, Output, Stdout};

/// The fewest columns that a text is cut to on a terminal.
const LEAST: usize = 8;
/// The greatest width, in columns, that a cell gives its column if the output is not a terminal. A
/// longer text is not cut and pushes the rest of its own line to the right.
const MOST: usize = 64;
/// The blanks between two columns.
const GAP: usize = 2;
/// The number of lines of a row from which on a blank line separates it from the next.
const TALL: usize = 3;

/// A column of a table: its heading, and how to get a cell from a row.
pub(crate) struct Column<T> {
    name: &'static str,
    kind: Kind,
    text: fn(&T) -> String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A text, which is cut if the terminal is too narrow.
    Text,
    /// A text that is never cut, since half a time or half an id is of no use.
    Exact,
    Number,
}

impl<T> Column<T> {
    pub(crate) const fn text(name: &'static str, text: fn(&T) -> String) -> Self {
        Self { name, kind: Kind::Text, text }
    }

    pub(crate) const fn exact(name: &'static str, text: fn(&T) -> String) -> Self {
        Self { name, kind: Kind::Exact, text }
    }

    pub(crate) const fn number(name: &'static str, text: fn(&T) -> String) -> Self {
        Self { name, kind: Kind::Number, text }
    }
}

/// Writes rows in the given format. Columns of a table are as wide as their longest cell, within
/// the terminal's width. If that is too small for all columns, each row takes several lines.
pub(crate) fn write<T>(
    output: &mut Output,
    format: Format,
    rows: &[T],
    columns: &[Column<T>],
    json: impl Fn(&T) -> String,
) -> io::Result<()> {
    match format {
        Format::Json | Format::Jsonl => write_json(&mut output.writer, format, rows.iter().map(json))?,
        Format::Table => {
            table(rows, columns, output.terminal).iter().try_for_each(|line| writeln!(output.writer, "{line}"))?;
        }
    }
    output.writer.flush()
}

/// Writes JSON documents, as one array or one a line.
pub(crate) fn write_json(
    out: &mut io::BufWriter<Stdout>,
    format: Format,
    mut documents: impl Iterator<Item = String>,
) -> io::Result<()> {
    if format == Format::Jsonl {
        return documents.try_for_each(|document| writeln!(out, "{}", shown_json(&document)));
    }
    write!(out, "[")?;
    for (at, document) in documents.enumerate() {
        write!(out, "{}{}", if at == 0 { "" } else { ",\n " }, shown_json(&document))?;
    }
    writeln!(out, "]")
}

/// Returns a JSON document with the control characters that JSON allows as they are (DEL and those
/// of ISO 6429's 8-bit form) as escapes, so that none reaches a terminal.
pub(crate) fn shown_json(document: &str) -> Cow<'_, str> {
    if !document.contains(char::is_control) {
        return Cow::Borrowed(document);
    }
    let mut shown = String::with_capacity(document.len() + 16);
    for c in document.chars() {
        match c {
            '\u{7f}'..='\u{9f}' => {
                let _ = fmt::Write::write_fmt(&mut shown, format_args!("\\u{:04x}", u32::from(c)));
            }
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Returns the lines of a table. On a terminal, texts are cut so that a line fits, and columns that
/// still do not fit go to the next line.
fn table<T>(rows: &[T], columns: &[Column<T>], terminal: Option<usize>) -> Vec<String> {
    let cells = |row: &T| columns.iter().map(|column| printable(&(column.text)(row)).into_owned()).collect();
    let mut lines: Vec<Vec<String>> = vec![columns.iter().map(|column| column.name.to_owned()).collect()];
    lines.extend(rows.iter().map(cells));
    let most = if terminal.is_some() { usize::MAX } else { MOST };
    let width =
        |at: usize| lines.iter().map(|line| display_width(&line[at])).filter(|width| *width <= most).max().unwrap_or(0);
    let kinds: Vec<Kind> = columns.iter().map(|column| column.kind).collect();
    let mut widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let parts = match terminal {
        Some(terminal) => fitted(&mut widths, &kinds, terminal),
        None => std::iter::once(0..columns.len()).collect(),
    };
    let line = |cells: &[String], part: &Range<usize>| {
        let mut text = if part.start > 0 { " ".repeat(GAP) } else { String::new() };
        for at in part.clone() {
            let (cell, width) = (&cells[at], widths[at]);
            let cell = if terminal.is_some() { fit(cell, width) } else { cell.into() };
            let pad = " ".repeat(width.saturating_sub(display_width(&cell)));
            let (before, after) = if kinds[at] == Kind::Number { (pad.as_str(), "") } else { ("", pad.as_str()) };
            text.extend([before, cell.as_ref(), after, "  "]);
        }
        text.truncate(text.trim_end_matches(' ').len());
        text
    };
    let mut table = Vec::new();
    for (at, cells) in lines.iter().enumerate() {
        // A blank line tells rows of many lines apart.
        if at > 0 && parts.len() >= TALL {
            table.push(String::new());
        }
        table.extend(parts.iter().map(|part| line(cells, part)));
    }
    table
}

/// Fits columns to the terminal, and returns those of each line of a row: of one line if its texts
/// can be cut far enough, else of as few as possible.
fn fitted(widths: &mut [usize], kinds: &[Kind], terminal: usize) -> Vec<Range<usize>> {
    let whole = widths.to_vec();
    if narrow(widths, kinds, terminal) {
        return std::iter::once(0..widths.len()).collect();
    }
    let mut parts = Vec::new();
    let (mut begin, mut used) = (0, 0);
    for at in 0..widths.len() {
        widths[at] = if kinds[at] == Kind::Text { whole[at].min(terminal.saturating_sub(GAP)) } else { whole[at] };
        if at > begin && used + widths[at] > terminal {
            parts.push(begin..at);
            (begin, used) = (at, GAP);
        }
        used += widths[at] + GAP;
    }
    parts.push(begin..widths.len());
    parts
}

/// Narrows the widest text columns until a line fits the terminal, and returns `false` if it
/// cannot.
fn narrow(widths: &mut [usize], kinds: &[Kind], terminal: usize) -> bool {
    let mut over = (widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)).saturating_sub(terminal);
    while over > 0 {
        let texts = || (0..widths.len()).filter(|at| kinds[*at] == Kind::Text && widths[*at] > LEAST);
        let Some(widest) = texts().max_by_key(|at| widths[*at]) else { return false };
        let next = texts().filter(|at| *at != widest).map(|at| widths[at]).max().unwrap_or(LEAST);
        let less = (widths[widest] - next.max(LEAST)).clamp(1, over);
        widths[widest] -= less;
        over -= less;
    }
    true
}

/// Formats a time in UTC, to the millisecond.
pub(crate) fn time(at: Timestamp) -> String {
    let text = at.to_string();
    format!("{} {}", &text[..10], &text[11..23])
}

pub(crate) fn duration(duration: Duration) -> String {
    format!("{:.1}ms", duration.as_secs_f64() * 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column<(&str, &str)>; 4] = [
        Column::text("user", |row| row.0.to_owned()),
        Column::text("tenant", |row| row.1.to_owned()),
        Column::number("took", |row| row.0.len().to_string()),
        Column::exact("trace", |_| "0199a1c2-7b1e-7a54-9c01-5f2e8d3b9a10".to_owned()),
    ];
    const ROWS: [(&str, &str); 8] = [
        ("alice", "acme"),
        ("田中太郎", "株式会社"),
        ("👩‍👩‍👧‍👦", "🇩🇪🇫🇷"),
        ("☀️❤️ and more of it, as long as a line", "Z̷̢̛͎a̶̧͝l̵̪̇g̸̘̈o̶͙̕ e\u{301}"),
        ("\u{202e}evil\u{1b}[2J\t\n", "العربية لا إله"),
        ("", "a\u{200b}b"),
        ("한국어 사용자의 이름은 길다 길다 길다", "👍🏽👎🏿 ａｂｃｄｅｆｇｈ"),
        (" padded ", "-"),
    ];

    #[test]
    fn a_long_text_makes_no_other_line_longer_and_is_whole_where_nothing_is_cut() {
        let long: &'static str = "x".repeat(8_192).leak();
        let rows = [("alice", "acme"), (long, "acme"), ("bob", long)];
        let lines = table(&rows, &COLUMNS, None);
        assert!(lines[1].len() < 120, "{}", lines[1]);
        assert!(lines[2].starts_with(long) && lines[3].contains(long));
        assert!(table(&rows, &COLUMNS, Some(80)).iter().all(|line| display_width(line) <= 80));
    }

    /// Returns the terminal column in which the trace id begins.
    fn begin(line: &str) -> usize {
        display_width(line.split_once("0199a1c2").expect("a trace").0)
    }

    #[test]
    fn columns_stand_beneath_one_another_whatever_the_script() {
        for terminal in [None, Some(200), Some(120), Some(80), Some(70)] {
            let lines = table(&ROWS, &COLUMNS, terminal);
            let begins: Vec<usize> = lines[1..].iter().map(|line| begin(line)).collect();
            assert!(begins.iter().all(|begin| *begin == begins[0]), "{terminal:?}: {lines:#?}");
            assert!(lines.iter().all(|line| display_width(line) <= terminal.unwrap_or(usize::MAX)), "{lines:#?}");
            assert!(lines.iter().all(|line| !line.contains(char::is_control)), "{lines:#?}");
        }
    }

    #[test]
    fn texts_are_cut_for_a_terminal_alone_and_ids_never() {
        let whole = &table(&ROWS, &COLUMNS, None)[4];
        assert!(whole.starts_with("☀️❤️ and more of it, as long as a line  "), "{whole}");
        let cut = &table(&ROWS, &COLUMNS, Some(64))[4];
        assert!(cut.contains('…') && cut.ends_with("-5f2e8d3b9a10") && display_width(cut) <= 64, "{cut}");
    }

    #[test]
    fn columns_that_do_not_fit_go_to_the_next_line() {
        let lines = table(&ROWS[..2], &COLUMNS, Some(40));
        let expected = [
            "user      tenant    took",
            "  trace",
            "alice     acme         5",
            "  0199a1c2-7b1e-7a54-9c01-5f2e8d3b9a10",
            "田中太郎  株式会社    12",
            "  0199a1c2-7b1e-7a54-9c01-5f2e8d3b9a10",
        ];
        assert_eq!(lines, expected);
        let lines = table(&ROWS, &COLUMNS, Some(40));
        assert!(lines.iter().all(|line| display_width(line) <= 40 && !line.contains(char::is_control)), "{lines:#?}");
    }
}
