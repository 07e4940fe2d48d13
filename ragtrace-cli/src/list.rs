//! Lists as a table, as JSON, or as JSON lines.

use std::io::{self, Write};
use std::time::Duration;

use ragtrace::Timestamp;
use ragtrace_store::printable;

use crate::output::{Format, Output};

/// A column of a table.
pub(crate) struct Column<T> {
    name: &'static str,
    is_number: bool,
    text: fn(&T) -> String,
}

impl<T> Column<T> {
    pub(crate) const fn left(name: &'static str, text: fn(&T) -> String) -> Self {
        Self { name, is_number: false, text }
    }

    pub(crate) const fn right(name: &'static str, text: fn(&T) -> String) -> Self {
        Self { name, is_number: true, text }
    }
}

/// Writes rows, for people in columns that are as wide as they have to be.
pub(crate) fn write<T>(
    output: &mut Output,
    format: Format,
    rows: &[T],
    columns: &[Column<T>],
    json: impl Fn(&T) -> String,
) -> io::Result<()> {
    let out = &mut output.writer;
    match format {
        Format::Jsonl => rows.iter().try_for_each(|row| writeln!(out, "{}", json(row)))?,
        Format::Json => {
            for (at, row) in rows.iter().enumerate() {
                write!(out, "{}{}", if at == 0 { "[" } else { ",\n " }, json(row))?;
            }
            writeln!(out, "]")?;
        }
        Format::Table => {
            let cells = |row: &T| columns.iter().map(|column| printable(&(column.text)(row)).into_owned()).collect();
            let mut lines: Vec<Vec<String>> = vec![columns.iter().map(|column| column.name.to_owned()).collect()];
            lines.extend(rows.iter().map(cells));
            let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
            let widths: Vec<usize> = (0..columns.len()).map(width).collect();
            for line in &lines {
                let mut text = String::new();
                for ((cell, column), width) in line.iter().zip(columns).zip(&widths) {
                    let pad = " ".repeat(width - cell.chars().count());
                    let (before, after) = if column.is_number { (pad.as_str(), "") } else { ("", pad.as_str()) };
                    text.extend([before, cell, after, "  "]);
                }
                writeln!(out, "{}", text.trim_end())?;
            }
        }
    }
    out.flush()
}

/// To the millisecond, in UTC.
pub(crate) fn time(at: Timestamp) -> String {
    let text = at.to_string();
    format!("{} {}", &text[..10], &text[11..23])
}

pub(crate) fn duration(duration: Duration) -> String {
    format!("{:.1}ms", duration.as_secs_f64() * 1_000.0)
}
