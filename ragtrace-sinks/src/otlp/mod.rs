//! OTLP: spans and log records for whatever takes OpenTelemetry's protocol, over HTTP.
//!
//! It promises: each end record is one span, with the ids that it has everywhere, and the same
//! however often it is sent; what `opentelemetry-proto` describes is what is written; attributes
//! have the names that the backend reads (its [`OtlpProfile`]). A partial success is read, and is
//! not sent again.
//!
//! It does not promise: that a span arrives once. There is no id of a batch in the protocol, so one
//! whose answer was lost is sent again; backends know a span by its ids. Nor that a score arrives:
//! it is a log record, and only some backends take logs.
//!
//! Spans and log records go in requests of their own, so each is a sink, with its own batches and
//! retries: what one has acknowledged is not repeated because the other failed.
//!
//! Ground first: `proto` writes the wire format, `conventions` has the names of attributes,
//! `profile` a table a backend, `resource` what is known of the process; `traces` and `logs` write
//! requests, `partial_success` reads answers; `settings` and `exporter` send.

mod conventions;
mod exporter;
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
pub use log_sink::OtlpLogSink;
pub(crate) use profile::in_header;
pub use profile::{OtlpProfile, UnknownProfile};
pub(crate) use settings::{ApiKey, Header, Settings, Signal, Target};
pub use trace_sink::OtlpSink;
