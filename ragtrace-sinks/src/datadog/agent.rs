//! Datadog's Agent, which forwards some requests to Datadog and adds the key to them.
//!
//! Its `evp_proxy` (Agent 7.36 and later) forwards a request to the host that a header names, with
//! the Agent's own key and site. LLM Observability and evaluations can go through it. Logs and
//! metrics cannot, since the Agent takes those in other forms.

use serde::Deserialize;

use crate::http::Endpoint;

/// The host of the Agent if none is set.
pub(crate) const DEFAULT_HOST: &str = "localhost";
pub(crate) const DEFAULT_PORT: u16 = 8126;
/// The header with the name, without the site, of the host to forward a request to.
pub(super) const SUBDOMAIN: &str = "X-Datadog-EVP-Subdomain";

/// Returns the Agent's URL for a path on one of Datadog's hosts.
pub(super) fn proxied(agent: &Endpoint, path: &str) -> Endpoint {
    agent.join(&format!("/evp_proxy/v2{path}"))
}

/// Returns `true` if the Agent's answer to `GET /info` shows that it has the proxy.
pub(super) fn has_proxy(info: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Info {
        #[serde(default)]
        endpoints: Vec<String>,
    }
    let info: Option<Info> = serde_json::from_slice(info).ok();
    info.is_some_and(|info| info.endpoints.iter().any(|path| path.trim_matches('/').starts_with("evp_proxy/v2")))
}
