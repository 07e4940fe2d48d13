//! The formats of an export.

use ragtrace::Record;
use ragtrace_sinks::OtlpJson;

use super::table;
use crate::output::Failure;

/// The number of records in one request of OTLP, which is one line.
const REQUEST: usize = 500;

/// The format of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ExportFormat {
    /// One record a line in canonical JSON, which `ragtrace import` reads. Nothing is lost.
    #[default]
    Jsonl,
    /// OTLP in JSON, one request a line: spans of finished stages, log lines and scores.
    Otlp,
    /// One record a line with a column for each part, for spreadsheets.
    Csv,
}

/// The signals of OTLP to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Signal {
    /// Both.
    #[default]
    All,
    /// Spans only.
    Traces,
    /// Log lines and scores only.
    Logs,
}

/// Writes records in a format.
pub(super) enum Encoding {
    Jsonl,
    Otlp(OtlpJson, Signal),
    Csv(table::Cells),
}

impl Encoding {
    /// Returns the bytes before the first record.
    pub(super) fn head(&self) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Csv(_) => table::head(),
            _ => Ok(Vec::new()),
        }
    }

    /// Returns the bytes of some records.
    pub(super) fn encode(&self, records: &[Record]) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Jsonl => Ok(lines(records)),
            Self::Otlp(json, signal) => Ok(requests(json, *signal, records)),
            Self::Csv(cells) => table::rows(*cells, records),
        }
    }
}

fn lines(records: &[Record]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in records {
        record.write_json(&mut bytes);
        bytes.push(b'\n');
    }
    bytes
}

fn requests(json: &OtlpJson, signal: Signal, records: &[Record]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for records in records.chunks(REQUEST) {
        let spans = (signal != Signal::Logs).then(|| json.spans(records)).flatten();
        let logs = (signal != Signal::Traces).then(|| json.logs(records)).flatten();
        for request in spans.into_iter().chain(logs) {
            bytes.extend_from_slice(request.as_bytes());
            bytes.push(b'\n');
        }
    }
    bytes
}
