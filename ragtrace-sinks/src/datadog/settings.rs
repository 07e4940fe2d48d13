//! The settings that all sinks for Datadog share: destination, key, service and tags.

use hyper::header::HeaderName;
use ragtrace::sink::SinkError;

use super::agent::{self, SUBDOMAIN};
use super::counts::DatadogCounts;
use super::site::Site;
use super::verdict::{AGENT, DIRECT, NO_PROXY};
use crate::http::{Body, Client, Compression, Endpoint, Key, Request, Verdicts};

/// Settings of the sinks for Datadog. Clones share the client and the counts.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) key: Option<Key>,
    /// The site, or a message if the name is not a site.
    pub(crate) site: Result<Site, String>,
    /// The URL for logs that replaces the site's host. `api_url` is the one for everything else.
    pub(crate) logs_url: Result<Option<Endpoint>, String>,
    pub(crate) api_url: Result<Option<Endpoint>, String>,
    /// The Agent through which LLM Observability and evaluations go, if any.
    pub(crate) agent: Result<Option<Endpoint>, String>,
    /// The service of records whose process has none.
    pub(crate) service: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) version: Option<String>,
    /// The host name, which replaces the one in the records.
    pub(crate) hostname: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) client: Client,
    pub(super) compression: Compression,
    pub(super) counts: DatadogCounts,
}

/// The content type of every request.
const JSON: &str = "application/json";
const KEY_HEADER: HeaderName = HeaderName::from_static("dd-api-key");

impl Settings {
    pub(crate) fn new(key: Option<Key>, client: Client) -> Self {
        Self {
            key,
            site: Ok(Site::DEFAULT),
            logs_url: Ok(None),
            api_url: Ok(None),
            agent: Ok(None),
            service: None,
            environment: None,
            version: None,
            hostname: None,
            tags: Vec::new(),
            client,
            compression: Compression::gzip(Compression::FAST),
            counts: DatadogCounts::default(),
        }
    }

    /// Returns the target of logs.
    pub(super) fn logs(&self) -> Result<Target<'_>, SinkError> {
        const PATH: &str = "/api/v2/logs";
        let endpoint = match usable(&self.logs_url)? {
            // The variable may contain the whole path, as other shippers expect it.
            Some(url) if url.path().ends_with(PATH) => url.clone(),
            Some(url) => url.join(PATH),
            None => host(&format!("https://http-intake.logs.{}", self.usable_site()?))?.join(PATH),
        };
        self.direct(endpoint)
    }

    /// Returns the target of a path of Datadog's API.
    pub(super) fn api(&self, path: &str) -> Result<Target<'_>, SinkError> {
        let endpoint = match usable(&self.api_url)? {
            Some(url) => url.join(path),
            None => host(&format!("https://api.{}", self.usable_site()?))?.join(path),
        };
        self.direct(endpoint)
    }

    /// Returns the Agent's target for a path on one of Datadog's hosts, or `None` if no Agent is
    /// used.
    pub(super) fn through_agent(&self, subdomain: &'static str, path: &str) -> Result<Option<Target<'_>>, SinkError> {
        Ok(usable(&self.agent)?.as_ref().map(|agent| Target {
            endpoint: agent::proxied(agent, path),
            key: None,
            subdomain: Some(subdomain),
            verdicts: AGENT,
        }))
    }

    fn usable_site(&self) -> Result<Site, SinkError> {
        self.site.clone().map_err(|why| SinkError::park(format!("the site for Datadog: {why}")))
    }

    /// Returns an error if the site does not have LLM Observability. If another host is set, its
    /// abilities are not known, so this succeeds.
    pub(super) fn require_llm_observability(&self) -> Result<(), SinkError> {
        if !matches!(self.api_url, Ok(None)) {
            return Ok(());
        }
        let site = self.usable_site()?;
        if !site.has_llm_observability() {
            return Err(SinkError::park(format!("{site} has no LLM Observability: leave this sink out")));
        }
        Ok(())
    }

    fn direct(&self, endpoint: Endpoint) -> Result<Target<'_>, SinkError> {
        let key = self.key.as_ref().ok_or_else(|| {
            SinkError::park("Datadog requires an API key for this: set DD_API_KEY, or DD_API_KEY_FILE")
        })?;
        Ok(Target { endpoint, key: Some(key), subdomain: None, verdicts: DIRECT })
    }

    /// Begins the JSON of a request.
    pub(super) fn begin(&self) -> crate::http::BodyWriter {
        self.compression.begin()
    }

    /// Sends JSON, and judges the answer.
    pub(super) async fn post(&self, target: &Target<'_>, body: &Body) -> Result<(), SinkError> {
        let request = target.authorize(Request::post(&target.endpoint)).body(JSON, body);
        target.verdicts.judge(&self.client.send(&request).await?)
    }

    /// Checks that the key is valid for the site, and returns a line that says so.
    pub(super) async fn validate(&self) -> Result<String, SinkError> {
        let target = self.api("/api/v1/validate")?;
        let answer = self.client.send(&target.authorize(Request::get(&target.endpoint))).await?;
        target.verdicts.judge(&answer)?;
        Ok(format!("the API key is valid at {}", target.endpoint.host()))
    }

    /// Checks the Agent if one is used, else Datadog, and returns a line that says what works.
    pub(super) async fn check(&self) -> Result<String, SinkError> {
        match self.check_agent().await? {
            Some(works) => Ok(works),
            None => self.validate().await,
        }
    }

    /// Checks that the Agent forwards requests, and returns a line that says so, or `None` if no
    /// Agent is used.
    async fn check_agent(&self) -> Result<Option<String>, SinkError> {
        let Some(agent) = usable(&self.agent)? else { return Ok(None) };
        let answer = self.client.send(&Request::get(&agent.join("/info"))).await?;
        AGENT.judge(&answer)?;
        if !agent::has_proxy(answer.body()) {
            return Err(SinkError::park(format!("{agent}: {NO_PROXY}")));
        }
        Ok(Some(format!("the Datadog Agent at {agent} forwards requests")))
    }
}

/// The destination of a request, and how its answer is judged.
#[derive(Debug)]
pub(super) struct Target<'a> {
    pub(super) endpoint: Endpoint,
    key: Option<&'a Key>,
    subdomain: Option<&'static str>,
    verdicts: Verdicts,
}

impl Target<'_> {
    fn authorize(&self, request: Request) -> Request {
        let request = match self.subdomain {
            Some(subdomain) => request.header(SUBDOMAIN, subdomain),
            None => request,
        };
        match self.key {
            Some(key) => request.key(KEY_HEADER, "", key),
            None => request,
        }
    }
}

/// Returns a setting, or an error that says what is wrong with it.
pub(super) fn usable<T>(setting: &Result<T, String>) -> Result<&T, SinkError> {
    setting.as_ref().map_err(|why| SinkError::park(why.clone()))
}

fn host(url: &str) -> Result<Endpoint, SinkError> {
    url.parse().map_err(SinkError::park)
}
