//! Sinks for ragtrace's records: databases, Datadog, LangSmith, and any backend that speaks OTLP.
//!
//! An application builds its sinks by hand, or takes those that its environment names
//! ([`from_env`]), and passes them to `ragtrace::builder()`. [`store`] reads back what a sink wrote
//! into a database.
//!
//! A setting that turns out to be wrong after the start *parks* its sink: the pipeline tells the
//! operator what to change, keeps the records within its limits, and tries again every 30 seconds.
//! The other sinks go on.
//!
//! ```
//! # #[cfg(feature = "sqlite")]
//! # fn build() {
//! use ragtrace_sinks::SqliteSink;
//!
//! let builder = ragtrace::builder().service("rag-api").sink(SqliteSink::new("ragtrace.db"));
//! # let _ = builder;
//! # }
//! ```
//!
//! | feature | adds |
//! | --- | --- |
//! | `sqlite` (default) | [`SqliteSink`], and [`store`] over a SQLite file |
//! | `postgres` | [`PostgresSink`], and [`store`] over a PostgreSQL database |
//! | `datadog` | [`DatadogSink`] and the sinks created from it: logs, metrics, LLM Observability and evaluations |
//! | `langsmith` | [`LangSmithSink`] and [`LangSmithFeedbackSink`]: runs and feedback |
//! | `otlp` | [`OtlpSink`] and [`OtlpLogSink`]: any backend that accepts OpenTelemetry's protocol; [`OtlpJson`]: its JSON, for files |
//! | `waterfall` | `store::Waterfall`, which draws a trace as text for a terminal |

#[cfg(feature = "datadog")]
mod datadog;
mod env;
#[cfg(feature = "http")]
#[doc(hidden)]
pub mod http;
#[cfg(feature = "langsmith")]
mod langsmith;
#[cfg(any(feature = "datadog", feature = "otlp"))]
mod ml_app;
#[cfg(feature = "otlp")]
mod otlp;
#[cfg(any(feature = "datadog", feature = "otlp"))]
mod pairs;
mod quote;
#[cfg(feature = "spans")]
#[cfg_attr(
    not(any(feature = "otlp", all(feature = "datadog", feature = "langsmith"))),
    expect(dead_code, reason = "what one of them alone has no use for")
)]
#[cfg_attr(
    not(any(feature = "datadog", feature = "otlp")),
    expect(unused_imports, reason = "what LangSmith has no use for")
)]
mod spans;

#[cfg(feature = "datadog")]
pub use datadog::{DatadogCounts, DatadogEvaluationsSink, DatadogLlmObsSink, DatadogMetricsSink, DatadogSink};
#[doc(hidden)]
pub use env::Variables;
pub use env::{ConfigError, from_env, from_lookup};
#[cfg(feature = "http")]
pub use http::Key;
#[cfg(feature = "langsmith")]
pub use langsmith::{LangSmithFeedbackSink, LangSmithSink};
#[cfg(feature = "otlp")]
pub use otlp::{OtlpJson, OtlpLogSink, OtlpProfile, OtlpSink, UnknownProfile};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
#[doc(no_inline)]
pub use ragtrace_store as store;
#[cfg(feature = "postgres")]
pub use ragtrace_store::PostgresSink;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use ragtrace_store::retention;
#[cfg(feature = "sqlite")]
pub use ragtrace_store::{SqliteSink, Synchronous};
