//! MLflow: it keeps traces by experiment, and sums up tokens and cost of each.

use serde_json::{Value as Json, json};

use super::otlp_json::{self, list};
use crate::arrived::Arrived;
use crate::http;

/// An MLflow, by the URL where it answers.
#[derive(Clone, Debug)]
pub struct Mlflow(pub String);

/// What MLflow says of a whole trace.
#[derive(Clone, Debug)]
pub struct TraceTotals {
    /// `OK`, `ERROR`, or `IN_PROGRESS` while the root has not come.
    pub state: String,
    /// Input, output and all tokens.
    pub tokens: Option<Json>,
    /// Input, output and all cost, in US dollars.
    pub cost: Option<Json>,
}

impl Mlflow {
    /// Makes an experiment, and returns its id.
    ///
    /// # Panics
    ///
    /// If there is one of this name already.
    pub fn experiment(&self, name: &str) -> String {
        let made = http::post(&format!("{}/api/2.0/mlflow/experiments/create", self.0), &json!({ "name": name }));
        made.expect("an experiment")["experiment_id"].as_str().expect("an id").to_owned()
    }

    /// Returns what has arrived of a trace so far.
    pub fn spans(&self, trace_id: &str) -> Vec<Arrived> {
        let trace = self.trace(trace_id).unwrap_or(Json::Null);
        list(&trace["spans"]).map(otlp_json::span).collect()
    }

    /// Returns what it says of a trace.
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
