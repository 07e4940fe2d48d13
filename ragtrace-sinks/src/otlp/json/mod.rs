//! The JSON encoding of OTLP ("OTLP/HTTP", "JSON Protobuf Encoding"): requests for files, one a
//! line, as OpenTelemetry's file exporters write them.
//!
//! A request is first written in the wire format, by the code that the sinks use, and then
//! translated with a table of the messages. So a file has exactly what a backend would have got.

mod schema;
mod translate;

use ragtrace::Record;

use super::logs::LogEncoding;
use super::profile::OtlpProfile;
use super::proto::Writer;
use super::resource::ResourceSettings;
use super::traces::TraceEncoding;

/// Writes records as requests of OTLP in JSON, for files that a Collector's `otlpjsonfile` receiver
/// and other tools read.
///
/// Spans and log records are separate requests, each on a line of its own. Attributes have the
/// names of OpenTelemetry's conventions, as with
/// [`OtlpProfile::Collector`](crate::OtlpProfile::Collector).
///
/// ```
/// # fn line(records: &[ragtrace::Record]) -> Option<String> {
/// use ragtrace_sinks::OtlpJson;
///
/// let json = OtlpJson::new();
/// json.spans(records)
/// # }
/// # assert_eq!(line(&[]), None);
/// ```
#[derive(Debug)]
pub struct OtlpJson {
    resource: ResourceSettings,
    stage_events: bool,
}

impl Default for OtlpJson {
    fn default() -> Self {
        Self { resource: ResourceSettings::of_other_processes(), stage_events: false }
    }
}

impl OtlpJson {
    /// Creates an encoder of stored records.
    ///
    /// The resources describe the processes that the records name, and nothing of this process.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether starts and ends of stages become log records too. The default is `false`, since
    /// they are spans already.
    pub fn stage_events(mut self, is_on: bool) -> Self {
        self.stage_events = is_on;
        self
    }

    /// Returns the spans of end records as one `ExportTraceServiceRequest`, or `None` if none of
    /// the records is the end of a stage.
    pub fn spans(&self, records: &[Record]) -> Option<String> {
        let mut writer = Writer::default();
        let profile = OtlpProfile::Collector.table();
        let encoding = TraceEncoding { profile, resource: &self.resource, tags: &[] };
        let written = encoding.write(records, &mut writer);
        (written > 0).then(|| translate::to_json(&schema::TRACES, writer.as_bytes()))
    }

    /// Returns log lines and scores as one `ExportLogsServiceRequest`, or `None` if the records
    /// contain none.
    pub fn logs(&self, records: &[Record]) -> Option<String> {
        let mut writer = Writer::default();
        let encoding = LogEncoding { resource: &self.resource, stage_events: self.stage_events };
        let written = encoding.write(records, &mut writer);
        (written > 0).then(|| translate::to_json(&schema::LOGS, writer.as_bytes()))
    }
}
