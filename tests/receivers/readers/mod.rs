//! How each receiver tells what arrived. All of them know OTLP's own terms; three tell them as JSON, each a little
//! differently, and one as text for people.

mod mlflow;
mod otlp_json;
mod phoenix;
mod rotel;
mod test_agent;

pub use mlflow::{Mlflow, TraceTotals};
pub use phoenix::Phoenix;
pub use rotel::Rotel;
pub use test_agent::TestAgent;
