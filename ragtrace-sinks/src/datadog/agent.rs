//! Datadog's Agent, which takes some of what Datadog does, and adds the key to it.
//!
//! Its `evp_proxy` (Agent 7.36 and later) hands a request on to the host that a header names, under
//! the Agent's own key and site. LLM Observability and evaluations go through it; logs and metrics
//! do not, since the Agent takes those in other forms.

use serde::Deserialize;

use crate::http::Endpoint;

/// Where the Agent listens unless told otherwise.
pub(crate) const DEFAULT_HOST: &str = "localhost";
pub(crate) const DEFAULT_PORT: u16 = 8126;
/// The header that names the host, without the site, that a request is handed on to.
pub(super) const SUBDOMAIN: &str = "X-Datadog-EVP-Subdomain";

/// Returns where the Agent takes what is meant for a path of one of Datadog's hosts.
pub(super) fn proxied(agent: &Endpoint, path: &str) -> Endpoint {
    agent.join(&format!("/evp_proxy/v2{path}"))
}

/// Returns true if an Agent with this answer to `GET /info` has the proxy.
pub(super) fn has_proxy(info: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Info {
        #[serde(default)]
        endpoints: Vec<String>,
    }
    let info: Option<Info> = serde_json::from_slice(info).ok();
    info.is_some_and(|info| info.endpoints.iter().any(|path| path.trim_matches('/').starts_with("evp_proxy/v2")))
}
