//! Medians, spreads and ratios as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::measure::Sample;

type Samples<'a> = BTreeMap<(&'a str, &'a str), Vec<Sample>>;

/// One table a workload.
pub fn render(samples: &Samples<'_>) -> String {
    let mut out = String::new();
    let mut workloads: Vec<&str> = samples.keys().map(|(_, workload)| *workload).collect();
    workloads.sort_unstable();
    workloads.dedup();
    let floor = median_of(samples, ("floor", "full"), |s| s.own);
    let fastrace = median_of(samples, ("fastrace", "bare"), |s| s.own);
    let fastrace_cpu = median_of(samples, ("fastrace", "bare"), |s| s.cpu);
    for workload in workloads {
        let _ = writeln!(out, "### {workload}\n");
        out.push_str("| peer | caller's ns | spread | wall ns | × floor | × fastrace bare | process CPU ns | × fastrace bare | allocations | dropped |\n");
        out.push_str("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
        let mut rows: Vec<_> = samples.iter().filter(|((_, w), _)| *w == workload).collect();
        rows.sort_by(|a, b| median(a.1, |s| s.own).total_cmp(&median(b.1, |s| s.own)));
        for ((peer, _), samples) in rows {
            let (wall, own) = (median(samples, |s| s.wall), median(samples, |s| s.own));
            let cpu = median(samples, |s| s.cpu);
            let (low, high) = (quantile(samples, 0.1), quantile(samples, 0.9));
            let allocations = median(samples, |s| s.allocations);
            // Where each thread is one of the burst's own, nobody counts.
            let allocations = if allocations.is_nan() { "–".to_owned() } else { format!("{allocations:.2}") };
            let dropped: u64 = samples.iter().map(|s| s.dropped).max().unwrap_or(0);
            let ratio = |value: f64, to: Option<f64>| to.map_or("–".to_owned(), |to| format!("{:.2}", value / to));
            let _ = writeln!(
                out,
                "| {peer} | {own:.1} | {low:.0}–{high:.0} | {wall:.1} | {} | {} | {cpu:.0} | {} | {allocations} | {dropped} |",
                ratio(own, floor),
                ratio(own, fastrace),
                ratio(cpu, fastrace_cpu),
            );
        }
        out.push('\n');
    }
    if let Some(samples) = samples.get(&("ragtrace", "texts")) {
        let worker = median(samples, |s| s.cpu - s.own);
        let _ = writeln!(
            out,
            "### The worker\n\nFrom entries to canonical JSON in a writer that forgets, with redaction: {worker:.0} ns of CPU a stage of two\n\
             records with three texts, some 600 bytes each: {:.2} million records a second and core.\n",
            2_000.0 / worker
        );
    }
    out
}

fn median_of(samples: &Samples<'_>, key: (&str, &str), of: impl Fn(&Sample) -> f64) -> Option<f64> {
    samples.get(&key).map(|samples| median(samples, of))
}

fn median(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> f64 {
    let mut values: Vec<f64> = samples.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn quantile(samples: &[Sample], q: f64) -> f64 {
    let mut values: Vec<f64> = samples.iter().map(|s| s.own).collect();
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * q).round() as usize]
}
