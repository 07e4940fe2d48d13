//! How fast records become what a backend takes: encoded, compressed and handed to a server on
//! loopback that accepts everything. `benches/sinks/run` runs it beside the official Python
//! clients.
//!
//! Each measurement is a process of its own, and the server another, so that the time of a process
//! is the sink's alone.

mod measure;
mod records;
mod server;
mod sinks;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve"] => server::serve(),
        ["measure", backend, mix, address] => println!("{}", sinks::measure(backend, mix, address)),
        _ => {
            eprintln!("usage: ragtrace-bench-sinks serve | measure BACKEND full|content ADDRESS");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
