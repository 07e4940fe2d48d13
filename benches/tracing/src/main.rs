//! Measures the cost of the layer of `ragtrace` for a `tracing` event inside a stage, compared with
//! the JSON layer of `fmt`, and its cost for a stage that is shown to other layers.
//!
//! Each way and workload runs in a process of its own, in rounds of random order. The parent
//! process prints medians, and medians of the ratios within a round. `./scripts/bench tracing` runs
//! this program.

mod drive;
#[path = "../../src/measure.rs"]
#[expect(dead_code, reason = "the benchmark of stages also uses the parts for threads and polls")]
mod measure;
mod table;
mod way;
mod workload;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => drive::all(15, drive::BURST),
        ["small"] => drive::all(1, 200),
        ["one", way, workload, times] => drive::one(way, workload, times),
        _ => {
            eprintln!("usage: ragtrace-bench-tracing [small | one WAY WORKLOAD TIMES]");
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
