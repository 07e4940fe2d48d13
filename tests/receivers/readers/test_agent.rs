//! Reads from Datadog's test agent, which keeps each request until it is cleared.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::otlp_json::{self, list};
use crate::arrived::Arrived;
use crate::http;

/// A test agent.
#[derive(Clone, Debug)]
pub struct TestAgent {
    /// The URL at which it answers as an Agent does.
    pub url: String,
    /// The URL at which it accepts OTLP.
    pub otlp_url: String,
}

impl TestAgent {
    /// Returns the spans of a trace that have arrived so far over OTLP.
    pub fn spans(&self, trace_id: &str) -> Vec<Arrived> {
        let requests = http::get(&format!("{}/test/session/traces", self.otlp_url)).unwrap_or(Json::Null);
        let resources = list(&requests).flat_map(|request| list(&request["resource_spans"]));
        let scopes = resources.flat_map(|resource| list(&resource["scope_spans"]));
        let spans = scopes.flat_map(|scope| list(&scope["spans"])).map(otlp_json::span);
        spans.filter(|span| span.trace_id == trace_id).collect()
    }

    /// Returns the events for LLM Observability that have arrived of a trace so far.
    ///
    /// # Panics
    ///
    /// Panics if a body is not JSON.
    pub fn llm_observability(&self, trace_id: &str) -> Vec<Json> {
        const PATH: &str = "/evp_proxy/v2/api/v2/llmobs";
        let requests = http::get(&format!("{}/test/session/requests", self.url)).unwrap_or(Json::Null);
        let of_path = list(&requests).filter(|request| request["url"].as_str().is_some_and(|url| url.ends_with(PATH)));
        let bodies = of_path.map(|request| {
            let body = STANDARD.decode(request["body"].as_str().expect("a body")).expect("base64");
            serde_json::from_slice::<Json>(&body).expect("JSON")
        });
        let events = bodies.flat_map(|body| list(&body).cloned().collect::<Vec<_>>());
        events.filter(|event| list(&event["spans"]).any(|span| span["trace_id"] == trace_id)).collect()
    }
}
