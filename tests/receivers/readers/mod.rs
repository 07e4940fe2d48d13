//! How each receiver tells what arrived. All of them know OTLP's own terms; three tell them as
//! JSON, each a little differently, and one as text for people. `recorder` is none: it shows
//! requests as they came.

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
