//! Sinks for Datadog: logs, metrics, LLM Observability and evaluations.
//!
//! They promise requests that Datadog takes: each limit that it documents is kept here, with what
//! had to go counted ([`DatadogCounts`]), since Datadog accepts much of what is beyond and loses it
//! without a word. A record that is too old to be taken becomes a dead letter with that reason.
//! Each sink sends one request a batch, so a batch that is sent again repeats nothing that had
//! arrived: that is why there are four sinks, each with batches, retries and a spool of its own,
//! and not one.
//!
//! They do not promise exactly once: Datadog knows no key of a request, and an answer that is lost
//! has its batch sent again. Logs have `record_id`, by which doubles are found; points of metrics
//! and evaluations replace what they repeat.
//!
//! | room | holds |
//! | --- | --- |
//! | `site`, `agent`, `settings` | where to, with which key |
//! | `verdict`, `window` | what answers mean; what is too old |
//! | `tags`, `attributes`, `counts` | what Datadog takes of tags and fields, and what that costs |
//! | `logs`, `metrics`, `llm_obs`, `evaluations` | encodings without a request in them |
//! | `sinks` | the sinks over them |

mod agent;
mod attributes;
mod counts;
mod evaluations;
mod llm_obs;
mod logs;
mod metrics;
mod settings;
mod sinks;
mod site;
mod tags;
mod verdict;
mod window;

pub(crate) use agent::{DEFAULT_HOST, DEFAULT_PORT};
pub use counts::DatadogCounts;
pub(crate) use settings::Settings;
pub use sinks::{DatadogEvaluationsSink, DatadogLlmObsSink, DatadogMetricsSink, DatadogSink};
pub(crate) use site::Site;
pub(crate) use tags::parse as parse_tags;
