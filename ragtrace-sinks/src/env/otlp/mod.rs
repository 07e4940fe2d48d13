//! The settings of OTLP: OpenTelemetry's, ours before them, and those of the backends behind them.

mod headers;
mod vendor;

use std::borrow::Cow;
use std::path::PathBuf;

use ragtrace::sink::BoxSink;

use headers::headers;

use super::error::ConfigError;
use super::variables::Variables;
use crate::otlp::{Header, OtlpLogSink, OtlpProfile, OtlpSink, Settings, Signal, Target, compression, parse_pairs};
use crate::quote::quoted;

const PROFILE: &str = "RAGTRACE_OTLP_PROFILE";

/// Builds the sink of spans and, where the backend takes log records, that of those.
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
    let exporter = Exporter { variables, signal };
    exporter.check_protocol()?;
    let mut settings = Settings::new(profile);
    settings.headers = exporter.headers()?;
    if let Some(target) = exporter.target()? {
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
    vendor::read(variables, &mut settings)?;
    let client = settings.client_builder().variables(variables.lookup()).build();
    if let Some(fault) = client.fault() {
        return Err(ConfigError::malformed(fault));
    }
    settings.client = Some(client);
    Ok(settings)
}

/// Reads what resources get besides what records say.
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

/// The variables of one signal's exporter ("OpenTelemetry Protocol Exporter", "Configuration Options").
struct Exporter<'a> {
    variables: &'a Variables<'a>,
    signal: Signal,
}

impl Exporter<'_> {
    /// Returns the names of an option's variables: the signal's own goes before the one of all signals.
    fn names(&self, option: &str) -> [String; 2] {
        let signal = match self.signal {
            Signal::Traces => "TRACES",
            Signal::Logs => "LOGS",
        };
        [format!("OTEL_EXPORTER_OTLP_{signal}_{option}"), format!("OTEL_EXPORTER_OTLP_{option}")]
    }

    /// Returns what the first of an option's variables says that is set.
    fn first<T>(
        &self,
        option: &str,
        read: impl Fn(&str) -> Result<Option<T>, ConfigError>,
    ) -> Result<Option<T>, ConfigError> {
        let [own, common] = self.names(option);
        match read(&own)? {
            Some(value) => Ok(Some(value)),
            None => read(&common),
        }
    }

    fn check_protocol(&self) -> Result<(), ConfigError> {
        let read = |text: &str| match text.to_ascii_lowercase().as_str() {
            "http/protobuf" => Ok(()),
            "grpc" => Err("`grpc` is not spoken here: set `http/protobuf`, for which collectors listen at port 4318 \
                           and not at 4317"
                .to_owned()),
            "http/json" => Err("`http/json` is not spoken here: set `http/protobuf`".to_owned()),
            _ => Err(format!("expected `http/protobuf`, found {}", quoted(text))),
        };
        self.first("PROTOCOL", |name| self.variables.parse(name, read)).map(|_| ())
    }

    fn target(&self) -> Result<Option<Target>, ConfigError> {
        let base = |name: &str| {
            self.variables.parse(name, |text| {
                text.parse().map(Target::Base).map_err(|error: crate::http::EndpointError| error.to_string())
            })
        };
        if let Some(target) = base("RAGTRACE_OTLP_ENDPOINT")? {
            return Ok(Some(target));
        }
        let [own, common] = self.names("ENDPOINT");
        match self.variables.url(&own)? {
            Some(endpoint) => Ok(Some(Target::Whole(endpoint))),
            None => base(&common),
        }
    }

    fn headers(&self) -> Result<Vec<Header>, ConfigError> {
        let read = |name: &str| self.variables.parse(name, |text| headers(name, text));
        match read("RAGTRACE_OTLP_HEADERS")? {
            Some(headers) => Ok(headers),
            None => Ok(self.first("HEADERS", read)?.unwrap_or_default()),
        }
    }

    fn read_tls(&self, settings: &mut Settings) -> Result<(), ConfigError> {
        let file = |option: &str| {
            let [own, common] = self.names(option);
            let path = |name: String| self.variables.path(&name).map(|path| (name, PathBuf::from(path)));
            path(own).or_else(|| path(common))
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
    ConfigError::malformed(format!("{name} is set and {other} is not: a client has a certificate and its key"))
}
