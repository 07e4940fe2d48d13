//! The settings that the sinks of one backend share: destination, credentials, and transport.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use hyper::header::HeaderName;
use ragtrace::sink::SinkError;

use super::profile::OtlpProfile;
use super::resource::ResourceSettings;
use crate::http::{Body, Client, ClientBuilder, Compression, Endpoint, EndpointError, Key, Request};
use crate::quote::quoted;

/// The default timeout of an export ("OpenTelemetry Protocol Exporter", "Configuration Options").
const TIMEOUT: Duration = Duration::from_secs(10);
const PROTOBUF: &str = "application/x-protobuf";

/// A signal. Each is exported to a path of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Traces,
    Logs,
}

impl Signal {
    /// Returns the path that is appended to a base URL ("OTLP Specification", "OTLP/HTTP Request").
    fn path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Logs => "/v1/logs",
        }
    }
}

/// The destination of a signal.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// The profile's URL.
    Customary,
    /// A URL to which the signal's path is appended.
    Base(Endpoint),
    /// A URL that is used as it is.
    Whole(Endpoint),
}

impl Target {
    /// Parses a URL to which the signal's path is appended, unless it already ends in one.
    pub(crate) fn base(text: &str) -> Result<Self, EndpointError> {
        let text = text.trim().trim_end_matches('/');
        let of = |signal: Signal| text.strip_suffix(signal.path());
        of(Signal::Traces).or_else(|| of(Signal::Logs)).unwrap_or(text).parse().map(Self::Base)
    }
}

/// A header whose value may be a credential.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) value: Key,
}

/// The files for TLS, each with the name of its setting.
#[derive(Clone, Default)]
pub(crate) struct TlsFiles {
    pub(crate) certificate: Option<(String, PathBuf)>,
    pub(crate) client: Option<[(String, PathBuf); 2]>,
}

impl fmt::Debug for TlsFiles {
    /// Writes only the names of the settings, since a key may have been given in place of a path.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.certificate.iter().chain(self.client.iter().flatten()).map(|(name, _)| name);
        f.debug_list().entries(names).finish()
    }
}

/// The key for the profile's backend.
#[derive(Clone, Debug)]
pub(crate) struct ApiKey {
    /// The prefix of the key in its header, if it is not the customary one.
    pub(crate) prefix: Option<&'static str>,
    pub(crate) value: Key,
}

/// The settings of a sink, or of all sinks of one backend.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) profile: OtlpProfile,
    /// The destination, or a message if the URL is malformed.
    pub(crate) target: Result<Target, String>,
    pub(crate) headers: Vec<Header>,
    pub(crate) key: Option<ApiKey>,
    pub(crate) project: Option<String>,
    pub(crate) timeout: Duration,
    pub(crate) compression: Compression,
    pub(crate) tls: TlsFiles,
    /// The attributes of the resource. `tags` are those of traces.
    pub(crate) resource: ResourceSettings,
    pub(crate) tags: Vec<String>,
    /// A client that exists already.
    pub(crate) client: Option<Client>,
}

impl Settings {
    pub(crate) fn new(profile: OtlpProfile) -> Self {
        Self {
            profile,
            target: Ok(Target::Customary),
            headers: Vec::new(),
            key: None,
            project: None,
            timeout: TIMEOUT,
            compression: Compression::gzip(Compression::FAST),
            tls: TlsFiles::default(),
            resource: ResourceSettings::default(),
            tags: Vec::new(),
            client: None,
        }
    }

    /// Returns the settings of a client, which reads files and connects with the first request.
    pub(crate) fn client_builder(&self) -> ClientBuilder {
        let mut builder = Client::builder().timeout(self.timeout);
        if let Some((name, path)) = &self.tls.certificate {
            builder = builder.certificate(name, path);
        }
        if let Some([(certificate, certificate_path), (key, key_path)]) = &self.tls.client {
            builder = builder.client_certificate((certificate, certificate_path), (key, key_path));
        }
        builder
    }

    /// Returns the URL of a signal.
    pub(crate) fn endpoint(&self, signal: Signal) -> Result<Endpoint, SinkError> {
        match &self.target {
            Ok(Target::Whole(endpoint)) => Ok(endpoint.clone()),
            Ok(Target::Base(base)) => Ok(base.join(signal.path())),
            Ok(Target::Customary) => {
                let base: Endpoint =
                    self.profile.table().endpoint.parse().map_err(|error: EndpointError| SinkError::park(error))?;
                Ok(base.join(signal.path()))
            }
            Err(why) => Err(SinkError::park(format!("the URL for OTLP: {why}"))),
        }
    }

    /// Returns a request with all headers. A header that was set takes precedence over the
    /// profile's.
    pub(crate) fn request(&self, signal: Signal, body: &Body) -> Result<Request, SinkError> {
        let table = self.profile.table();
        let is_set = |name: &str| self.headers.iter().any(|header| header.name.eq_ignore_ascii_case(name));
        let of_traces = if signal == Signal::Traces { table.trace_headers } else { &[] };
        let project = table.project.zip(self.project.as_deref().or(table.default_project));
        let project = project.map(|(header, name)| Ok((header.name, (header.read)(name)?))).transpose();
        let project = project.map_err(|why: String| SinkError::park(format!("the project: {why}")))?;
        let project = project.as_ref().map(|(header, name)| (*header, &**name));
        let mut request = Request::post(&self.endpoint(signal)?).body(PROTOBUF, body);
        for (name, value) in table.headers.iter().chain(of_traces).copied().chain(project) {
            if !is_set(name) {
                request = request.header(name, value);
            }
        }
        let (name, customary) = table.key;
        if let Some(ApiKey { prefix, value }) = self.key.as_ref().filter(|_| !is_set(name)) {
            request = request.key(HeaderName::from_static(name), prefix.unwrap_or(customary), value);
        }
        for Header { name, value } in &self.headers {
            let no_name = |_| SinkError::park(format!("{} is not a valid header name", quoted(name)));
            let name = name.parse().map_err(no_name)?;
            request = request.key(name, "", value);
        }
        Ok(request)
    }
}
