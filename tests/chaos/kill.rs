//! Processes that are killed at random moments: every run reported as safe arrives, and nothing
//! arrives twice.

use std::time::Duration;

use ragtrace_tests::Trace;

use crate::process::{Work, Workdir};

const ROUNDS: u64 = 50;
const RUNS_A_ROUND: u64 = 10_000;

/// Kills a child repeatedly, each time after up to `flushes` flushes and a while, and returns the
/// runs that were reported as safe.
pub(crate) fn kill_often(workdir: &Workdir, work: Work, rounds: u64, flushes: usize) -> Vec<u64> {
    let mut safe = Vec::new();
    for round in 0..rounds {
        let from = round * RUNS_A_ROUND;
        let mut child = workdir.start(Work { from, runs: RUNS_A_ROUND, ..work });
        let mut said: Vec<String> = (0..fastrand::usize(1..=flushes)).filter_map(|_| child.line()).collect();
        std::thread::sleep(Duration::from_micros(fastrand::u64(..60_000)));
        said.extend(child.kill());
        let last = said.iter().filter_map(|line| line.strip_prefix("safe ")?.parse::<u64>().ok()).max();
        safe.extend(from..last.unwrap_or(from));
    }
    safe
}

fn assert_all_arrive(workdir: &Workdir, safe: &[u64]) {
    println!("{}", workdir.drain_with("errors").trim_end());
    let arrived = workdir.arrived();
    let missing: Vec<_> = safe
        .iter()
        .flat_map(|number| [false, true].map(|is_end| Trace { number: *number, is_end }))
        .filter(|trace| !arrived.contains(trace))
        .collect();
    assert!(missing.is_empty(), "{} of {} are missing: {:?}", missing.len(), safe.len() * 2, missing.first());
    println!("{} records were safe, {} arrived", safe.len() * 2, arrived.len());
}

#[test]
fn what_flush_returned_for_survives_being_killed_when_durable() {
    let workdir = Workdir::new();
    let work = Work { manner: "flaky", durability: "durable", ..Work::default() };
    let safe = kill_often(&workdir, work, ROUNDS, 1);
    assert!(safe.len() > 1_000, "only {} were safe", safe.len());
    assert_all_arrive(&workdir, &safe);
}

#[test]
fn what_is_spooled_survives_being_killed() {
    let workdir = Workdir::new();
    let work = Work { manner: "down", ..Work::default() };
    let safe = kill_often(&workdir, work, ROUNDS, 1);
    assert!(safe.len() > 1_000, "only {} were safe", safe.len());
    assert_all_arrive(&workdir, &safe);
}

#[test]
fn a_crash_between_the_halves_of_a_batch_repeats_nothing() {
    let workdir = Workdir::new();
    let work = Work { manner: "splitting", durability: "durable", ..Work::default() };
    let safe = kill_often(&workdir, work, ROUNDS / 2, 1);
    assert_all_arrive(&workdir, &safe);
}

#[test]
fn what_the_sampler_holds_survives_being_killed_when_durable() {
    let workdir = Workdir::new();
    // The traces are undecided at most flushes, and are kept or found open by the next process.
    let work = Work { task: "traces", manner: "flaky", durability: "durable", sampler: "errors", ..Work::default() };
    let safe = kill_often(&workdir, work, ROUNDS, 12);
    assert!(safe.len() >= 500, "only {} were safe", safe.len());
    assert_all_arrive(&workdir, &safe);
}

#[test]
fn a_trace_that_was_open_when_its_process_was_killed_is_decided_by_the_next_one() {
    for (sampler, arrives) in [("errors", true), ("slow", false)] {
        let workdir = Workdir::new();
        let work = Work { task: "hold-open", durability: "durable", runs: 100, sampler, ..Work::default() };
        let mut child = workdir.start(work);
        while child.line().expect("it holds before it ends") != "holding" {}
        assert!(workdir.arrived().is_empty(), "nothing was decided");
        child.kill();
        let said = workdir.drain_with(sampler);
        let (arrived, recovered, left_out) = if arrives { (200, 201, 0) } else { (0, 0, 201) };
        assert_eq!(workdir.arrived().len(), arrived, "{said}");
        assert!(said.contains(&format!("recovered={recovered} ")), "the trace's own start is one: {said}");
        assert!(said.trim_end().ends_with(&format!("sampled_out={left_out}")), "{said}");
        assert!(workdir.drain().contains("recovered=0 "), "it is decided once");
    }
}
