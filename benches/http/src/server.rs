//! The server for one way of tracing, in a process of its own that is controlled through its
//! standard input.
//!
//! It prints its address. For each line that it reads, it flushes its telemetry and prints its CPU
//! time so far in nanoseconds, the number of delivered records, and the number of dropped ones. It
//! ends at the end of its input.

use std::io::{BufRead, Write};
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;

use crate::processor;
use crate::way::{Account, Way};

/// The body of each response.
pub const ANSWER: &str = "done";

/// Responds after a millisecond, like a handler that waits for a database or a cache.
async fn item(Path(id): Path<u32>) -> &'static str {
    tokio::time::sleep(Duration::from_millis(1)).await;
    std::hint::black_box(id);
    ANSWER
}

pub fn run(way: &str) -> Result<(), String> {
    if let Ok(processors) = std::env::var("SERVER_PROCESSORS") {
        processor::pin(&processors)?;
    }
    let way: Way = way.parse()?;
    let tracing = way.install()?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| error.to_string())?;
    let app = way.around(Router::new().route("/items/{id}", get(item)));
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .map_err(|error| format!("cannot listen: {error}"))?;
    let mut output = std::io::stdout().lock();
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let mut say =
        |line: String| writeln!(output, "{line}").and_then(|()| output.flush()).map_err(|error| error.to_string());
    say(address.to_string())?;
    runtime.spawn(async move { axum::serve(listener, app).await });
    for line in std::io::stdin().lock().lines() {
        line.map_err(|error| error.to_string())?;
        let Account { delivered, dropped } = tracing.flush()?;
        say(format!("{} {delivered} {dropped}", processor::process_time().as_nanos()))?;
    }
    runtime.shutdown_background();
    Ok(())
}
