//! The sinks for Datadog, against an intake on loopback that refuses, and says so, what the real
//! one refuses or loses without a word.

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
