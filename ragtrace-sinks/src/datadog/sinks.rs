//! The sinks: each encodes a batch into one request, sends it, and judges the answer.

use std::borrow::Cow;
use std::time::Duration;

use ragtrace::sink::{Batch, BatchLimits, Delivered, Needs, SinkError};
use ragtrace::{Level, Sink, Timestamp};

use super::counts::DatadogCounts;
use super::llm_obs::{Intake, MlApp};
use super::settings::{Settings, Target};
use super::site::Site;
use super::{evaluations, llm_obs, logs, metrics};
use crate::http::{Client, Endpoint, Key};

/// What two sinks must not both fill: the one for OTLP has a profile that does, too.
const LLM_OBSERVABILITY: &str = "Datadog LLM Observability";

/// Sends records to Datadog as logs: one entry a record, which its ids join to the trace that the
/// Datadog Agent or another sink has of it.
///
/// Metrics, spans of LLM Observability and evaluations are sinks of their own, which are made of this
/// one and have its settings. Each has its own batches, retries and spool.
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
/// Traces of Datadog's APM go to the Agent by OTLP: there is a sink for that, and the ids are the same.
///
/// What Datadog takes of a log has limits; see [`DatadogCounts`]. Entries that are more than 18 hours
/// old, or two ahead, become dead letters.
#[derive(Clone, Debug)]
pub struct DatadogSink {
    name: Cow<'static, str>,
    level: Option<Level>,
    settings: Settings,
}

/// Sends counts and durations of stages to Datadog, by the minute: see [`DatadogSink::metrics`].
#[derive(Clone, Debug)]
pub struct DatadogMetricsSink {
    name: Cow<'static, str>,
    settings: Settings,
}

/// Sends runs of stages to Datadog's LLM Observability: see [`DatadogSink::llm_observability`].
#[derive(Clone, Debug)]
pub struct DatadogLlmObsSink {
    name: Cow<'static, str>,
    evaluations_name: Cow<'static, str>,
    settings: Settings,
    ml_app: Result<MlApp, String>,
}

/// Sends scores to Datadog's LLM Observability: see [`DatadogLlmObsSink::evaluations`].
#[derive(Clone, Debug)]
pub struct DatadogEvaluationsSink {
    name: Cow<'static, str>,
    settings: Settings,
    ml_app: Result<MlApp, String>,
}

impl DatadogSink {
    /// Makes a sink for the site `datadoghq.com`, with an API key: a text, or a [`Key`] in a file or of a
    /// function, which is read again before each request. Nothing is connected before the first batch.
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

    /// Sets the site, such as `datadoghq.eu`; `datadoghq.com` unless set. A name that is no site's parks
    /// the sink, which says so.
    pub fn site(mut self, site: impl AsRef<str>) -> Self {
        self.settings.site = site.as_ref().parse::<Site>();
        self
    }

    /// Sets where logs go in the place of the site's host, such as a proxy. A text that is no URL parks
    /// the sink, which says so.
    pub fn logs_url(mut self, url: impl AsRef<str>) -> Self {
        self.settings.logs_url = parsed(url.as_ref());
        self
    }

    /// Sets where everything else goes in the place of the site's host `api.…`.
    pub fn api_url(mut self, url: impl AsRef<str>) -> Self {
        self.settings.api_url = parsed(url.as_ref());
        self
    }

    /// Sets the Datadog Agent, such as `http://localhost:8126` or `unix:///var/run/datadog/apm.socket`,
    /// through which spans of LLM Observability and evaluations go. Logs and metrics go to the site.
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

    /// Makes a sink of this one's settings that sends counts and durations of stages, by the minute:
    /// `ragtrace.stage.runs`, `.items` and `.cost`, and `ragtrace.stage.duration.p50`, `.p95`, `.p99`
    /// and `.max`. Its name is this one's with `-metrics`.
    pub fn metrics(&self) -> DatadogMetricsSink {
        DatadogMetricsSink { name: self.name_with("-metrics"), settings: self.settings.clone() }
    }

    /// Makes a sink of this one's settings that sends runs of stages to LLM Observability, as an
    /// application of this name. Its own name is this one's with `-llmobs`.
    ///
    /// An application's name has lower-case letters, digits and `_ - : . /`, 193 characters at most;
    /// another one parks the sink, which says so, and so does a site without the product.
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
        let logs::Payload { body, expired } = logs::encode(batch.records(), &self.settings, Timestamp::now())?;
        if let Some(body) = body {
            self.settings.post(&self.settings.logs()?, &body).await?;
        }
        Ok(Delivered::unsent(expired))
    }

    async fn check(&self) -> Result<String, SinkError> {
        let target = self.settings.logs()?.endpoint;
        Ok(format!("{}, and logs go to {target}", self.settings.validate().await?))
    }
}

