//! Builds the sinks for OTLP. Ragtrace's own variables take precedence over OpenTelemetry's, and
//! those over the backend's.

mod headers;
mod target_source;
mod vendor;

use std::borrow::Cow;
use std::path::PathBuf;

use ragtrace::sink::BoxSink;

use headers::headers;
use target_source::TargetSource;

use super::error::ConfigError;
use super::variables::Variables;
use crate::otlp::{OtlpLogSink, OtlpProfile, OtlpSink, Settings, Signal, Target, compression, parse_pairs};
use crate::quote::quoted;

const PROFILE: &str = "RAGTRACE_OTLP_PROFILE";
const ENDPOINT: &str = "RAGTRACE_OTLP_ENDPOINT";

/// Builds the sink of spans, and the sink of log records if the backend accepts them.
pub(super) fn otlp(variables: &Variables<'_>) -> Result<Vec<BoxSink>, ConfigError> {
    let profile: OtlpProfile = variables
        .parse(PROFILE, |text| text.parse().map_err(|error: crate::UnknownProfile| error.to_string()))?
        .unwrap_or_default();
    let mut sinks = vec![BoxSink::new(OtlpSink::with_settings(settings(variables, profile, Signal::Traces)?))];
    if profile.takes_logs() && wants_logs(variables)? {
        let settings = settings(variables, profile, Signal::Logs)?;
        sinks.push(BoxSink::new(OtlpLogSink::with_settings(Cow::Borrowed("otlp-logs"), None, settings)));
    }
    Ok(sinks)
}

fn wants_logs(variables: &Variables<'_>) -> Result<bool, ConfigError> {
    let exporter = variables.text("OTEL_LOGS_EXPORTER")?;
    let is_none = exporter.is_some_and(|name| name.trim().eq_ignore_ascii_case("none"));
    Ok(variables.flag("RAGTRACE_OTLP_LOGS")?.unwrap_or(!is_none))
}

/// Returns the settings of one signal.
fn settings(variables: &Variables<'_>, profile: OtlpProfile, signal: Signal) -> Result<Settings, ConfigError> {
    let ours = variables.parse(ENDPOINT, base)?;
    let exporter = Exporter { variables, signal, has_own: ours.is_some() };
    exporter.check_protocol()?;
    let mut settings = Settings::new(profile);
    settings.headers =
        exporter.first("HEADERS", |name| variables.parse(name, |text| headers(name, text)))?.unwrap_or_default();
    let theirs = exporter.target()?;
    let source = match (&ours, &theirs) {
        (Some(_), _) => TargetSource::Ours,
        (None, Some(_)) => TargetSource::OpenTelemetry,
        (None, None) => TargetSource::Backend,
    };
    if let Some(target) = ours.or(theirs) {
        settings.target = Ok(target);
    }
    if let Some(timeout) = exporter.first("TIMEOUT", |name| variables.duration_ms(name))? {
        settings.timeout = timeout;
    }
    let read = |text: &str| {
        let name = text.to_ascii_lowercase();
        compression(&name).ok_or_else(|| format!("expected `gzip` or `none`, found {}", quoted(text)))
    };
    if let Some(compression) = exporter.first("COMPRESSION", |name| variables.parse(name, read))? {
        settings.compression = compression;
    }
    exporter.read_tls(&mut settings)?;
    read_resource(variables, &mut settings)?;
    vendor::read(variables, &mut settings, source)?;
    let client = settings.client_builder().variables(variables.lookup()).build();
    if let Some(fault) = client.fault() {
        return Err(ConfigError::malformed(fault));
    }
    settings.client = Some(client);
    Ok(settings)
}

/// Reads resource attributes that the records do not contain.
fn read_resource(variables: &Variables<'_>, settings: &mut Settings) -> Result<(), ConfigError> {
    let pairs = variables.parse("OTEL_RESOURCE_ATTRIBUTES", parse_pairs)?.unwrap_or_default();
    let attribute = pairs.iter().rev().find(|(key, _)| key == "service.name").map(|(_, value)| value.clone());
    let mut service = None;
    for name in ["RAGTRACE_SERVICE", "DD_SERVICE", "OTEL_SERVICE_NAME"] {
        service = service.or(variables.text(name)?);
    }
    settings.resource.service = service.or(attribute);
    settings.resource.set = pairs;
    Ok(())
}

