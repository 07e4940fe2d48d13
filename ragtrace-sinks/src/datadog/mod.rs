//! Sinks for Datadog: logs, metrics, LLM Observability and evaluations.
//!
//! The requests keep each of Datadog's documented limits, since Datadog accepts much of what
//! exceeds them and silently loses it. What had to be cut or left out is counted
//! ([`DatadogCounts`]). A record that is too old for Datadog becomes a dead letter with that
//! reason.
//!
//! There are four sinks because each sends one request per batch, so that a batch which is sent
//! again repeats nothing that has arrived. Each has batches, retries and a spool of its own.
//!
//! Delivery is not exactly once: Datadog has no idempotency key, and a batch is sent again if its
//! answer was lost. Duplicates of logs can be found by `record_id`; points of metrics and
//! evaluations replace the earlier ones.
//!
//! | module | contains |
//! | --- | --- |
//! | `site`, `agent`, `settings` | the destination and the key |
//! | `verdict`, `window` | the meaning of answers, and age limits |
//! | `tags`, `attributes`, `counts` | Datadog's limits on tags and fields, and counts of what they cost |
//! | `logs`, `metrics`, `llm_obs`, `evaluations` | the encodings, without requests |
//! | `sinks` | the sinks that use them |

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
