//! Readers of the spans that arrived, one per receiver. All receivers use OTLP's own terms; three
//! return them as JSON, each in a slightly different form, and one as text for people. `recorder`
//! is different: it returns the requests as they came.

mod mlflow;
mod otlp_json;
mod phoenix;
mod recorder;
mod rotel;
mod test_agent;

pub use mlflow::{Mlflow, TraceTotals};
pub use phoenix::Phoenix;
pub use recorder::Recorder;
pub use rotel::Rotel;
pub use test_agent::TestAgent;
