//! The sink of spans.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use ragtrace::Level;
use ragtrace::sink::{Batch, BatchLimits, Delivered, Needs, Sink, SinkError};

use super::exporter::Exporter;
use super::log_sink::OtlpLogSink;
use super::profile::OtlpProfile;
use super::settings::{ApiKey, Header, Settings, Signal, Target};
use super::traces::TraceEncoding;
use crate::http::{Compression, Key};

/// Sends spans to whatever takes OTLP over HTTP: an OpenTelemetry Collector, Datadog's Agent,
/// Phoenix, Langfuse, LangSmith, MLflow.
///
/// A span is made of each end record, whatever its level, and of no other record. Where the backend
/// takes log records, [`logs`](Self::logs) makes the sink of them.
///
/// ```
/// use ragtrace::sink::BoxSink;
/// use ragtrace_sinks::{OtlpProfile, OtlpSink};
///
/// let phoenix = OtlpSink::new("http://localhost:6006").profile(OtlpProfile::Phoenix).project("rag");
/// let collector = OtlpSink::new("https://collector:4318").header("x-tenant", "search");
/// let logs = collector.logs().map(BoxSink::new);
/// let builder = ragtrace::builder().sinks(logs).sink(collector).sink(phoenix.named("phoenix"));
/// # drop(builder);
/// ```
#[derive(Debug)]
pub struct OtlpSink {
    name: Cow<'static, str>,
    level: Option<Level>,
    settings: Settings,
    exporter: OnceLock<Exporter>,
}

impl OtlpSink {
    /// Makes a sink that sends to a URL, to which `/v1/traces` is added unless it ends so. A
    /// malformed URL parks the sink with an error that says so.
    pub fn new(url: &str) -> Self {
        let mut settings = Settings::new(OtlpProfile::default());
        settings.target = Target::base(url).map_err(|error| error.to_string());
        Self::with_settings(settings)
    }

    pub(crate) fn with_settings(settings: Settings) -> Self {
        Self { name: Cow::Borrowed("otlp"), level: None, settings, exporter: OnceLock::new() }
    }

    /// Sets the backend, by which attributes have their names; [`OtlpProfile::Collector`] unless
    /// set.
    pub fn profile(mut self, profile: OtlpProfile) -> Self {
        self.settings.profile = profile;
        self
    }

    /// Sets a header of each request. Its value is shown nowhere, since it may be a credential. One
    /// of the same name that was set before is replaced.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into();
        let value = Key::text(value).named(&format!("the header `{name}`"));
        self.settings.headers.retain(|other| !other.name.eq_ignore_ascii_case(&name));
        self.settings.headers.push(Header { name, value });
        self
    }

    /// Sets the key, in the header in which the backend wants it: for a Collector, Phoenix and
    /// MLflow the token of `Authorization: Bearer`, for Langfuse the public and the secret key with
    /// a colon between them in base64, for LangSmith and Datadog the API key. It is shown nowhere.
    pub fn api_key(self, key: impl Into<String>) -> Self {
        self.key(Key::text(key).named("the API key"))
    }

    /// Sets the key from a file or a function, which is read again for each request, so that a key
    /// may be exchanged.
    pub fn key(mut self, value: Key) -> Self {
        self.settings.key = Some(ApiKey { prefix: None, value });
        self
    }

    /// Sets where in the backend spans go: Phoenix's and LangSmith's project, MLflow's experiment
    /// (its id), Datadog's application (`ml_app`: 1 to 193 letters, digits and signs of `_-:./`,
    /// which are sent in lower case). Others have no use for it. It goes into a header, so it is
    /// one line of ASCII. Any other parks the sink with an error that says so.
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.settings.project = Some(project.into().trim().to_owned());
        self
    }

    /// Adds a tag for each trace, where the backend has tags: Phoenix, Langfuse, LangSmith, MLflow.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.settings.tags.push(tag.into());
        self
    }

    /// Adds an attribute of the resource, such as `service.namespace`. What records say themselves
    /// (service, version, environment, host) stays.
    pub fn resource(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.resource.set.push((key.into(), value.into()));
        self
    }

    /// Sets how long a request may take; 10 seconds unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// Sends requests as they are, without compression. They are compressed to gzip unless set.
    pub fn uncompressed(mut self) -> Self {
        self.settings.compression = Compression::none();
        self
    }

    /// Sets a file of certificates, in PEM, whose issuers alone are trusted.
    pub fn certificate(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.tls.certificate = Some(("the certificate for OTLP".to_owned(), path.into()));
        self
    }

    /// Sets the files, in PEM, of the certificate and the key by which the backend knows this
    /// client.
    pub fn client_certificate(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        let named = |name: &str, path| (name.to_owned(), path);
        self.settings.tls.client = Some([
            named("the client's certificate for OTLP", certificate.into()),
            named("the client's key for OTLP", key.into()),
        ]);
        self
    }

    /// Sets the sink's name; `otlp` unless set. That of [`logs`](Self::logs) ends in `-logs`
    /// besides.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the least severe level of the log records of [`logs`](Self::logs); the builder's unless
    /// set. Spans are made of stages of every level.
    pub fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Makes the sink of log records with the same settings; `None` if the backend takes none over
    /// OTLP.
    pub fn logs(&self) -> Option<OtlpLogSink> {
        self.settings.profile.takes_logs().then(|| {
            let name = Cow::Owned(format!("{}-logs", self.name));
            OtlpLogSink::with_settings(name, self.level, self.settings.clone())
        })
    }

    /// Returns the exporter, which is made when it is first used, since a setter may come after
    /// others.
    fn exporter(&self) -> &Exporter {
        self.exporter.get_or_init(|| Exporter::new(self.settings.clone(), Signal::Traces))
    }
}

impl Sink for OtlpSink {
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
        let needs = Needs::default().with_only_end_records();
        match self.settings.profile.table().fills {
            Some(place) => needs.with_alone_in(place),
            None => needs,
        }
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        let exporter = self.exporter();
        let tags: Vec<&str> = exporter.settings.tags.iter().map(String::as_str).collect();
        let encoding = TraceEncoding {
            profile: exporter.settings.profile.table(),
            resource: &exporter.settings.resource,
            tags: &tags,
        };
        let records = batch.records();
        exporter.export(|writer| encoding.write(records, writer)).await
    }

    async fn check(&self) -> Result<String, SinkError> {
        self.exporter().check().await
    }
}
