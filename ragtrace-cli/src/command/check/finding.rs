//! The findings of a check, told in one line each, those that are wrong first.

use std::io::Write;

use ragtrace_store::printable;
use serde_json::json;

use crate::output::{Failure, Format, Found, Output};

/// A finding of a check about one subject.
pub(super) struct Finding {
    /// The subject, such as `sink postgres`.
    subject: String,
    is_fine: bool,
    message: String,
}

impl Finding {
    pub(super) fn fine(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self { subject: subject.into(), is_fine: true, message: message.into() }
    }

    pub(super) fn wrong(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self { subject: subject.into(), is_fine: false, message: message.into() }
    }

    fn to_json(&self) -> String {
        json!({"subject": self.subject, "ok": self.is_fine, "message": self.message}).to_string()
    }
}

/// Writes the findings, and returns the outcome of the command.
pub(super) fn write(format: Format, mut findings: Vec<Finding>) -> Result<Found, Failure> {
    findings.sort_by_key(|finding| finding.is_fine);
    let mut output = Output::new();
    match format {
        Format::Table => findings.iter().try_for_each(|finding| line(&mut output, finding))?,
        Format::Json | Format::Jsonl => {
            crate::output::list::write_json(&mut output.writer, format, findings.iter().map(Finding::to_json))?;
        }
    }
    output.writer.flush()?;
    let wrong = findings.iter().filter(|finding| !finding.is_fine).count();
    Ok(match wrong {
        0 => Found::Something,
        _ => Found::Nothing(format!("{wrong} of {} checks found something wrong", findings.len())),
    })
}

fn line(output: &mut Output, finding: &Finding) -> std::io::Result<()> {
    let (word, colour) = if finding.is_fine { ("OK", "\x1b[32m") } else { ("WRONG", "\x1b[31m") };
    let (colour, reset) = if output.colour { (colour, "\x1b[0m") } else { ("", "") };
    let (subject, message) = (printable(&finding.subject), printable(&finding.message));
    let text = format!("{subject}: {message}");
    writeln!(output.writer, "{colour}{word:<5}{reset} {}", crate::output::secret::mask(&text))
}
