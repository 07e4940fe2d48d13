//! Sampling by whole traces, and the traces that are always kept.

use std::collections::HashMap;
use std::time::Duration;

use ragtrace::{Record, RequestContext, Sampler, TraceId, traced_stage};
use ragtrace_tests::install;

use crate::process::collecting;

#[traced_stage]
fn step(fails: bool) -> Result<(), std::fmt::Error> {
    if fails { Err(std::fmt::Error) } else { Ok(()) }
}

#[traced_stage(kind = pipeline)]
fn request(fails: bool) {
    step(false).expect("it does not fail");
    // The pipeline continues after the error.
    let _ = step(fails);
}

fn traces(sampler: Sampler, runs: impl Iterator<Item = (TraceId, bool)>) -> (HashMap<TraceId, usize>, ragtrace::Stats) {
    let (sink, seen) = collecting();
    let telemetry = install(ragtrace::builder().sample(sampler).sink(sink));
    for (id, fails) in runs {
        RequestContext::new().with_trace_id(id).sync_scope(|| request(fails));
    }
    let stats = telemetry.shutdown(Duration::from_secs(5)).stats;
    let mut traces = HashMap::new();
    for id in seen.lock().expect("nobody panicked with it").iter().filter_map(Record::trace_id) {
        *traces.entry(id).or_insert(0) += 1;
    }
    (traces, stats)
}

#[test]
fn traces_are_kept_whole_in_the_ratio_and_the_same_ones_everywhere() {
    let ids: Vec<_> = (0..2_000).map(|_| TraceId::new()).collect();
    let run = || traces(Sampler::ratio(0.25), ids.iter().map(|id| (*id, false)));
    let ((kept, stats), (again, _)) = (run(), run());
    assert!((400..600).contains(&kept.len()), "{} of 2000", kept.len());
    assert_eq!(kept, again, "another process decides the same");
    assert!(kept.values().all(|records| *records == 6), "whole traces");
    let accepted = stats.sinks[0].accepted;
    assert_eq!((accepted + stats.sampled_out, stats.held), (12_000, 0));
}

#[test]
fn errors_and_slow_traces_are_kept_whole_whatever_the_ratio() {
    let ids: Vec<_> = (0..100).map(|n| (TraceId::new(), n % 10 == 3)).collect();
    let (kept, stats) = traces(Sampler::ratio(0.0), ids.iter().copied());
    assert_eq!(kept.len(), 10);
    assert!(ids.iter().filter(|(_, fails)| *fails).all(|(id, _)| kept.get(id) == Some(&6)), "whole: {kept:?}");
    assert_eq!(stats.sampled_out, 90 * 6);
    let slow = Sampler::ratio(0.0).keep_errors(false).keep_slower_than(Duration::ZERO);
    assert_eq!(traces(slow, ids.iter().copied()).0.len(), 100, "every one takes at least no time");
    assert_eq!(traces(Sampler::ratio(0.0).keep_errors(false), ids.iter().copied()).0.len(), 0);
}

#[test]
fn what_is_held_is_bounded_and_a_cap_holds() {
    let ids: Vec<_> = (0..50).map(|_| (TraceId::new(), true)).collect();
    let none_held = Sampler::ratio(0.0).hold(0, 0, Duration::ZERO);
    let (kept, stats) = traces(none_held, ids.iter().copied());
    assert_eq!(kept.len() as u64 + u64::from(kept.is_empty()), ids.len() as u64, "the errors themselves still come");
    assert!(stats.held == 0 && stats.sinks[0].is_balanced());
    let (kept, _) = traces(Sampler::all().keep_errors(false).per_second(5), ids.iter().copied());
    assert!((5..=10).contains(&kept.len()), "{} in one second or two", kept.len());
}
