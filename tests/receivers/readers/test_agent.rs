//! Datadog's test agent: it keeps each request until it is cleared.

use serde_json::Value as Json;

use super::otlp_json::{self, list};
use crate::arrived::Arrived;
use crate::http;

/// A test agent, by the URL where it takes OTLP.
#[derive(Clone, Debug)]
pub struct TestAgent(pub String);

impl TestAgent {
    /// Returns what has arrived of a trace so far.
    pub fn spans(&self, trace_id: &str) -> Vec<Arrived> {
        let requests = http::get(&format!("{}/test/session/traces", self.0)).unwrap_or(Json::Null);
        let resources = list(&requests).flat_map(|request| list(&request["resource_spans"]));
        let scopes = resources.flat_map(|resource| list(&resource["scope_spans"]));
        let spans = scopes.flat_map(|scope| list(&scope["spans"])).map(otlp_json::span);
        spans.filter(|span| span.trace_id == trace_id).collect()
    }
}
