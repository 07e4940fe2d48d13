//! Builds the sinks for Datadog from their variables.

use ragtrace::sink::BoxSink;

use super::error::{ConfigError, Kind};
use super::variables::Variables;
use crate::datadog::{DEFAULT_HOST, DEFAULT_PORT, DatadogSink, Settings, Site, parse_tags};
use crate::http::{Client, Endpoint};
use crate::ml_app::MlApp;
use crate::pairs::parse_pairs;

const KEY: &str = "DD_API_KEY";
const KEY_FILE: &str = "DD_API_KEY_FILE";
const SITE: &str = "DD_SITE";
const LOGS: &str = "RAGTRACE_DATADOG_LOGS";
const METRICS: &str = "RAGTRACE_DATADOG_METRICS";
const LLMOBS: &str = "DD_LLMOBS_ENABLED";
const ML_APP: &str = "DD_LLMOBS_ML_APP";
const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
const AGENTLESS: &str = "DD_LLMOBS_AGENTLESS_ENABLED";

/// Builds the sinks for Datadog: the sink of logs, and the others that are enabled.
pub(super) fn datadog(variables: &Variables<'_>) -> Result<Vec<BoxSink>, ConfigError> {
    let has_logs = variables.flag(LOGS)?.unwrap_or(true);
    let has_metrics = variables.flag(METRICS)?.unwrap_or(false);
    let has_llmobs = variables.flag(LLMOBS)?.unwrap_or(false);
    if !has_logs && !has_metrics && !has_llmobs {
        let message =
            format!("{LOGS} leaves nothing to send to Datadog: set {METRICS} or {LLMOBS} to `true`, or leave it out");
        return Err(ConfigError::malformed(message));
    }
    let settings = settings(variables, has_llmobs)?;
    let has_own_spans = has_llmobs && !matches!(settings.agent, Ok(Some(_)));
    let has_own_api = (has_metrics || has_own_spans) && matches!(settings.api_url, Ok(None));
    let needs_site = has_own_api || (has_logs && matches!(settings.logs_url, Ok(None)));
    // If every request has another host, the site does not matter.
    if let (true, Err(why)) = (needs_site, &settings.site) {
        return Err(ConfigError::malformed(format!("{SITE}: {why}")));
    }
    let is_through_agent = matches!(settings.agent, Ok(Some(_)));
    if settings.key.is_none() && (has_logs || has_metrics || !is_through_agent) {
        let message = format!("RAGTRACE_SINKS names `datadog`: set {KEY}, or {KEY_FILE}, to a Datadog API key");
        return Err(ConfigError::new(Kind::MissingVariable, message));
    }
    if let (true, false, Ok(None), Ok(site)) = (has_llmobs, is_through_agent, &settings.api_url, &settings.site)
        && !site.has_llm_observability()
    {
        return Err(ConfigError::malformed(format!("{LLMOBS}: the site {site} has no LLM Observability")));
    }
    let ml_app = has_llmobs.then(|| ml_app(variables)).transpose()?;
    let sink = DatadogSink::of(settings);
    let mut sinks = Vec::new();
    if has_metrics {
        sinks.push(BoxSink::new(sink.metrics()));
    }
    if let Some(ml_app) = ml_app {
        let spans = sink.llm_observability(ml_app.as_str());
        sinks.push(BoxSink::new(spans.evaluations()));
        sinks.push(BoxSink::new(spans));
    }
    if has_logs {
        sinks.insert(0, BoxSink::new(sink));
    }
    Ok(sinks)
}

fn settings(variables: &Variables<'_>, has_llmobs: bool) -> Result<Settings, ConfigError> {
    let client = Client::builder().variables(variables.lookup()).build();
    if let Some(fault) = client.fault() {
        return Err(ConfigError::malformed(fault));
    }
    let mut settings = Settings::new(variables.key(KEY, KEY_FILE)?, client);
    if let Some(site) = variables.text(SITE)? {
        settings.site = site.trim().parse::<Site>();
    }
    settings.logs_url = Ok(variables.url("RAGTRACE_DATADOG_LOGS_URL")?);
    settings.api_url = Ok(variables.url("RAGTRACE_DATADOG_API_URL")?);
    settings.service = either(variables, "RAGTRACE_SERVICE", "DD_SERVICE")?;
    settings.environment = either(variables, "RAGTRACE_ENV", "DD_ENV")?;
    settings.version = either(variables, "RAGTRACE_VERSION", "DD_VERSION")?;
    settings.hostname = variables.text("DD_HOSTNAME")?;
    settings.tags = variables.text("DD_TAGS")?.map(|text| parse_tags(&text)).unwrap_or_default();
    if has_llmobs {
        settings.agent = Ok(agent(variables)?);
    }
    Ok(settings)
}

fn either(variables: &Variables<'_>, ours: &str, datadogs: &str) -> Result<Option<String>, ConfigError> {
    match variables.text(ours)? {
        Some(text) => Ok(Some(text)),
        None => variables.text(datadogs),
    }
}

/// Returns the Agent that spans go through, or `None` if they go to Datadog directly.
fn agent(variables: &Variables<'_>) -> Result<Option<Endpoint>, ConfigError> {
    let agentless = variables.flag(AGENTLESS)?;
    if agentless == Some(true) {
        return Ok(None);
    }
    if let Some(url) = variables.url("DD_TRACE_AGENT_URL")? {
        return Ok(Some(url));
    }
    let host = variables.text("DD_AGENT_HOST")?;
    let port = variables.parse("DD_TRACE_AGENT_PORT", |text| {
        text.parse::<u16>().map_err(|_| format!("expected a port, found {text:?}"))
    })?;
    if host.is_none() && port.is_none() && agentless.is_none() {
        return Ok(None);
    }
    let (host, port) = (host.unwrap_or_else(|| DEFAULT_HOST.to_owned()), port.unwrap_or(DEFAULT_PORT));
    let host = host.trim();
    // An IPv6 address is in brackets in a URL.
    let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
    let url = format!("http://{host}:{port}").parse::<Endpoint>();
    url.map(Some).map_err(|why| ConfigError::malformed(format!("DD_AGENT_HOST: {why}")))
}

/// Returns the application's name, or else the service from the first variable that names one.
fn ml_app(variables: &Variables<'_>) -> Result<MlApp, ConfigError> {
    for name in [ML_APP, "RAGTRACE_SERVICE", "DD_SERVICE", "OTEL_SERVICE_NAME"] {
        if let Some(text) = variables.text(name)? {
            return named(name, &text);
        }
    }
    let attributes = variables.parse(ATTRIBUTES, parse_pairs)?.unwrap_or_default();
    let service = attributes.iter().rev().find(|(key, value)| key == "service.name" && !value.trim().is_empty());
    if let Some((_, text)) = service {
        return named(ATTRIBUTES, text);
    }
    let message = format!("{LLMOBS} needs an application's name: set {ML_APP}, or DD_SERVICE");
    Err(ConfigError::new(Kind::MissingVariable, message))
}

fn named(variable: &str, text: &str) -> Result<MlApp, ConfigError> {
    text.parse().map_err(|why| ConfigError::malformed(format!("{variable}: {why}: set {ML_APP}")))
}
