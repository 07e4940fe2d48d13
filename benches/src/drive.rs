//! Runs one process per peer, workload and repetition, and prints the table.

use std::collections::BTreeMap;
use std::process::{Command, ExitCode};

use crate::measure::Sample;
use crate::{peers, table};

/// The number of stages in a burst, which is the number that the default queue holds.
pub const BURST: usize = 40_000;

/// Measures one peer and workload in this process, and prints the sample.
pub fn one(peer: &str, workload: &str) -> ExitCode {
    match peers::run(peer, workload, BURST) {
        Some(Sample { wall, own, cpu, allocations, dropped }) => {
            println!("{wall} {own} {cpu} {allocations} {dropped}");
            ExitCode::SUCCESS
        }
        None => ExitCode::from(3),
    }
}

/// Runs a burst of the given size, for use under `valgrind --tool=callgrind`.
pub fn for_valgrind(peer: &str, workload: &str, stages: &str) -> ExitCode {
    match peers::run(peer, workload, stages.parse().unwrap_or(1_000)) {
        Some(_) => ExitCode::SUCCESS,
        None => ExitCode::from(3),
    }
}

/// Measures all peers or the named ones, once a round in random order, and prints the table.
pub fn all(rounds: usize, only: &[&str]) -> ExitCode {
    let program = std::env::current_exe().expect("this program has a path");
    let mut runs: Vec<(&str, &str)> = Vec::new();
    for (peer, workloads) in peers::ALL {
        if only.is_empty() || only.contains(peer) {
            runs.extend(workloads.iter().map(|workload| (*peer, *workload)));
        }
    }
    let mut samples: BTreeMap<(&str, &str), Vec<Sample>> = BTreeMap::new();
    for round in 1..=rounds {
        fastrand::shuffle(&mut runs);
        for (peer, workload) in &runs {
            eprint!("\r{round}/{rounds} {peer} {workload}          ");
            let output = Command::new(&program).args(["one", peer, workload]).output().expect("it starts");
            let text = String::from_utf8_lossy(&output.stdout);
            let numbers: Vec<f64> = text.split_whitespace().filter_map(|number| number.parse().ok()).collect();
            let sample = match numbers[..] {
                [wall, own, cpu, allocations, dropped] if output.status.success() => {
                    Sample { wall, own, cpu, allocations, dropped: dropped as u64 }
                }
                _ => {
                    eprintln!("\n{peer} {workload}: {} {}", output.status, String::from_utf8_lossy(&output.stderr));
                    Sample::MISSING
                }
            };
            samples.entry((peer, workload)).or_default().push(sample);
        }
    }
    eprintln!();
    print!("{}", table::render(&samples));
    ExitCode::SUCCESS
}
