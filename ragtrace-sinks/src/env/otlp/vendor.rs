//! The variables that each backend's own clients have.

use std::path::PathBuf;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::super::error::{ConfigError, Kind};
use super::super::variables::Variables;
use super::headers::headers;
use crate::http::{EndpointError, Key};
use crate::otlp::{ApiKey, Header, OtlpProfile, Settings, Target};
use crate::quote::quoted;

/// Reads what the profile's backend has variables for, where nothing else says it already.
pub(super) fn read(variables: &Variables<'_>, settings: &mut Settings) -> Result<(), ConfigError> {
    match settings.profile {
        OtlpProfile::Collector => Ok(()),
        OtlpProfile::Phoenix => phoenix(variables, settings),
        OtlpProfile::Langfuse => langfuse(variables, settings),
        OtlpProfile::LangSmith => langsmith(variables, settings),
        OtlpProfile::Mlflow => mlflow(variables, settings),
        OtlpProfile::Datadog => datadog(variables, settings),
    }
}

fn phoenix(variables: &Variables<'_>, settings: &mut Settings) -> Result<(), ConfigError> {
    read_target(variables, settings, "PHOENIX_COLLECTOR_ENDPOINT", "")?;
    settings.project = variables.text("PHOENIX_PROJECT_NAME")?;
    settings.key = variables.key("PHOENIX_API_KEY", "PHOENIX_API_KEY_FILE")?.map(customary);
    let of_client = |text: &str| headers("PHOENIX_CLIENT_HEADERS", text);
    for header in variables.parse("PHOENIX_CLIENT_HEADERS", of_client)?.unwrap_or_default() {
        if !has_header(settings, &header.name) {
            settings.headers.push(header);
        }
    }
    Ok(())
}

fn langfuse(variables: &Variables<'_>, settings: &mut Settings) -> Result<(), ConfigError> {
    const PUBLIC: &str = "LANGFUSE_PUBLIC_KEY";
    const SECRET: &str = "LANGFUSE_SECRET_KEY";
    const SECRET_FILE: &str = "LANGFUSE_SECRET_KEY_FILE";
    const PATH: &str = "/api/public/otel";
    read_target(variables, settings, "LANGFUSE_BASE_URL", PATH)?;
    read_target(variables, settings, "LANGFUSE_HOST", PATH)?;
    let public = variables.text(PUBLIC)?;
    settings.key = match (public, variables.text(SECRET)?, variables.path(SECRET_FILE)) {
        (_, Some(_), Some(_)) => {
            return Err(ConfigError::malformed(format!("{SECRET} and {SECRET_FILE} are both set: keep one of them")));
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
    need_key(settings, &format!("{PUBLIC} and {SECRET}"))
}

fn langsmith(variables: &Variables<'_>, settings: &mut Settings) -> Result<(), ConfigError> {
    const KEY: &str = "LANGSMITH_API_KEY";
    read_target(variables, settings, "LANGSMITH_ENDPOINT", "/otel")?;
    settings.key = variables.key(KEY, "LANGSMITH_API_KEY_FILE")?.map(customary);
    settings.project = variables.text("LANGSMITH_PROJECT")?;
    if let Some(workspace) = variables.text("LANGSMITH_WORKSPACE_ID")?
        && !has_header(settings, "x-tenant-id")
    {
        let value = Key::text(workspace).named("LANGSMITH_WORKSPACE_ID");
        settings.headers.push(Header { name: "x-tenant-id".to_owned(), value });
    }
    need_key(settings, KEY)
}

fn mlflow(variables: &Variables<'_>, settings: &mut Settings) -> Result<(), ConfigError> {
    const USER: &str = "MLFLOW_TRACKING_USERNAME";
    const PASSWORD: &str = "MLFLOW_TRACKING_PASSWORD";
    read_target(variables, settings, "MLFLOW_TRACKING_URI", "")?;
    settings.project = variables.text("MLFLOW_EXPERIMENT_ID")?;
    let user = (variables.text(USER)?, variables.text(PASSWORD)?);
    settings.key = match (variables.key("MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_TOKEN_FILE")?, user) {
        // Its own clients take user and password before a token.
        (_, (Some(user), Some(password))) => {
            let value = basic(&user, &password).named(PASSWORD);
            Some(ApiKey { prefix: Some("Basic "), value })
        }
        (token, (None, None)) => token.map(customary),
        _ => return Err(ConfigError::malformed(format!("{USER} and {PASSWORD} go together: set both"))),
    };
    Ok(())
}

fn datadog(variables: &Variables<'_>, settings: &mut Settings) -> Result<(), ConfigError> {
    const KEY: &str = "DD_API_KEY";
    let of_site = |site: &str| {
        let is_host =
            site.contains('.') && site.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
        let url = format!("https://otlp.{}", site.to_ascii_lowercase());
        if !is_host {
            return Err(format!("expected a site such as `datadoghq.eu`, found {}", quoted(site)));
        }
        Target::base(&url).map_err(|error| error.to_string())
    };
    if let Some(target) = variables.parse("DD_SITE", of_site)? {
        set_target(settings, target);
    }
    settings.key = variables.key(KEY, "DD_API_KEY_FILE")?.map(customary);
    settings.project = match variables.text("DD_LLMOBS_ML_APP")? {
        Some(name) => Some(name),
        None => settings.resource.service.clone(),
    };
    need_key(settings, KEY)
}

/// Makes a key of user and password as `Authorization: Basic` has them (RFC 7617).
fn basic(user: &str, password: &str) -> Key {
    Key::text(encoded(user, password))
}

fn encoded(user: &str, password: &str) -> String {
    BASE64_STANDARD.encode(format!("{}:{}", user.trim(), password.trim()))
}

fn customary(value: Key) -> ApiKey {
    ApiKey { prefix: None, value }
}

/// Reads a URL of the backend's, to which a path of its API is added.
fn read_target(variables: &Variables<'_>, settings: &mut Settings, name: &str, path: &str) -> Result<(), ConfigError> {
    let read = |text: &str| {
        let text = text.trim_end_matches('/');
        let whole = if text.ends_with(path) { text.to_owned() } else { format!("{text}{path}") };
        Target::base(&whole).map_err(|error: EndpointError| error.to_string())
    };
    if let Ok(Target::Customary) = settings.target
        && let Some(target) = variables.parse(name, read)?
    {
        set_target(settings, target);
    }
    Ok(())
}

fn set_target(settings: &mut Settings, target: Target) {
    if let Ok(Target::Customary) = settings.target {
        settings.target = Ok(target);
    }
}

fn has_header(settings: &Settings, name: &str) -> bool {
    settings.headers.iter().any(|header| header.name.eq_ignore_ascii_case(name))
}

/// Fails if the backend's key is neither set nor in a header.
fn need_key(settings: &Settings, names: &str) -> Result<(), ConfigError> {
    let (header, _) = settings.profile.table().key;
    if settings.key.is_some() || has_header(settings, header) {
        return Ok(());
    }
    let message = format!("RAGTRACE_OTLP_PROFILE names `{}`: set {names}", settings.profile);
    Err(ConfigError::new(Kind::MissingVariable, message))
}
