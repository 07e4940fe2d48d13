//! The sinks: each encodes a batch into one request, sends it, and judges the answer.
//!
//! Those of metrics, spans and evaluations are made of the one of logs, or of each other, and have
//! its settings.

mod evaluations;
mod llm_obs;
mod logs;
mod metrics;

pub use evaluations::DatadogEvaluationsSink;
pub use llm_obs::DatadogLlmObsSink;
pub use logs::DatadogSink;
pub use metrics::DatadogMetricsSink;
