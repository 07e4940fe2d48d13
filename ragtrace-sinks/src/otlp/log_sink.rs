//! The sink of log records.

use std::borrow::Cow;
use std::sync::OnceLock;

use ragtrace::Level;
use ragtrace::sink::{Batch, BatchLimits, Delivered, Needs, Sink, SinkError};

use super::exporter::Exporter;
use super::logs::LogEncoding;
use super::settings::{Settings, Signal};

/// A sink that sends log records over OTLP. [`OtlpSink::logs`](super::OtlpSink::logs) creates it.
///
/// The application's log lines, scores (as the event `gen_ai.evaluation.result`) and the pipeline's
/// reports on itself become log records, with the ids of the trace and span in which they were
/// written. Starts and ends of stages, which are spans already, count as delivered without being
/// sent, unless [`stage_events`](Self::stage_events) is set.
#[derive(Debug)]
pub struct OtlpLogSink {
    name: Cow<'static, str>,
    level: Option<Level>,
    stage_events: bool,
    settings: Settings,
    exporter: OnceLock<Exporter>,
}

impl OtlpLogSink {
    pub(crate) fn with_settings(name: Cow<'static, str>, level: Option<Level>, settings: Settings) -> Self {
        Self { name, level, stage_events: false, settings, exporter: OnceLock::new() }
    }

    /// Sets whether starts and ends of stages become log records too. The default is `false`.
    pub fn stage_events(mut self, is_on: bool) -> Self {
        self.stage_events = is_on;
        self
    }

    /// Sets the sink's name. The default is the name of the sink of spans with `-logs`.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the least severe level that the sink accepts. The default is the builder's level.
    pub fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    fn exporter(&self) -> &Exporter {
        self.exporter.get_or_init(|| Exporter::new(self.settings.clone(), Signal::Logs))
    }
}

impl Sink for OtlpLogSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn limits(&self) -> BatchLimits {
        self.settings.profile.table().batch.limits()
    }

    fn level(&self) -> Option<Level> {
        self.level
    }

    fn needs(&self) -> Needs {
        if self.stage_events { Needs::default() } else { Needs::default().with_only_log_lines_and_scores() }
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        let exporter = self.exporter();
        let encoding = LogEncoding { resource: &exporter.settings.resource, stage_events: self.stage_events };
        let records = batch.records();
        exporter.export(|writer| encoding.write(records, writer)).await
    }

    async fn check(&self) -> Result<String, SinkError> {
        self.exporter().check().await
    }
}
