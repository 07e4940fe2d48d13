//! The meaning of Datadog's answers.
//!
//! | status | logs, metrics | LLM Observability, evaluations | through the Agent |
//! | --- | --- | --- | --- |
//! | 2xx (202) | accepted | accepted | accepted |
//! | 400, 422 | rejected: the bad record becomes a dead letter | the same | the same |
//! | 401, 403 | parked: check the key or the site | parked | parked: check the Agent's key |
//! | 404, 405 | parked: check the URL | parked | parked: the Agent has no `evp_proxy` |
//! | 408, 429 | retried after `Retry-After` or `X-RateLimit-Reset` | the same | the same |
//! | 413 | split | split | split |
//! | 3xx, other 4xx | parked | parked | parked |
//! | 5xx, no answer | retried | retried | retried |

use crate::http::{Row, Verdicts};

/// Verdicts on answers of Datadog's own hosts.
pub(super) const DIRECT: Verdicts = Verdicts::new(&[
    Row::accepted(200..=299),
    Row::rejected(400..=400),
    Row::park(401..=401).advise(KEY),
    Row::park(403..=403).advise(KEY),
    Row::retry(408..=408),
    Row::split(413..=413),
    Row::rejected(422..=422),
    Row::retry(429..=429).advise("Datadog limits the rate"),
    Row::retry(500..=599),
]);

/// Verdicts on answers of the Agent's proxy.
pub(super) const AGENT: Verdicts = Verdicts::new(&[
    Row::accepted(200..=299),
    Row::rejected(400..=400),
    Row::park(401..=401).advise(AGENT_KEY),
    Row::park(403..=403).advise(AGENT_KEY),
    Row::park(404..=405).advise(NO_PROXY),
    Row::retry(408..=408),
    Row::split(413..=413),
    Row::rejected(422..=422),
    Row::retry(429..=429).advise("Datadog limits the rate"),
    Row::retry(500..=599),
]);

const KEY: &str = "check that DD_API_KEY is a key of the site that DD_SITE names";
const AGENT_KEY: &str = "check the key and the site that the Datadog Agent is set up with";
pub(super) const NO_PROXY: &str =
    "the Datadog Agent has no `evp_proxy`: update it, or set DD_LLMOBS_AGENTLESS_ENABLED=true and DD_API_KEY";