impl DatadogMetricsSink {
    /// Sets the sink's name.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Returns the counts of what Datadog's limits cost.
    pub fn counts(&self) -> DatadogCounts {
        self.settings.counts.clone()
    }

    fn target(&self) -> Result<Target<'_>, SinkError> {
        self.settings.api("/api/v2/series")
    }
}

impl Sink for DatadogMetricsSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn needs(&self) -> Needs {
        Needs::default().with_only_counts()
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        if let Some(body) = metrics::encode(batch, &self.settings, Timestamp::now())? {
            self.settings.post(&self.target()?, &body).await?;
        }
        Ok(Delivered::all())
    }

    async fn check(&self) -> Result<String, SinkError> {
        let target = self.target()?.endpoint;
        Ok(format!("{}, and metrics go to {target}", self.settings.validate().await?))
    }
}

impl DatadogLlmObsSink {
    /// Sets the sink's name.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Makes a sink of this one's settings that sends scores of spans as evaluations.
    pub fn evaluations(&self) -> DatadogEvaluationsSink {
        DatadogEvaluationsSink {
            name: self.evaluations_name.clone(),
            settings: self.settings.clone(),
            ml_app: self.ml_app.clone(),
        }
    }

    /// Returns the counts of what Datadog's limits cost.
    pub fn counts(&self) -> DatadogCounts {
        self.settings.counts.clone()
    }

    fn target(&self) -> Result<(Intake, Target<'_>), SinkError> {
        if let Some(agent) = self.settings.through_agent(Intake::AGENT_SUBDOMAIN, Intake::AGENT_PATH)? {
            return Ok((Intake::Agent, agent));
        }
        has_product(&self.settings)?;
        Ok((Intake::Documented, self.settings.api(Intake::DOCUMENTED_PATH)?))
    }
}

impl Sink for DatadogLlmObsSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn limits(&self) -> BatchLimits {
        llm_obs::limits()
    }

    fn needs(&self) -> Needs {
        Needs::default().with_only_end_records().with_alone_in(LLM_OBSERVABILITY)
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        let (intake, target) = self.target()?;
        let ml_app = usable(&self.ml_app)?;
        let encoded = llm_obs::encode(batch.records(), &self.settings, ml_app, intake, Timestamp::now())?;
        if let Some(body) = encoded.body {
            self.settings.post(&target, &body).await?;
        }
        Ok(Delivered::unsent(encoded.expired))
    }

    async fn check(&self) -> Result<String, SinkError> {
        let ml_app = usable(&self.ml_app)?;
        let (_, target) = self.target()?;
        let works = checked(&self.settings).await?;
        Ok(format!("{works}, and spans of {ml_app} go to {}", target.endpoint))
    }
}

impl DatadogEvaluationsSink {
    /// Sets the sink's name.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    fn target(&self) -> Result<Target<'_>, SinkError> {
        if let Some(agent) = self.settings.through_agent(evaluations::AGENT_SUBDOMAIN, evaluations::PATH)? {
            return Ok(agent);
        }
        has_product(&self.settings)?;
        self.settings.api(evaluations::PATH)
    }
}

impl Sink for DatadogEvaluationsSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn limits(&self) -> BatchLimits {
        evaluations::limits()
    }

    fn needs(&self) -> Needs {
        Needs::default().with_only_scores()
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        let target = self.target()?;
        let encoded = evaluations::encode(batch.records(), &self.settings, usable(&self.ml_app)?)?;
        if let Some(body) = encoded.body {
            self.settings.post(&target, &body).await?;
        }
        Ok(Delivered::unsent(encoded.unsent))
    }

    async fn check(&self) -> Result<String, SinkError> {
        let target = self.target()?;
        let works = checked(&self.settings).await?;
        Ok(format!("{works}, and evaluations go to {}", target.endpoint))
    }
}

/// Asks the Agent if things go through one, and else Datadog.
async fn checked(settings: &Settings) -> Result<String, SinkError> {
    match settings.check_agent().await? {
        Some(works) => Ok(works),
        None => settings.validate().await,
    }
}

/// Reports a site that has no LLM Observability. Another host, where one is set, is whoever's.
fn has_product(settings: &Settings) -> Result<(), SinkError> {
    let is_of_site = matches!(settings.api_url, Ok(None));
    let site = settings.usable_site()?;
    if is_of_site && !site.has_llm_observability() {
        return Err(SinkError::park(format!("{site} has no LLM Observability: leave this sink out")));
    }
    Ok(())
}

fn usable(ml_app: &Result<MlApp, String>) -> Result<&MlApp, SinkError> {
    ml_app.as_ref().map_err(|why| SinkError::park(why.clone()))
}

fn parsed(url: &str) -> Result<Option<Endpoint>, String> {
    url.parse::<Endpoint>().map(Some).map_err(|why| format!("a URL for Datadog: {why}"))
}
