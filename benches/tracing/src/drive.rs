//! Runs one process per way, workload and repetition, and prints the table.

use std::collections::BTreeMap;
use std::process::Command;

use crate::measure::Sample;
use crate::{table, way, workload};

/// The number of lines or stages in a burst, which is less than the default queue holds.
pub const BURST: usize = 20_000;

/// Measures one way and workload in this process, and prints the sample.
pub fn one(way: &str, workload: &str, times: &str) -> Result<(), String> {
    let times = times.parse().map_err(|_| format!("no number of times: {times}"))?;
    let installed = way::install(way, workload).ok_or_else(|| format!("no way: {way}"))?;
    let sample =
        workload::run(workload, times, || installed.flush()).ok_or_else(|| format!("no workload: {workload}"))?;
    let Sample { wall, own, cpu, allocations, dropped } = sample;
    println!("{wall} {own} {cpu} {allocations} {dropped}");
    Ok(())
}

/// Measures everything, once a round in random order, and prints the table.
pub fn all(rounds: usize, times: usize) -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut runs = way::all();
    let mut samples: BTreeMap<(&str, &str), Vec<Sample>> = BTreeMap::new();
    for round in 1..=rounds {
        fastrand::shuffle(&mut runs);
        for (way, workload) in &runs {
            eprint!("\r{round}/{rounds} {way} {workload}                    ");
            let output = Command::new(&program)
                .args(["one", way, workload, &times.to_string()])
                .output()
                .map_err(|error| format!("the program does not start: {error}"))?;
            let text = String::from_utf8_lossy(&output.stdout);
            let numbers: Vec<f64> = text.split_whitespace().filter_map(|number| number.parse().ok()).collect();
            let [wall, own, cpu, allocations, dropped] = numbers[..] else {
                return Err(format!("{way} {workload}: {} {}", output.status, String::from_utf8_lossy(&output.stderr)));
            };
            let sample = Sample { wall, own, cpu, allocations, dropped: dropped as u64 };
            samples.entry((way, workload)).or_default().push(sample);
        }
    }
    eprintln!();
    print!("{}", table::render(&samples));
    Ok(())
}
