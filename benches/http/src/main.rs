//! Measures the cost per request of the layer for HTTP services, compared with its peers.
//!
//! A server in its own process responds after a millisecond. A client in another process sends
//! requests at a fixed rate, half of the bare server's maximum. Each way of tracing requests has a
//! server of its own, which runs once a round, in random order. The table shows medians, and
//! medians of the ratios within a round. `./scripts/bench http` runs this program.

mod client;
mod drive;
mod processor;
mod server;
mod table;
mod way;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", way] => server::run(way),
        [] => drive::measure(),
        ["small"] => drive::small(),
        _ => {
            eprintln!("usage: ragtrace-bench-http [small | serve WAY]");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
