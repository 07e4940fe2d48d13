//! What the sinks of one backend have in common: where to, who asks, and how it is sent.

use std::path::PathBuf;
use std::time::Duration;

use ragtrace::sink::SinkError;

use super::profile::OtlpProfile;
use super::resource::ResourceSettings;
use crate::http::{Body, Client, Compression, Endpoint, Key, Request};

/// How long an export may take unless set ("OpenTelemetry Protocol Exporter", "Configuration Options").
const TIMEOUT: Duration = Duration::from_secs(10);
const PROTOBUF: &str = "application/x-protobuf";

/// What is exported, each to a path of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Traces,
    Logs,
}

impl Signal {
    /// Returns the path that a base URL gets ("OTLP Specification", "OTLP/HTTP Request").
    fn path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Logs => "/v1/logs",
        }
    }
}

/// The settings of one signal, where those of both signals do not do.
#[derive(Clone, Debug, Default)]
pub(crate) struct SignalSettings {
    /// The whole URL.
    pub(crate) endpoint: Option<Endpoint>,
    pub(crate) headers: Option<Vec<Header>>,
}

/// A header whose value may be a credential.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) prefix: &'static str,
    pub(crate) value: Key,
}

/// Files for TLS, each with the name of its setting.
#[derive(Clone, Debug, Default)]
pub(crate) struct TlsFiles {
    pub(crate) certificate: Option<(String, PathBuf)>,
    pub(crate) client: Option<[(String, PathBuf); 2]>,
}

/// Settings of the sinks of one backend.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) profile: OtlpProfile,
    /// The URL that paths are added to, or why what was set is none.
    pub(crate) base: Result<Option<Endpoint>, String>,
    pub(crate) traces: SignalSettings,
    pub(crate) logs: SignalSettings,
    pub(crate) headers: Vec<Header>,
    /// The key of the profile's backend.
    pub(crate) key: Option<Header>,
    pub(crate) project: Option<String>,
    pub(crate) timeout: Duration,
    pub(crate) compression: Compression,
    pub(crate) tls: TlsFiles,
    pub(crate) resource: ResourceSettings,
    pub(crate) tags: Vec<String>,
}

impl Settings {
    pub(crate) fn new(profile: OtlpProfile) -> Self {
        Self {
            profile,
            base: Ok(None),
            traces: SignalSettings::default(),
            logs: SignalSettings::default(),
            headers: Vec::new(),
            key: None,
            project: None,
            timeout: TIMEOUT,
            compression: Compression::gzip(Compression::FAST),
            tls: TlsFiles::default(),
            resource: ResourceSettings::default(),
            tags: Vec::new(),
        }
    }

    /// Sets the key of the profile's backend.
    pub(crate) fn set_key(&mut self, value: Key) {
        let (name, prefix) = self.profile.table().key;
        self.key = Some(Header { name: name.to_owned(), prefix, value });
    }

    /// Makes the client, which reads files and connects with the first request.
    pub(crate) fn client(&self) -> Client {
        let mut builder = Client::builder().timeout(self.timeout);
        if let Some((name, path)) = &self.tls.certificate {
            builder = builder.certificate(name, path);
        }
        if let Some([(certificate, certificate_path), (key, key_path)]) = &self.tls.client {
            builder = builder.client_certificate((certificate, certificate_path), (key, key_path));
        }
        builder.build()
    }

    /// Returns the URL of a signal.
    pub(crate) fn endpoint(&self, signal: Signal) -> Result<Endpoint, SinkError> {
        if let Some(endpoint) = &self.of(signal).endpoint {
            return Ok(endpoint.clone());
        }
        match &self.base {
            Ok(Some(base)) => Ok(base.join(signal.path())),
            Ok(None) => match self.profile.table().endpoint.parse::<Endpoint>() {
                Ok(base) => Ok(base.join(signal.path())),
                Err(error) => Err(SinkError::park(error)),
            },
            Err(why) => Err(SinkError::park(format!("the URL for OTLP: {why}"))),
        }
    }

    /// Returns a request with all its headers. One that was set wins over what the profile has.
    pub(crate) fn request(&self, signal: Signal, body: &Body) -> Result<Request, SinkError> {
        let table = self.profile.table();
        let own = self.of(signal).headers.as_ref().unwrap_or(&self.headers);
        let mut request = Request::post(&self.endpoint(signal)?).body(PROTOBUF, body);
        for (name, value) in table.headers {
            request = request.header(name, value);
        }
        if signal == Signal::Traces {
            for (name, value) in table.trace_headers {
                request = request.header(name, value);
            }
        }
        if let (Some(name), Some(project)) = (table.project, &self.project) {
            request = request.header(name, project);
        }
        let is_own = |header: &&Header| !own.iter().any(|other| other.name.eq_ignore_ascii_case(&header.name));
        for Header { name, prefix, value } in self.key.iter().filter(is_own).chain(own) {
            request = request.key(name.parse().map_err(|_| bad_name(name))?, prefix, value);
        }
        Ok(request)
    }

    fn of(&self, signal: Signal) -> &SignalSettings {
        match signal {
            Signal::Traces => &self.traces,
            Signal::Logs => &self.logs,
        }
    }
}

fn bad_name(name: &str) -> SinkError {
    SinkError::park(format!("{name:?} is no name of a header"))
}
