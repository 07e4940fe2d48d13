//! Sinks for OTLP over HTTP: spans and log records for any backend that accepts OpenTelemetry's
//! protocol.
//!
//! Each end record is one span, with the same ids as everywhere else, and the same content however
//! often it is sent. The messages are those that `opentelemetry-proto` describes, and attributes
//! have the names that the backend reads (its [`OtlpProfile`]). A partial success is read, and
//! nothing of it is sent again.
//!
//! Not promised: that a span arrives only once, since the protocol has no batch ids and a
//! batch is sent again if its answer was lost; backends recognize a span by its ids. Nor that a
//! score arrives, since it is a log record, and only some backends accept logs.
//!
//! Spans and log records are separate requests. So each has a sink of its own, with its own batches
//! and retries: what one request delivered is not repeated because the other one failed.
//!
//! The modules, in order of dependency: `proto` writes the wire format; `conventions` contains the
//! names of attributes, `profile` a table per backend, `resource` the facts about the process;
//! `traces` and `logs` write requests, `json` writes them for files, `partial_success` reads
//! answers; `settings` and `exporter` send.

mod conventions;
mod exporter;
mod json;
mod log_sink;
mod logs;
mod partial_success;
mod profile;
mod proto;
mod resource;
mod settings;
mod trace_sink;
mod traces;

pub(crate) use crate::pairs::parse_pairs;
pub(crate) use exporter::compression;
pub use json::OtlpJson;
pub use log_sink::OtlpLogSink;
pub(crate) use profile::in_header;
pub use profile::{OtlpProfile, UnknownProfile};
pub(crate) use settings::{ApiKey, Header, Settings, Signal, Target};
pub use trace_sink::OtlpSink;
