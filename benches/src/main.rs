//! Measures the cost of a stage for its caller, compared with the peers.
//!
//! Each peer and workload runs in a process of its own, in rounds of random order. The parent
//! process prints medians, and medians of the ratios within a round. `./scripts/bench` runs this
//! program.

mod drive;
mod instructions;
mod measure;
mod peers;
mod requests;
mod table;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["one", peer, workload] => drive::one(peer, workload),
        ["instructions", peer, workload, stages] => drive::for_valgrind(peer, workload, stages),
        ["instructions"] => instructions::table(),
        [] => drive::all(15, &[]),
        ["only", ref peers @ ..] => drive::all(5, peers),
        _ => {
            eprintln!("usage: stage-cost [only PEER…] | one PEER WORKLOAD | instructions [PEER WORKLOAD STAGES]");
            ExitCode::from(2)
        }
    }
}
