//! Formats medians and ratios as Markdown.
//!
//! A ratio is the median of the ratios in each round, because the speed of a shared machine varies
//! over time but changes little within a round.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::measure::Sample;
use crate::workload::{LINES, STAGE};

type Key<'a> = (&'a str, &'a str);
type Samples<'a> = BTreeMap<Key<'a>, Vec<Sample>>;

/// Returns the targets, a table for lines and a table for stages.
pub fn render(samples: &Samples<'_>) -> String {
    let mut out = "### What is wanted\n\n| a line inside a stage, caller's CPU with our layer: × fmt's JSON | measured | wanted | |\n\
                   | --- | ---: | ---: | --- |\n"
        .to_owned();
    for line in LINES {
        let measured = ratio(samples, ("ragtrace", line), ("fmt-json", line), |sample| sample.own);
        // Rounded as in the output.
        let verdict = if (measured * 100.0).round() <= 20.0 { "met" } else { "missed" };
        let _ = writeln!(out, "| {line} | {measured:.2} | at most 0.20 | {verdict} |");
    }
    for line in LINES {
        let what = format!("a line: {line}");
        rows(&mut out, samples, &what, line, ("fmt-json", line), "× fmt's JSON");
    }
    rows(&mut out, samples, "a stage with two numbers", STAGE, ("no-layer", STAGE), "× without a layer");
    out
}

/// Writes a row for each way that has the workload.
fn rows(out: &mut String, samples: &Samples<'_>, what: &str, workload: &str, base: Key<'_>, over: &str) {
    let _ = writeln!(
        out,
        "\n### {what}\n\n| way | caller's ns | spread | {over} | process CPU ns | {over} | allocations | dropped |"
    );
    out.push_str("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
    let mut ways: Vec<_> = samples.iter().filter(|((_, of), _)| *of == workload).collect();
    ways.sort_by(|a, b| median(a.1, |sample| sample.own).total_cmp(&median(b.1, |sample| sample.own)));
    for (key, of_way) in ways {
        let own = of_way.iter().map(|sample| sample.own);
        let (low, high) = own.fold((f64::MAX, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        let _ = writeln!(
            out,
            "| {} | {:.1} | {low:.0}–{high:.0} | {:.2} | {:.0} | {:.2} | {:.2} | {} |",
            key.0,
            median(of_way, |sample| sample.own),
            ratio(samples, *key, base, |sample| sample.own),
            median(of_way, |sample| sample.cpu),
            ratio(samples, *key, base, |sample| sample.cpu),
            median(of_way, |sample| sample.allocations),
            of_way.iter().map(|sample| sample.dropped).max().unwrap_or(0),
        );
    }
}

fn ratio(samples: &Samples<'_>, key: Key<'_>, to: Key<'_>, of: impl Fn(&Sample) -> f64) -> f64 {
    let (Some(of_key), Some(of_other)) = (samples.get(&key), samples.get(&to)) else { return f64::NAN };
    middle(of_key.iter().zip(of_other).map(|(one, other)| of(one) / of(other)))
}

fn median(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> f64 {
    middle(samples.iter().map(of))
}

fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
