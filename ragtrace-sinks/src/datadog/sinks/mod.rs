//! The sinks: each encodes a batch as one request, sends it, and judges the answer.
//!
//! The sinks of metrics, spans and evaluations are created from the sink of logs, or from one
//! another, and have its settings.

mod evaluations;
mod llm_obs;
mod logs;
mod metrics;

pub use evaluations::DatadogEvaluationsSink;
pub use llm_obs::DatadogLlmObsSink;
pub use logs::DatadogSink;
pub use metrics::DatadogMetricsSink;
