//! Serves a RAG application with a web page:
//! `cargo run --release -p ragtrace-server --example server -- --listen 127.0.0.1:8080`.

use std::process::ExitCode;

use clap::Parser;
use ragtrace_examples::parse::child;
use ragtrace_examples::report::one_line;
use ragtrace_server::Settings;

fn main() -> ExitCode {
    // A document is read by another process of this program, which does nothing else.
    child::serve();
    match ragtrace_server::run(&Settings::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", one_line(error.as_ref()));
            ExitCode::from(2)
        }
    }
}
