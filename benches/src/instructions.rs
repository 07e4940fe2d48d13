//! Counts instructions with `valgrind --tool=callgrind`. The counts do not depend on the machine's
//! load, but they are not times: an instruction that waits for memory counts as one.

use std::process::{Command, ExitCode};

use crate::requests::requests_of;

/// The number of stages in a burst. Each program runs two bursts.
const STAGES: usize = 20_000;
/// The maximum number of instructions for a request apart from its stages.
const MOST_OF_A_REQUEST: f64 = 1_400.0;

/// Counts the instructions of a stage and of a request, and prints the table.
pub fn table() -> ExitCode {
    let caller = |peer, workload| count(peer, workload, STAGES, true) / 2.0;
    // The difference between two sizes excludes work that a program does once.
    let process = |peer, workload| {
        let counted = |stages| count(peer, workload, stages, false);
        (counted(2 * STAGES) - counted(STAGES)) / 2.0
    };
    let a_stage = |counted: f64| counted / STAGES as f64;
    let a_request = |counted: f64| counted / requests_of(STAGES) as f64;
    println!("| | caller | process |\n| --- | ---: | ---: |");
    let mut bare = [f64::NAN; 2];
    let mut of_one = [f64::NAN; 2];
    for (peer, workload, what) in [
        ("ragtrace-off", "off", "a stage, off"),
        ("ragtrace", "bare", "a stage, bare"),
        ("ragtrace", "full", "a stage, full"),
        ("ragtrace", "request-of-one", "a request of one bare stage"),
    ] {
        let counted = [a_stage(caller(peer, workload)), a_stage(process(peer, workload))];
        println!("| {what} | {:.0} | {:.0} |", counted[0], counted[1]);
        match workload {
            "bare" => bare = counted,
            "request-of-one" => of_one = counted,
            _ => {}
        }
    }
    let own = [of_one[0] - bare[0], of_one[1] - bare[1]];
    println!("| a request's own: the same without its stage | {:.0} | {:.0} |", own[0], own[1]);
    for (peer, what) in [
        ("ragtrace", "a request: ten full stages and the root"),
        ("fastrace", "ten bare spans and a root of fastrace's"),
    ] {
        let counted = [a_request(caller(peer, "request")), a_request(process(peer, "request"))];
        println!("| {what} | {:.0} | {:.0} |", counted[0], counted[1]);
    }
    let verdict = if own[0].round() <= MOST_OF_A_REQUEST { "met" } else { "missed" };
    println!("\nA request's own, caller: {:.0}, wanted at most {MOST_OF_A_REQUEST:.0}: {verdict}.", own[0]);
    ExitCode::SUCCESS
}

/// Counts the instructions of the two bursts of a program: on the caller's thread, or of the whole
/// process.
fn count(peer: &str, workload: &str, stages: usize, on_caller: bool) -> f64 {
    let program = std::env::current_exe().expect("this program has a path");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    // Counts all threads from their start, but nothing before `main`, where a peer measures the
    // processor's counter for a fixed time.
    let counted: &[_] = if on_caller { &["*run_burst*"] } else { &["main", "*thread_start*"] };
    valgrind.args(counted.iter().map(|function| format!("--toggle-collect={function}")));
    let output = valgrind.arg(program).args(["instructions", peer, workload, &stages.to_string()]).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stderr).into_owned()).unwrap_or_default();
    let collected = text.lines().find_map(|line| line.split_once("Collected : "));
    let counted = collected.and_then(|(_, number)| number.trim().parse().ok());
    counted.unwrap_or_else(|| panic!("valgrind has counted nothing for {peer} {workload}: {text}"))
}
