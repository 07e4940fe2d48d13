//! Reads the variables that each backend's own clients have.

use std::path::PathBuf;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::super::error::{ConfigError, Kind};
use super::super::variables::Variables;
use super::headers::headers;
use super::target_source::TargetSource;
use crate::http::{Endpoint, EndpointError, Key};
use crate::otlp::{ApiKey, Header, OtlpProfile, Settings, Target, in_header};
use crate::quote::quoted;

/// Reads the variables of the profile's backend for settings that are not yet set.
pub(super) fn read(
    variables: &Variables<'_>,
    settings: &mut Settings,
    source: TargetSource,
) -> Result<(), ConfigError> {
    let profile = settings.profile;
    let mut backend = Backend { variables, settings, source, own: None };
    match profile {
        OtlpProfile::Collector => Ok(()),
        OtlpProfile::Phoenix => backend.phoenix(),
        OtlpProfile::Langfuse => backend.langfuse(),
        OtlpProfile::LangSmith => backend.langsmith(),
        OtlpProfile::Mlflow => backend.mlflow(),
        OtlpProfile::Datadog => backend.datadog(),
    }
}

/// The settings of one backend while its variables are read.
struct Backend<'a> {
    variables: &'a Variables<'a>,
    settings: &'a mut Settings,
    source: TargetSource,
    /// The URL in the backend's own variable.
    own: Option<Endpoint>,
}

