//! Reads from Arize Phoenix, which keeps spans by project, to the microsecond.

use serde_json::Value as Json;

use super::otlp_json::{self, list};
use crate::arrived::Arrived;
use crate::http;

/// A project of a Phoenix server.
#[derive(Clone, Debug)]
pub struct Phoenix {
    /// The server's URL.
    pub url: String,
    /// The project's name.
    pub project: String,
}

impl Phoenix {
    /// Returns the spans of a trace that have arrived so far.
    pub fn spans(&self, trace_id: &str) -> Vec<Arrived> {
        let Self { url, project } = self;
        let mut arrived = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = http::get(&format!("{url}/v1/projects/{project}/spans/otlpv1?limit=1000{cursor}"));
            let Some(page) = page else { return arrived };
            arrived.extend(list(&page["data"]).map(otlp_json::span).filter(|span| span.trace_id == trace_id));
            let Json::String(next) = &page["next_cursor"] else { return arrived };
            cursor = format!("&cursor={next}");
        }
    }
}
