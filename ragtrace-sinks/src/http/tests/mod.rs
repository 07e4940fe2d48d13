//! Tests of the client against loopback servers that misbehave as told.

mod body;
mod client;
mod endpoints;
mod failures;
mod keys;
mod matrix;
mod proxies;
mod tls;
mod verdicts;

use std::ffi::OsString;
use std::time::Duration;

use ragtrace::sink::SinkError;

use super::{Answer, Client, ClientBuilder, Endpoint, Request};

/// Returns a builder without an environment, with timeouts that suit a test.
fn builder() -> ClientBuilder {
    Client::builder().variables(&|_| None).timeout(Duration::from_secs(20)).connect_timeout(Duration::from_secs(10))
}

/// Returns a client in an environment with these variables.
fn with_variables(set: &[(&str, &str)]) -> Client {
    let lookup = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
    builder().variables(&lookup).build()
}

fn endpoint(url: &str) -> Endpoint {
    url.parse().expect("a URL")
}

fn post(url: &str) -> Request {
    Request::post(&endpoint(url)).body("text/plain", &super::Body::plain("hello"))
}

/// Sends a request and returns the outcome, on a runtime like the pipeline's.
fn send(client: &Client, request: &Request) -> Result<Answer, SinkError> {
    run(client.send(request))
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}
