//! Writes records as text, as JSON, or as JSON lines.

use std::io::{self, Write};

use ragtrace::{Event, Level, Value};
use ragtrace_store::{LogRow, printable};

use crate::output::list;
use crate::output::{Format, Output};

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
        write!(out, "{dim}{}:{reset} ", printable(row.logger()))?;
    }
    write!(out, "{}{dim}", printable(&row.message()))?;
    if let Some(duration) = row.duration() {
        write!(out, " {:.3}ms", duration.as_secs_f64() * 1_000.0)?;
    }
    if let Some(count) = row.count() {
        write!(out, " count={count}")?;
    }
    for (name, value) in row.context().chain(row.metrics()) {
        write!(out, " {}={}", printable(name), shown(value))?;
    }
    let ids = [
        ("user", row.user_id()),
        ("tenant", row.tenant_id()),
        ("session", row.session_id()),
        ("request", row.request_id()),
    ];
    for (name, id) in ids {
        if let Some(id) = id {
            write!(out, " {name}={}", printable(id))?;
        }
    }
    writeln!(out, " trace={trace}{reset}")?;
    if let Some(error) = row.error() {
        let (name, message) = (printable(error.type_name()), printable(error.message()));
        writeln!(out, "    {level}{name}: {message}{reset}")?;
        error.chain().iter().try_for_each(|source| writeln!(out, "    {level}↳ {}{reset}", printable(source)))?;
    }
    Ok(())
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::U64(number) => number.to_string(),
        Value::I64(number) => number.to_string(),
        Value::F64(number) => number.to_string(),
        Value::Text(text) if text.contains(' ') => format!("\"{}\"", printable(text)),
        Value::Text(text) => printable(text).into_owned(),
        other => format!("{other:?}"),
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
