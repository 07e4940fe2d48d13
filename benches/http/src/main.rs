//! The cost of the layer for HTTP services a request, beside its peers.
//!
//! A server in a process of its own answers after a millisecond; a client in another asks it at a
//! fixed rate, half of what the bare server can do. Each way to trace the requests gets a server of
//! its own, once a round, in random order; the table has medians, and medians of the ratios within
//! a round. `./scripts/bench http` calls it.

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
