//! Tests OTLP over loopback. Requests are decoded by the messages of the crate
//! `opentelemetry-proto`.

mod encoding;
mod environment;
mod fixture;
mod json;
mod logs;
mod partial_success;
mod profiles;
mod receiver;
mod requests;
mod resources;
mod spans;
mod statuses;
