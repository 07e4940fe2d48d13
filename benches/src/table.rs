//! Formats medians, spreads and ratios as Markdown.
//!
//! A ratio is the median of the ratios in each round, because the speed of a shared machine varies
//! over time but changes little within a round.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::measure::Sample;

type Key<'a> = (&'a str, &'a str);
/// One sample for each round.
type Samples<'a> = BTreeMap<Key<'a>, Vec<Sample>>;

const FLOOR: Key<'static> = ("floor", "full");
const FASTRACE: Key<'static> = ("fastrace", "bare");
const REQUEST: Key<'static> = ("ragtrace", "request");
const FASTRACE_REQUEST: Key<'static> = ("fastrace", "request");
const FULL: Key<'static> = ("ragtrace", "full");
const TEXTS: Key<'static> = ("ragtrace", "texts");

/// Returns the targets, if everything was measured, and one table for each workload.
pub fn render(samples: &Samples<'_>) -> String {
    let mut out = wanted(samples);
    let mut workloads: Vec<&str> = samples.keys().map(|(_, workload)| *workload).collect();
    workloads.sort_unstable();
    workloads.dedup();
    for workload in workloads {
        let _ = writeln!(out, "### {workload}\n");
        out.push_str("| peer | caller's ns | spread | wall ns | × floor | × fastrace bare | process CPU ns | × fastrace bare | allocations | dropped |\n");
        out.push_str("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
        let mut rows: Vec<_> = samples.iter().filter(|((_, w), _)| *w == workload).collect();
        rows.sort_by(|a, b| median(a.1, own).total_cmp(&median(b.1, own)));
        for (key, samples_of) in rows {
            let (wall, own_time) = (median(samples_of, |s| s.wall), median(samples_of, own));
            let process = median(samples_of, cpu);
            let (low, high) = (quantile(samples_of, 0.1), quantile(samples_of, 0.9));
            let allocations = median(samples_of, |s| s.allocations);
            // Allocations are not counted where the burst starts its own threads.
            let allocations = if allocations.is_nan() { "–".to_owned() } else { format!("{allocations:.2}") };
            let dropped: u64 = samples_of.iter().map(|s| s.dropped).max().unwrap_or(0);
            let shown = |ratio: Option<f64>| ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
            let _ = writeln!(
                out,
                "| {} | {own_time:.1} | {low:.0}–{high:.0} | {wall:.1} | {} | {} | {process:.0} | {} | {allocations} | {dropped} |",
                key.0,
                shown(ratio(samples, *key, FLOOR, own)),
                shown(ratio(samples, *key, FASTRACE, own)),
                shown(ratio(samples, *key, FASTRACE, cpu)),
            );
        }
        out.push('\n');
    }
    if let Some(worker) = worker(samples) {
        let _ = writeln!(
            out,
            "### The worker\n\nFrom entries to canonical JSON in a writer that forgets, with redaction: {worker:.0} ns of CPU a stage of two\n\
             records with three texts, some 600 bytes each: {:.2} million records a second and core.\n",
            2_000.0 / worker
        );
    }
    out
}

/// Returns the table of targets, which says for each if it is met.
fn wanted(samples: &Samples<'_>) -> String {
    let of = |key, to, of: fn(&Sample) -> f64| ratio(samples, key, to, of);
    let polls = pairs(samples, ("ragtrace", "polls"), ("plain", "polls"), own, |a, b| (a - b) / 100.0);
    let allocations = samples.get(&FULL).map(|samples| median(samples, |s| s.allocations));
    let records = worker(samples).map(|worker| 2_000.0 / worker);
    let at_most = [
        ("full stage, caller: × fastrace's bare span", of(FULL, FASTRACE, own), 0.35),
        ("the same: × the floor", of(FULL, FLOOR, own), 2.5),
        ("the same: × a Tracy zone with the same values", of(FULL, ("tracy", "full"), own), 1.4),
        ("full stage, process CPU: × fastrace's bare span", of(FULL, FASTRACE, cpu), 0.30),
        ("request, ten full stages and the root, caller: × fastrace's bare", of(REQUEST, FASTRACE_REQUEST, own), 0.30),
        ("the same, process CPU", of(REQUEST, FASTRACE_REQUEST, cpu), 0.30),
        (
            "off: × `tracing::instrument` without a subscriber",
            of(("ragtrace-off", "off"), ("tracing-off", "off"), own),
            1.0,
        ),
        ("allocations on the caller's thread without texts", allocations, 0.0),
        ("100 polls: ns a poll over the plain future", polls, 35.0),
        (
            "two callers: CPU a stage × one caller's",
            of(("ragtrace", "two-threads"), ("ragtrace", "one-thread"), own),
            1.15,
        ),
    ];
    let rows: Option<Vec<_>> =
        at_most.iter().map(|(what, measured, most)| Some((*what, (*measured)?, *most))).collect();
    let (Some(rows), Some(records)) = (rows, records) else { return String::new() };
    let mut out = "### What is wanted\n\n| | measured | wanted | |\n| --- | ---: | ---: | --- |\n".to_owned();
    let verdict = |is_met: bool| if is_met { "met" } else { "missed" };
    for (what, measured, most) in rows {
        // Rounded as in the output.
        let is_met = (measured * 100.0).round() <= most * 100.0;
        let _ = writeln!(out, "| {what} | {measured:.2} | at most {most:.2} | {} |", verdict(is_met));
    }
    let what = "the worker: million records a second and core";
    let _ = writeln!(out, "| {what} | {records:.2} | at least 1.50 | {} |\n", verdict(records >= 1.5));
    out
}

fn own(sample: &Sample) -> f64 {
    sample.own
}

fn cpu(sample: &Sample) -> f64 {
    sample.cpu
}

/// Returns the worker's CPU time for a stage with texts.
fn worker(samples: &Samples<'_>) -> Option<f64> {
    samples.get(&TEXTS).map(|samples| median(samples, |s| s.cpu - s.own))
}

fn ratio(samples: &Samples<'_>, key: Key<'_>, to: Key<'_>, of: impl Fn(&Sample) -> f64) -> Option<f64> {
    pairs(samples, key, to, of, |a, b| a / b)
}

/// Returns the median over all rounds of `with` applied to the two values of a round.
fn pairs(
    samples: &Samples<'_>,
    key: Key<'_>,
    to: Key<'_>,
    of: impl Fn(&Sample) -> f64,
    with: impl Fn(f64, f64) -> f64,
) -> Option<f64> {
    let (all, others) = (samples.get(&key)?, samples.get(&to)?);
    Some(middle(all.iter().zip(others).map(|(one, other)| with(of(one), of(other)))))
}

fn median(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> f64 {
    middle(samples.iter().map(of))
}

fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn quantile(samples: &[Sample], q: f64) -> f64 {
    let mut values: Vec<f64> = samples.iter().map(own).filter(|value| !value.is_nan()).collect();
    values.sort_by(f64::total_cmp);
    values.get((values.len().saturating_sub(1) as f64 * q).round() as usize).copied().unwrap_or(f64::NAN)
}
