//! Measures the speed at which sinks encode records, compress them and send them to a server on the
//! loopback interface that accepts everything. `benches/sinks/run` runs this program and the
//! official Python clients.
//!
//! Each measurement is a process of its own, and so is the server, so that a process's time is that
//! of its sink alone.

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
