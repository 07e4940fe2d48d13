//! The sink of logs, from which the others are created.

use std::borrow::Cow;
use std::time::Duration;

use ragtrace::sink::{Batch, BatchLimits, Delivered, SinkError};
use ragtrace::{Level, Sink, Timestamp};

use super::llm_obs::DatadogLlmObsSink;
use super::metrics::DatadogMetricsSink;
use crate::datadog::counts::DatadogCounts;
use crate::datadog::logs;
use crate::datadog::settings::Settings;
use crate::datadog::site::Site;
use crate::http::{Client, Endpoint, Key};

/// A sink that sends records to Datadog as log entries.
///
/// Each entry has the ids of its trace and span. Datadog joins them if the Datadog Agent or another
/// sink has sent the trace.
///
/// Metrics, spans of LLM Observability and evaluations go through sinks of their own, which are
/// created from this one and share its settings. Each has its own batches, retries and spool.
///
/// ```
/// use ragtrace_sinks::DatadogSink;
///
/// let datadog = DatadogSink::new("an API key").site("datadoghq.eu").tag("team:search");
/// let spans = datadog.llm_observability("rag-api");
/// let builder = ragtrace::builder()
///     .service("rag-api")
///     .sink(datadog.metrics())
///     .sink(spans.evaluations())
///     .sink(spans)
///     .sink(datadog);
/// # let _ = builder;
/// ```
///
/// Traces for Datadog's APM go to the Agent over OTLP: use `OtlpSink` for that. The ids are the
/// same.
///
/// Datadog's limits on a log may cut or leave out some of it, see [`DatadogCounts`]. Entries that
/// are more than 18 hours old, or more than 2 hours in the future, become dead letters.
#[derive(Clone, Debug)]
pub struct DatadogSink {
    name: Cow<'static, str>,
    level: Option<Level>,
    settings: Settings,
}

impl DatadogSink {
    /// Creates a sink for the site `datadoghq.com`.
    ///
    /// The API key is a text, or a [`Key`] from a file or a function, which is read again before
    /// each request. Nothing is connected before the first batch.
    pub fn new(api_key: impl Into<Key>) -> Self {
        Self::of(Settings::new(Some(api_key.into()), Client::builder().build()))
    }

    pub(crate) fn of(settings: Settings) -> Self {
        Self { name: Cow::Borrowed("datadog"), level: None, settings }
    }

    /// Sets the sink's name. The default is `datadog`. The names of sinks created from this one
    /// begin with it.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the least severe level that the sink accepts. The default is the builder's level.
    ///
    /// This setter hides [`Sink::level`], which returns the level.
    pub fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Sets the Datadog site, such as `datadoghq.eu`. The default is `datadoghq.com`.
    ///
    /// A name that is not a site parks the sink with an error, unless [`logs_url`](Self::logs_url),
    /// [`api_url`](Self::api_url) or [`agent`](Self::agent) sets another host for its requests.
    pub fn site(mut self, site: impl AsRef<str>) -> Self {
        self.settings.site = site.as_ref().parse::<Site>();
        self
    }

    /// Sets the URL for logs, such as a proxy's, which replaces the site's host.
    ///
    /// A malformed URL parks the sink with an error.
    pub fn logs_url(mut self, url: impl AsRef<str>) -> Self {
        self.settings.logs_url = parsed(url.as_ref());
        self
    }

    /// Sets the URL for everything but logs, which replaces the site's host `api.…`.
    pub fn api_url(mut self, url: impl AsRef<str>) -> Self {
        self.settings.api_url = parsed(url.as_ref());
        self
    }

    /// Sets the Datadog Agent through which spans of LLM Observability and evaluations go, such as
    /// `http://localhost:8126` or `unix:///var/run/datadog/apm.socket` (Unix only).
    ///
    /// Logs and metrics still go to the site.
    pub fn agent(mut self, url: impl AsRef<str>) -> Self {
        self.settings.agent = parsed(url.as_ref());
        self
    }

    /// Sets the longest time that a request may take until its answer is read, from 1 millisecond
    /// to 1 hour. The default is 30 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.client = Client::builder().timeout(timeout).build();
        self
    }

    /// Sets the service of records whose process has none.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.settings.service = Some(name.into());
        self
    }

    /// Sets the environment, such as `production`, of records whose process has none.
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.settings.environment = Some(name.into());
        self
    }

    /// Sets the service's version of records whose process has none.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.settings.version = Some(version.into());
        self
    }

    /// Sets the host name. The default is the one in the records, which in a container is the
    /// container's.
    pub fn hostname(mut self, name: impl Into<String>) -> Self {
        self.settings.hostname = Some(name.into());
        self
    }

    /// Adds a tag, such as `team:search`, to everything that is sent.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.settings.tags.push(tag.into());
        self
    }

    /// Creates a sink with the same settings that sends counts and durations of stages, per minute.
    ///
    /// The metrics are `ragtrace.stage.runs`, `.items` and `.cost`, and
    /// `ragtrace.stage.duration.p50`, `.p95`, `.p99` and `.max`. The sink's name is this one's with
    /// `-metrics`.
    pub fn metrics(&self) -> DatadogMetricsSink {
        DatadogMetricsSink { name: self.name_with("-metrics"), settings: self.settings.clone() }
    }

    /// Creates a sink with the same settings that sends runs of stages to LLM Observability, as the
    /// application `ml_app`. The sink's name is this one's with `-llmobs`.
    ///
    /// An application's name has at most 193 characters: lower-case letters, digits and `_ - : .
    /// /`. A name with others, or a site without the product, parks the sink with an error.
    pub fn llm_observability(&self, ml_app: impl AsRef<str>) -> DatadogLlmObsSink {
        DatadogLlmObsSink {
            name: self.name_with("-llmobs"),
            evaluations_name: self.name_with("-evaluations"),
            settings: self.settings.clone(),
            ml_app: ml_app.as_ref().parse(),
        }
    }

    /// Returns the counts of what was cut or left out because of Datadog's limits. Sinks created
    /// from this one share the counts.
    pub fn counts(&self) -> DatadogCounts {
        self.settings.counts.clone()
    }

    fn name_with(&self, ending: &str) -> Cow<'static, str> {
        Cow::Owned(format!("{}{ending}", self.name))
    }
}

impl Sink for DatadogSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn limits(&self) -> BatchLimits {
        logs::limits()
    }

    fn level(&self) -> Option<Level> {
        self.level
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        let logs::Payload { body, expired, losses } = logs::encode(batch.records(), &self.settings, Timestamp::now())?;
        if let Some(body) = body {
            self.settings.post(&self.settings.logs()?, &body).await?;
        }
        self.settings.counts.add(losses);
        Ok(Delivered::unsent(expired))
    }

    async fn check(&self) -> Result<String, SinkError> {
        let target = self.settings.logs()?.endpoint;
        Ok(format!("{}, and logs go to {target}", self.settings.validate().await?))
    }
}

fn parsed(url: &str) -> Result<Option<Endpoint>, String> {
    url.parse::<Endpoint>().map(Some).map_err(|why| format!("a URL for Datadog: {why}"))
}
