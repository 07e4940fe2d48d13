//! Reads from MLflow, which keeps traces by experiment, and sums up the tokens and cost of each.

use serde_json::{Value as Json, json};

use super::otlp_json::{self, list};
use crate::arrived::Arrived;
use crate::http;

/// An MLflow server, by its URL.
#[derive(Clone, Debug)]
pub struct Mlflow(pub String);

/// MLflow's summary of a whole trace.
#[derive(Clone, Debug)]
pub struct TraceTotals {
    /// The state: `OK`, `ERROR`, or `IN_PROGRESS` before the root has arrived.
    pub state: String,
    /// The numbers of input, output and all tokens.
    pub tokens: Option<Json>,
    /// The cost of input, output and both, in US dollars.
    pub cost: Option<Json>,
}

impl Mlflow {
    /// Creates an experiment, and returns its id.
    ///
    /// # Panics
    ///
    /// Panics if there is one with this name already.
    pub fn experiment(&self, name: &str) -> String {
        let made = http::post(&format!("{}/api/2.0/mlflow/experiments/create", self.0), &json!({ "name": name }));
        made.expect("an experiment")["experiment_id"].as_str().expect("an id").to_owned()
    }

    /// Returns the spans of a trace that have arrived so far.
    pub fn spans(&self, trace_id: &str) -> Vec<Arrived> {
        let trace = self.trace(trace_id).unwrap_or(Json::Null);
        list(&trace["spans"]).map(otlp_json::span).collect()
    }

    /// Returns the summary of a trace.
    pub fn totals(&self, trace_id: &str) -> Option<TraceTotals> {
        let trace = self.trace(trace_id)?;
        let info = &trace["trace_info"];
        let of = |name: &str| serde_json::from_str(info["trace_metadata"][name].as_str()?).ok();
        Some(TraceTotals {
            state: info["state"].as_str()?.to_owned(),
            tokens: of("mlflow.trace.tokenUsage"),
            cost: of("mlflow.trace.cost"),
        })
    }

    fn trace(&self, trace_id: &str) -> Option<Json> {
        let answer = http::get(&format!("{}/api/3.0/mlflow/traces/get?trace_id=tr-{trace_id}", self.0))?;
        Some(answer["trace"].clone())
    }
}