impl Backend<'_> {
    fn phoenix(&mut self) -> Result<(), ConfigError> {
        const HEADERS: &str = "PHOENIX_CLIENT_HEADERS";
        self.read_target("PHOENIX_COLLECTOR_ENDPOINT", "")?;
        self.settings.project = self.project("PHOENIX_PROJECT_NAME")?;
        let of_client = self.variables.parse(HEADERS, |text| headers(HEADERS, text))?.unwrap_or_default();
        for header in of_client {
            if !has_header(self.settings, &header.name) {
                self.check_reader(HEADERS, &header.name)?;
                self.settings.headers.push(header);
            }
        }
        let key = self.variables.key("PHOENIX_API_KEY", "PHOENIX_API_KEY_FILE")?;
        self.set_key("PHOENIX_API_KEY", key.map(customary))
    }

    fn langfuse(&mut self) -> Result<(), ConfigError> {
        const PUBLIC: &str = "LANGFUSE_PUBLIC_KEY";
        const SECRET: &str = "LANGFUSE_SECRET_KEY";
        const SECRET_FILE: &str = "LANGFUSE_SECRET_KEY_FILE";
        const PATH: &str = "/api/public/otel";
        self.read_target("LANGFUSE_BASE_URL", PATH)?;
        self.read_target("LANGFUSE_HOST", PATH)?;
        let variables = self.variables;
        let public = variables.text(PUBLIC)?;
        let key = match (public, variables.text(SECRET)?, variables.path(SECRET_FILE)) {
            (_, Some(_), Some(_)) => {
                return Err(ConfigError::malformed(format!(
                    "{SECRET} and {SECRET_FILE} are both set: keep one of them"
                )));
            }
            (Some(public), Some(secret), None) => Some(customary(basic(&public, &secret).named(SECRET))),
            (Some(public), None, Some(path)) => {
                let path = PathBuf::from(path);
                let read = move || {
                    let secret = std::fs::read_to_string(&path);
                    secret.map(|secret| encoded(&public, &secret))
                };
                Some(customary(Key::from_fn(read).named(SECRET_FILE)))
            }
            (None, None, None) => None,
            _ => return Err(ConfigError::malformed(format!("{PUBLIC} and {SECRET} go together: set both"))),
        };
        self.set_key(SECRET, key)?;
        need_key(self.settings, &format!("{PUBLIC} and {SECRET}"))
    }

    fn langsmith(&mut self) -> Result<(), ConfigError> {
        const KEY: &str = "LANGSMITH_API_KEY";
        self.read_target("LANGSMITH_ENDPOINT", "/otel")?;
        let key = self.variables.key(KEY, "LANGSMITH_API_KEY_FILE")?;
        self.set_key(KEY, key.map(customary))?;
        self.settings.project = self.project("LANGSMITH_PROJECT")?;
        if let Some(workspace) = self.variables.parse("LANGSMITH_WORKSPACE_ID", in_header)?
            && !has_header(self.settings, "x-tenant-id")
        {
            let value = Key::text(workspace).named("LANGSMITH_WORKSPACE_ID");
            self.settings.headers.push(Header { name: "x-tenant-id".to_owned(), value });
        }
        need_key(self.settings, KEY)
    }

    fn mlflow(&mut self) -> Result<(), ConfigError> {
        const USER: &str = "MLFLOW_TRACKING_USERNAME";
        const PASSWORD: &str = "MLFLOW_TRACKING_PASSWORD";
        const TOKEN: &str = "MLFLOW_TRACKING_TOKEN";
        self.read_target("MLFLOW_TRACKING_URI", "")?;
        self.settings.project = self.project("MLFLOW_EXPERIMENT_ID")?;
        let user = (self.variables.text(USER)?, self.variables.text(PASSWORD)?);
        match (self.variables.key(TOKEN, "MLFLOW_TRACKING_TOKEN_FILE")?, user) {
            // MLflow's own clients prefer user and password over a token.
            (_, (Some(user), Some(password))) => {
                let value = basic(&user, &password).named(PASSWORD);
                self.set_key(PASSWORD, Some(ApiKey { prefix: Some("Basic "), value }))
            }
            (token, (None, None)) => self.set_key(TOKEN, token.map(customary)),
            _ => Err(ConfigError::malformed(format!("{USER} and {PASSWORD} go together: set both"))),
        }
    }

    fn datadog(&mut self) -> Result<(), ConfigError> {
        const KEY: &str = "DD_API_KEY";
        let of_site = |site: &str| {
            let is_host =
                site.contains('.') && site.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
            let url = format!("https://otlp.{}", site.to_ascii_lowercase());
            if !is_host {
                return Err(format!("expected a site such as `datadoghq.eu`, found {}", quoted(site)));
            }
            url.parse().map_err(|error: EndpointError| error.to_string())
        };
        let endpoint = self.variables.parse("DD_SITE", of_site)?;
        self.set_own(endpoint);
        let key = self.variables.key(KEY, "DD_API_KEY_FILE")?;
        self.set_key(KEY, key.map(customary))?;
        self.settings.project = match (self.project("DD_LLMOBS_ML_APP")?, &self.settings.resource.service) {
            (None, Some(service)) => {
                let named = |why| ConfigError::malformed(format!("the service: {why}: set DD_LLMOBS_ML_APP"));
                Some((self.project_reader())(service).map_err(named)?)
            }
            (name, _) => name,
        };
        need_key(self.settings, KEY)
    }

    /// Reads a URL of the backend, to which a path of its API is appended.
    fn read_target(&mut self, name: &str, path: &str) -> Result<(), ConfigError> {
        let read = |text: &str| {
            let text = text.trim_end_matches('/');
            let whole = if text.ends_with(path) { text.to_owned() } else { format!("{text}{path}") };
            match Target::base(&whole) {
                Ok(Target::Base(endpoint)) => Ok(Some(endpoint)),
                Ok(_) => Ok(None),
                Err(error) => Err(error.to_string()),
            }
        };
        if self.own.is_none() && self.source != TargetSource::Ours {
            let endpoint = self.variables.parse(name, read)?.flatten();
            self.set_own(endpoint);
        }
        Ok(())
    }

    fn set_own(&mut self, endpoint: Option<Endpoint>) {
        if let (Ok(Target::Customary), Some(endpoint)) = (&self.settings.target, &endpoint) {
            self.settings.target = Ok(Target::Base(endpoint.clone()));
        }
        self.own = endpoint;
    }

    /// Returns the project's name in the form that the backend accepts.
    fn project(&self, name: &str) -> Result<Option<String>, ConfigError> {
        self.variables.parse(name, self.project_reader())
    }

    fn project_reader(&self) -> fn(&str) -> Result<String, String> {
        self.settings.profile.table().project.map_or(in_header, |header| header.read)
    }

    /// Sets the backend's key, which came from the variable `name`, unless a header is set that
    /// contains one.
    fn set_key(&mut self, name: &str, key: Option<ApiKey>) -> Result<(), ConfigError> {
        let (header, _) = self.settings.profile.table().key;
        if let Some(key) = key
            && !has_header(self.settings, header)
        {
            self.check_reader(name, header)?;
            self.settings.key = Some(key);
        }
        Ok(())
    }

    /// Returns an error if a credential of the backend, from the variable `name`, would be sent to
    /// another host. A URL in OpenTelemetry's variables may be that of a collector, which somebody
    /// else set for everything in a container.
    fn check_reader(&self, name: &str, header: &str) -> Result<(), ConfigError> {
        if self.source != TargetSource::OpenTelemetry || self.is_own_target() {
            return Ok(());
        }
        let message = format!(
            "{name} is not sent to the URL in OTEL_EXPORTER_OTLP_ENDPOINT, which may be another backend's: set \
             RAGTRACE_OTLP_ENDPOINT to the URL, or the header `{header}` in OTEL_EXPORTER_OTLP_HEADERS"
        );
        Err(ConfigError::malformed(message))
    }

    /// Returns `true` if the target has the same origin as the backend's own URL.
    fn is_own_target(&self) -> bool {
        let customary = || self.settings.profile.table().endpoint.parse().ok();
        let Some(own) = self.own.clone().or_else(customary) else { return false };
        matches!(&self.settings.target, Ok(Target::Base(set) | Target::Whole(set)) if set.has_origin_of(&own))
    }
}

/// Creates the key of `Authorization: Basic` from user and password (RFC 7617).
fn basic(user: &str, password: &str) -> Key {
    Key::text(encoded(user, password))
}

fn encoded(user: &str, password: &str) -> String {
    BASE64_STANDARD.encode(format!("{}:{}", user.trim(), password.trim()))
}

fn customary(value: Key) -> ApiKey {
    ApiKey { prefix: None, value }
}

fn has_header(settings: &Settings, name: &str) -> bool {
    settings.headers.iter().any(|header| header.name.eq_ignore_ascii_case(name))
}

/// Returns an error if the backend's key is neither set nor in a header.
fn need_key(settings: &Settings, names: &str) -> Result<(), ConfigError> {
    let (header, _) = settings.profile.table().key;
    if settings.key.is_some() || has_header(settings, header) {
        return Ok(());
    }
    let message = format!("RAGTRACE_OTLP_PROFILE names `{}`: set {names}", settings.profile);
    Err(ConfigError::new(Kind::MissingVariable, message))
}
