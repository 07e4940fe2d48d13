//! The sink of logs, of which the others are made.

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

/// Sends records to Datadog as logs: one entry a record, which its ids join to the trace that the
/// Datadog Agent or another sink has of it.
///
/// Metrics, spans of LLM Observability and evaluations are sinks of their own, which are made of
/// this one and have its settings. Each has its own batches, retries and spool.
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
/// Traces of Datadog's APM go to the Agent by OTLP: there is a sink for that, and the ids are the
/// same.
///
/// Datadog's limits on a log cost some of it; see [`DatadogCounts`]. Entries that are more than 18
/// hours old, or two ahead, become dead letters.
#[derive(Clone, Debug)]
pub struct DatadogSink {
    name: Cow<'static, str>,
    level: Option<Level>,
    settings: Settings,
}

impl DatadogSink {
    /// Makes a sink for the site `datadoghq.com`, with an API key: a text, or a [`Key`] in a file
    /// or of a function, which is read again before each request. Nothing is connected before the
    /// first batch.
    pub fn new(api_key: impl Into<Key>) -> Self {
        Self::of(Settings::new(Some(api_key.into()), Client::builder().build()))
    }

    pub(crate) fn of(settings: Settings) -> Self {
        Self { name: Cow::Borrowed("datadog"), level: None, settings }
    }

    /// Sets the sink's name, with which those of the sinks made of it begin; `datadog` unless set.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the least severe level that it takes; the builder's unless set. This setter hides
    /// [`Sink::level`], which returns it.
    pub fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Sets the site, such as `datadoghq.eu`; `datadoghq.com` unless set. A name that is no site's
    /// parks a sink that has no host from [`logs_url`](Self::logs_url), [`api_url`](Self::api_url)
    /// or [`agent`](Self::agent), which says so.
    pub fn site(mut self, site: impl AsRef<str>) -> Self {
        self.settings.site = site.as_ref().parse::<Site>();
        self
    }

    /// Sets where logs go in the place of the site's host, such as a proxy. A text that is no URL
    /// parks the sink, which says so.
    pub fn logs_url(mut self, url: impl AsRef<str>) -> Self {
        self.settings.logs_url = parsed(url.as_ref());
        self
    }

    /// Sets where everything else goes in the place of the site's host `api.…`.
    pub fn api_url(mut self, url: impl AsRef<str>) -> Self {
        self.settings.api_url = parsed(url.as_ref());
        self
    }

    /// Sets the Datadog Agent, such as `http://localhost:8126` or
    /// `unix:///var/run/datadog/apm.socket` (on Unix), through which spans of LLM Observability and
    /// evaluations go. Logs and metrics go to the site.
    pub fn agent(mut self, url: impl AsRef<str>) -> Self {
        self.settings.agent = parsed(url.as_ref());
        self
    }

    /// Sets how long a request may take until its answer is read; 30 seconds unless set.
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

    /// Sets the host's name in the place of what the records say, which in a container is the
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

    /// Makes a sink of this one's settings that sends counts and durations of stages, by the
    /// minute: `ragtrace.stage.runs`, `.items` and `.cost`, and `ragtrace.stage.duration.p50`,
    /// `.p95`, `.p99` and `.max`. Its name is this one's with `-metrics`.
    pub fn metrics(&self) -> DatadogMetricsSink {
        DatadogMetricsSink { name: self.name_with("-metrics"), settings: self.settings.clone() }
    }

    /// Makes a sink of this one's settings that sends runs of stages to LLM Observability, as an
    /// application of this name. Its own name is this one's with `-llmobs`.
    ///
    /// An application's name has lower-case letters, digits and `_ - : . /`, 193 characters at
    /// most; another one parks the sink, which says so, and so does a site without the product.
    pub fn llm_observability(&self, ml_app: impl AsRef<str>) -> DatadogLlmObsSink {
        DatadogLlmObsSink {
            name: self.name_with("-llmobs"),
            evaluations_name: self.name_with("-evaluations"),
            settings: self.settings.clone(),
            ml_app: ml_app.as_ref().parse(),
        }
    }

    /// Returns the counts of what Datadog's limits cost, which the sinks made of this one share.
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
