//! The console: records on stderr, as lines for a person or as JSON.
//!
//! The console is a sink like any other, so a slow terminal delays no other sink.

use std::fmt::{self, Write as _};
use std::io::{IsTerminal, Write as _};
use std::str::FromStr;
use std::time::Duration;

use ragtrace_core::{Event, Level, ParseError, Value};

use crate::record::Record;
use crate::sink::{Batch, BatchLimits, Delivered, Sink, SinkError};

/// The form of records on stderr, set with [`Builder::console`](crate::Builder::console).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Console {
    /// Pretty on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// The canonical JSON, one record a line.
    Json,
    /// A short line for people, in colour on a Unix terminal unless `NO_COLOR` is set.
    ///
    /// On Windows there is no colour: a console shows it only after the application has changed the
    /// console's mode.
    Pretty,
    /// No output.
    Off,
}

impl FromStr for Console {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text.to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "json" => Ok(Self::Json),
            "pretty" => Ok(Self::Pretty),
            "off" => Ok(Self::Off),
            _ => Err(ParseError::new("a form of console (auto, json, pretty or off)", text)),
        }
    }
}

/// The sink that writes to stderr in the form of a [`Console`].
#[derive(Debug)]
pub(crate) struct ConsoleSink {
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Json,
    Pretty { colour: bool },
}

impl ConsoleSink {
    /// Returns the sink for a form, or `None` for [`Console::Off`].
    pub(crate) fn new(console: Console) -> Option<Self> {
        let is_terminal = std::io::stderr().is_terminal();
        let form = match console {
            Console::Off => return None,
            Console::Auto if !is_terminal => Form::Json,
            Console::Json => Form::Json,
            Console::Auto | Console::Pretty => {
                let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                Form::Pretty { colour: cfg!(unix) && is_terminal && !no_colour }
            }
        };
        Some(Self { form })
    }
}

impl Sink for ConsoleSink {
    fn name(&self) -> &'static str {
        "console"
    }

    fn limits(&self) -> BatchLimits {
        BatchLimits::default().with_records(256).with_age(Duration::from_millis(50))
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        let mut text = Vec::with_capacity(batch.records().len() * 256);
        for record in batch.records() {
            match self.form {
                Form::Json => record.write_json(&mut text),
                Form::Pretty { colour } => text.extend_from_slice(pretty(record, colour).as_bytes()),
            }
            text.push(b'\n');
        }
        // Writing blocks while a terminal is stopped, which must not block the worker.
        let written = tokio::task::spawn_blocking(move || std::io::stderr().lock().write_all(&text)).await;
        match written {
            Ok(Ok(())) => Ok(Delivered::all()),
            Ok(Err(error)) => Err(SinkError::closed(error)),
            Err(error) => Err(SinkError::retry(error)),
        }
    }
}

/// Formats a record as a line for people, such as `08:20:11.123 INFO  document_chunking_completed
/// 12.3ms count=128 doc.name=report.pdf user=alice trace=0199…`. The message of a log line follows
/// its logger.
fn pretty(record: &Record, colour: bool) -> String {
    let time = record.timestamp().to_string();
    let paint = |code: &'static str| if colour { code } else { "" };
    let (dim, reset) = (paint("\x1b[2m"), paint("\x1b[0m"));
    let level = paint(match record.level() {
        Level::Error => "\x1b[31m",
        Level::Warn => "\x1b[33m",
        Level::Info => "\x1b[32m",
        Level::Debug | Level::Trace => "\x1b[2m",
    });
    let mut line = format!("{dim}{}{reset} {level}{:5}{reset} ", &time[11..23], record.level());
    if record.event() == Event::Log {
        let _ = write!(line, "{dim}{}:{reset} ", Escaped(record.logger()));
    }
    let _ = write!(line, "{}", Escaped(&record.message()));
    if let Some(duration) = record.duration() {
        let _ = write!(line, " {duration:.1?}");
    }
    if let Some(count) = record.count() {
        let _ = write!(line, " {dim}count={reset}{count}");
    }
    for (name, value) in record.metrics().chain(record.context()) {
        let _ = write!(line, " {dim}{name}={reset}{}", DisplayValue(value));
    }
    if let Some(score) = record.score() {
        let _ = write!(line, " {dim}value={reset}{}", DisplayValue(score.value()));
        for (name, text) in [("by", score.by()), ("comment", score.comment())] {
            if let Some(text) = text {
                let _ = write!(line, " {dim}{name}={reset}{}", Escaped(text));
            }
        }
    }
    if let Some(error) = record.error() {
        let _ = write!(line, " {level}{}: {}{reset}", error.type_name(), Escaped(error.message()));
        for source in error.chain() {
            let _ = write!(line, " {dim}<-{reset} {}", Escaped(source));
        }
    }
    if let Some(user) = record.user_id() {
        let _ = write!(line, " {dim}user={reset}{}", Escaped(user));
    }
    if let (Some(trace_id), Event::Started | Event::Failed, true) =
        (record.trace_id(), record.event(), record.is_local_root())
    {
        let _ = write!(line, " {dim}trace={trace_id}{reset}");
    }
    line
}

struct DisplayValue<'a>(&'a Value);

impl fmt::Display for DisplayValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::F64(number) => write!(f, "{number:.3}"),
            Value::Text(text) | Value::Json(text) => Escaped(text).fmt(f),
            short => short.fmt(f),
        }
    }
}

/// A text that is displayed with its control characters escaped, because they could move the cursor
/// or end the line.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if c.is_control() { write!(f, "{}", c.escape_default())? } else { f.write_char(c)? }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_says_its_logger_and_moves_no_cursor() {
        let json = r#"{"id":"0199a5b2-6f1e-7c3a-8a4b-0123456789ab","timestamp":"2026-11-22T08:20:11.123456Z","level":"WARN",
            "logger":"app::db\u001b[1m","message":"slow\u001b[2J\nquery","event":"log","instance":"0199a5b2-6f1e-7c3a-8a4b-0123456789ac",
            "context":{"table":"chunks\r"}}"#;
        let line = pretty(&Record::from_json(json).expect("a record"), false);
        assert_eq!(line, r"08:20:11.123 WARN  app::db\u{1b}[1m: slow\u{1b}[2J\nquery table=chunks\r");
    }
}
