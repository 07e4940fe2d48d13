//! Writes records as text, as JSON, or as JSON lines.

use std::io::{self, Write};

use ragtrace::{Event, Level, Value};
use ragtrace_store::{LogRow, fit, printable};

use crate::output::list;
use crate::output::{Format, Output};

/// The largest number of columns shown of one text. The rest is in the other formats.
const LONGEST: usize = 8_192;

pub(crate) fn write(output: &mut Output, format: Format, rows: &[LogRow]) -> io::Result<()> {
    match format {
        Format::Table => rows.iter().try_for_each(|row| line(output, row))?,
        Format::Json | Format::Jsonl => list::write_json(&mut output.writer, format, rows.iter().map(LogRow::to_json))?,
    }
    output.writer.flush()
}

/// Writes a record on one line, and its error and the error's sources below. The message of a log
/// line follows its logger, as on the console.
fn line(output: &mut Output, row: &LogRow) -> io::Result<()> {
    let (dim, reset) = if output.colour { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
    let level = if output.colour { level_colour(row.level()) } else { "" };
    let at = row.timestamp().to_string();
    let at = format!("{} {}", &at[..10], &at[11..23]);
    let trace = row.trace_id().map_or_else(|| "-".to_owned(), |id| id.to_string());
    let out = &mut output.writer;
    write!(out, "{dim}{at}{reset} {level}{:<5}{reset} ", row.level())?;
    if row.event() == Event::Log {
        write!(out, "{dim}{}:{reset} ", shown_text(row.logger()))?;
    }
    write!(out, "{}{dim}", shown_text(&row.message()))?;
    if let Some(duration) = row.duration() {
        write!(out, " {:.3}ms", duration.as_secs_f64() * 1_000.0)?;
    }
    if let Some(count) = row.count() {
        write!(out, " count={count}")?;
    }
    for (name, value) in row.context().chain(row.metrics()) {
        write!(out, " {}={}", shown_text(name), shown(value))?;
    }
    let ids = [
        ("user", row.user_id()),
        ("tenant", row.tenant_id()),
        ("session", row.session_id()),
        ("request", row.request_id()),
    ];
    for (name, id) in ids {
        if let Some(id) = id {
            write!(out, " {name}={}", shown_text(id))?;
        }
    }
    writeln!(out, " trace={trace}{reset}")?;
    if let Some(error) = row.error() {
        let (name, message) = (shown_text(error.type_name()), shown_text(error.message()));
        writeln!(out, "    {level}{name}: {message}{reset}")?;
        error.chain().iter().try_for_each(|source| writeln!(out, "    {level}↳ {}{reset}", shown_text(source)))?;
    }
    Ok(())
}

/// Returns a text without characters that control a terminal, cut if it is very long.
fn shown_text(text: &str) -> String {
    // Each of its characters takes at least a byte, and few take no column.
    let end = text.floor_char_boundary(text.len().min(8 * LONGEST));
    let shown = printable(&text[..end]);
    if end < text.len() { fit(&format!("{shown}…"), LONGEST).into_owned() } else { fit(&shown, LONGEST).into_owned() }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::U64(number) => number.to_string(),
        Value::I64(number) => number.to_string(),
        Value::F64(number) => number.to_string(),
        Value::Text(text) if text.contains(' ') => format!("\"{}\"", shown_text(text)),
        Value::Text(text) => shown_text(text),
        Value::Json(json) => shown_text(json),
        other => shown_text(&other.to_string()),
    }
}

fn level_colour(level: Level) -> &'static str {
    match level {
        Level::Error => "\x1b[31m",
        Level::Warn => "\x1b[33m",
        Level::Info => "\x1b[32m",
        Level::Debug | Level::Trace => "\x1b[2m",
    }
}