/// Parses a URL to which the signals' paths are appended.
fn base(text: &str) -> Result<Target, String> {
    text.parse().map(Target::Base).map_err(|error: crate::http::EndpointError| error.to_string())
}

/// The variables of one signal's exporter ("OpenTelemetry Protocol Exporter", "Configuration
/// Options"), and ragtrace's own, which take precedence.
struct Exporter<'a> {
    variables: &'a Variables<'a>,
    signal: Signal,
    /// `true` if ragtrace's own URL is set. OpenTelemetry's variables then belong to another
    /// backend, including its credentials.
    has_own: bool,
}

impl Exporter<'_> {
    /// Returns the names of an option's applicable variables, in order of precedence.
    fn names(&self, option: &str) -> impl Iterator<Item = String> {
        let theirs = self.names_of_opentelemetry(option).into_iter().filter(|_| !self.has_own);
        std::iter::once(format!("RAGTRACE_OTLP_{option}")).chain(theirs)
    }

    /// Returns OpenTelemetry's names of an option. The signal's own variable takes precedence over
    /// the one for all signals.
    fn names_of_opentelemetry(&self, option: &str) -> [String; 2] {
        let signal = match self.signal {
            Signal::Traces => "TRACES",
            Signal::Logs => "LOGS",
        };
        [format!("OTEL_EXPORTER_OTLP_{signal}_{option}"), format!("OTEL_EXPORTER_OTLP_{option}")]
    }

    /// Returns the parsed value of an option's first variable that is set.
    fn first<T>(
        &self,
        option: &str,
        read: impl Fn(&str) -> Result<Option<T>, ConfigError>,
    ) -> Result<Option<T>, ConfigError> {
        self.names(option).find_map(|name| read(&name).transpose()).transpose()
    }

    fn check_protocol(&self) -> Result<(), ConfigError> {
        if self.has_own {
            return Ok(());
        }
        let read = |text: &str| match text.to_ascii_lowercase().as_str() {
            "http/protobuf" => Ok(()),
            "grpc" => Err("`grpc` is not spoken here: set `http/protobuf`, for which collectors listen at port 4318 \
                           and not at 4317"
                .to_owned()),
            "http/json" => Err("`http/json` is not supported: set `http/protobuf`".to_owned()),
            _ => Err(format!("expected `http/protobuf`, found {}", quoted(text))),
        };
        let [own, common] = self.names_of_opentelemetry("PROTOCOL");
        match self.variables.parse(&own, read)? {
            Some(()) => Ok(()),
            None => self.variables.parse(&common, read).map(|_| ()),
        }
    }

    /// Returns the target that OpenTelemetry's variables name.
    fn target(&self) -> Result<Option<Target>, ConfigError> {
        if self.has_own {
            return Ok(None);
        }
        let [own, common] = self.names_of_opentelemetry("ENDPOINT");
        match self.variables.url(&own)? {
            Some(endpoint) => Ok(Some(Target::Whole(endpoint))),
            None => self.variables.parse(&common, base),
        }
    }

    fn read_tls(&self, settings: &mut Settings) -> Result<(), ConfigError> {
        let file = |option: &str| {
            let path = |name: String| self.variables.path(&name).map(|path| (name, PathBuf::from(path)));
            self.names(option).find_map(path)
        };
        settings.tls.certificate = file("CERTIFICATE");
        settings.tls.client = match (file("CLIENT_CERTIFICATE"), file("CLIENT_KEY")) {
            (Some(certificate), Some(key)) => Some([certificate, key]),
            (None, None) => None,
            (Some((name, _)), None) => return Err(half(&name, "CLIENT_CERTIFICATE", "CLIENT_KEY")),
            (None, Some((name, _))) => return Err(half(&name, "CLIENT_KEY", "CLIENT_CERTIFICATE")),
        };
        Ok(())
    }
}

fn half(name: &str, option: &str, other: &str) -> ConfigError {
    let other = name.replace(option, other);
    ConfigError::malformed(format!("{name} is set and {other} is not: set both, or neither"))
}
