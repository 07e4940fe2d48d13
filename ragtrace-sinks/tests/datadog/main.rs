//! Tests the sinks for Datadog with an intake on loopback that refuses, with a reason, what the
//! real one refuses or silently loses.

mod counts;
mod encoding;
mod evaluations;
mod golden;
mod intake;
mod llm_obs;
mod logs;
mod metrics;
#[cfg(feature = "otlp")]
mod otlp;
mod pipeline;
mod settings;
mod status;
mod support;
