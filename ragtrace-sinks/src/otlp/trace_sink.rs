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

/// A sink that sends spans over OTLP/HTTP to an OpenTelemetry Collector, Datadog's Agent, Phoenix,
/// Langfuse, LangSmith or MLflow.
///
/// The end record of each run becomes a span, whatever its level; other records do not. If the
/// backend accepts log records, [`logs`](Self::logs) creates the sink for them.
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
    /// Creates a sink that sends to `url`, to which `/v1/traces` is appended unless it already ends
    /// with that.
    ///
    /// A malformed URL parks the sink with an error. Nothing is connected before the first batch.
    pub fn new(url: &str) -> Self {
        let mut settings = Settings::new(OtlpProfile::default());
        settings.target = Target::base(url).map_err(|error| error.to_string());
        Self::with_settings(settings)
    }

    pub(crate) fn with_settings(settings: Settings) -> Self {
        Self { name: Cow::Borrowed("otlp"), level: None, settings, exporter: OnceLock::new() }
    }

    /// Sets the backend, which determines the names of attributes. The default is
    /// [`OtlpProfile::Collector`].
    pub fn profile(mut self, profile: OtlpProfile) -> Self {
        self.settings.profile = profile;
        self
    }

    /// Sets a header of every request, and replaces an earlier one with the same name.
    ///
    /// The value is never shown, since it may be a credential.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into();
        let value = Key::text(value).named(&format!("the header `{name}`"));
        self.settings.headers.retain(|other| !other.name.eq_ignore_ascii_case(&name));
        self.settings.headers.push(Header { name, value });
        self
    }

    /// Sets the backend's API key, which goes into the header that the backend requires.
    ///
    /// For a Collector, Phoenix and MLflow it is the token of `Authorization: Bearer`; for Langfuse
    /// the base64 encoding of the public key, a colon and the secret key; for LangSmith and Datadog
    /// the API key. It is never shown.
    pub fn api_key(self, key: impl Into<String>) -> Self {
        self.key(Key::text(key).named("the API key"))
    }

    /// Sets the API key from a [`Key`] in a file or a function, which is read again before each
    /// request, so that it can be rotated.
    pub fn key(mut self, value: Key) -> Self {
        self.settings.key = Some(ApiKey { prefix: None, value });
        self
    }

    /// Sets the part of the backend that spans go to: the project in Phoenix and LangSmith, the
    /// experiment's id in MLflow, the application (`ml_app`) in Datadog.
    ///
    /// Other backends ignore it. It is sent in a header, so it has to be one line of ASCII. In
    /// Datadog it has 1 to 193 letters, digits and `_-:./`, and is sent in lower case. Anything
    /// else parks the sink with an error.
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.settings.project = Some(project.into().trim().to_owned());
        self
    }

    /// Adds a tag to every trace, if the backend has tags: Phoenix, Langfuse, LangSmith and MLflow.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.settings.tags.push(tag.into());
        self
    }

    /// Adds an attribute to the resource, such as `service.namespace`.
    ///
    /// It does not replace what the records contain: service, version, environment and host.
    pub fn resource(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.resource.set.push((key.into(), value.into()));
        self
    }

    /// Sets the longest time that a request may take until its answer is read, from 1 millisecond
    /// to 1 hour. The default is 10 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// Turns off the compression of requests. The default is gzip.
    pub fn uncompressed(mut self) -> Self {
        self.settings.compression = Compression::none();
        self
    }

    /// Sets a PEM file of CA certificates, which are trusted in place of the system's.
    pub fn certificate(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.tls.certificate = Some(("the certificate for OTLP".to_owned(), path.into()));
        self
    }

    /// Sets the PEM files of the client's certificate and key, for a backend that requires them
    /// (mutual TLS).
    pub fn client_certificate(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        let named = |name: &str, path| (name.to_owned(), path);
        self.settings.tls.client = Some([
            named("the client's certificate for OTLP", certificate.into()),
            named("the client's key for OTLP", key.into()),
        ]);
        self
    }

    /// Sets the sink's name. The default is `otlp`. The name of the sink from [`logs`](Self::logs)
    /// is this one with `-logs`.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the least severe level of the log records of [`logs`](Self::logs). The default is the
    /// builder's level.
    ///
    /// Spans are sent for stages of every level.
    pub fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Creates a sink of log records with the same settings, or returns `None` if the backend does
    /// not accept them over OTLP.
    pub fn logs(&self) -> Option<OtlpLogSink> {
        self.settings.profile.takes_logs().then(|| {
            let name = Cow::Owned(format!("{}-logs", self.name));
            OtlpLogSink::with_settings(name, self.level, self.settings.clone())
        })
    }

    /// Returns the exporter. It is created on first use, since setters may be called in any order.
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
