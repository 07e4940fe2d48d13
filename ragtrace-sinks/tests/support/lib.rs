//! Support for the tests of sinks over HTTP: loopback servers that misbehave as told, a proxy,
//! certificates, and the matrix that compares a sink's verdicts with a table.

mod answer;
mod certificates;
mod matrix;
mod proxy;
mod received;
mod records;
mod server;
mod wire;

pub use answer::Answer;
pub use certificates::{Authority, Certificate};
pub use matrix::{Expected, Matrix};
pub use proxy::Proxy;
pub use received::Received;
pub use records::batch;
pub use server::{Server, ServerBuilder, closed_port};
