//! Formats medians and ratios as Markdown.
//!
//! A ratio is the median of the ratios in each round, because the speed of a shared machine varies
//! over time but changes little within a round.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::way::{Account, Way};

/// The results of one run of a server.
pub struct Sample {
    pub requests: u64,
    /// The median latency in milliseconds.
    pub half: f64,
    /// The 99th percentile of the latency in milliseconds.
    pub most: f64,
    /// The 99th percentile of the client's own delay in milliseconds.
    pub late: f64,
    /// The server's user and system time per request, in microseconds.
    pub processor: f64,
    pub account: Account,
}

type Samples = BTreeMap<Way, Vec<Sample>>;

/// Returns the list of targets, and a table with a row for each way.
pub fn render(samples: &Samples, most: f64, rate: f64, seconds: f64) -> String {
    let rounds = samples.values().map(Vec::len).min().unwrap_or(0);
    let mut out = format!(
        "The bare server answers {most:.0} requests a second at most; each way was asked {rate:.0} times a second for\n\
         {seconds:.0} s, {rounds} times.\n\n### What is wanted\n\n| | measured | wanted | |\n| --- | ---: | ---: | --- |\n"
    );
    let bare = |way, of: fn(&Sample) -> f64| ratio(samples, way, Way::Bare, of);
    let verdict = |is_met: bool| if is_met { "met" } else { "missed" };
    for (what, measured, wanted) in [
        ("p99 with our layer: × bare", bare(Way::Ragtrace, p99), 1.1),
        ("CPU a request with our layer: × bare", bare(Way::Ragtrace, processor), 1.15),
        ("p99 with our layer and no store: × bare", bare(Way::RagtraceDiscard, p99), 1.1),
        ("CPU a request with our layer and no store: × bare", bare(Way::RagtraceDiscard, processor), 1.15),
    ] {
        // Rounded as in the output.
        let is_met = (measured * 100.0).round() <= wanted * 100.0;
        let _ = writeln!(out, "| {what} | {measured:.2} | at most {wanted:.2} | {} |", verdict(is_met));
    }
    for (ours, with) in [(Way::Ragtrace, "with our layer"), (Way::RagtraceDiscard, "with our layer and no store")] {
        for peer in [Way::TowerHttp, Way::OpenTelemetry] {
            for (what, of) in [("p99", p99 as fn(&Sample) -> f64), ("CPU a request", processor)] {
                let measured = ratio(samples, ours, peer, of);
                let _ = writeln!(
                    out,
                    "| {what} {with}: × {peer} | {measured:.2} | below 1 | {} |",
                    verdict(measured < 1.0)
                );
            }
        }
    }
    let dropped: u64 = samples.get(&Way::Ragtrace).into_iter().flatten().map(|sample| sample.account.dropped).sum();
    let missing: u64 = samples.get(&Way::Ragtrace).into_iter().flatten().map(missing).sum();
    let _ = writeln!(out, "| records of our layer that were dropped | {dropped} | 0 | {} |", verdict(dropped == 0));
    let _ = writeln!(out, "| records missing of two a request | {missing} | 0 | {} |\n", verdict(missing == 0));

    out.push_str("| way | p50 ms | × bare | p99 ms | spread | × bare | CPU µs a request | spread | × bare | client late, p99 ms |\n");
    out.push_str("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
    for (way, of_way) in samples {
        let spread = |of: fn(&Sample) -> f64, digits: usize| {
            let values = of_way.iter().map(of);
            let (low, high) = values.fold((f64::MAX, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
            format!("{low:.digits$}–{high:.digits$}")
        };
        let _ = writeln!(
            out,
            "| {way} | {:.2} | {:.2} | {:.2} | {} | {:.2} | {:.1} | {} | {:.2} | {:.3} |",
            median(of_way.iter().map(p50)),
            bare(*way, p50),
            median(of_way.iter().map(p99)),
            spread(p99, 2),
            bare(*way, p99),
            median(of_way.iter().map(processor)),
            spread(processor, 1),
            bare(*way, processor),
            median(of_way.iter().map(|sample| sample.late)),
        );
    }
    out
}

/// Returns the number of records that are missing, if each request should have a start and an end.
fn missing(sample: &Sample) -> u64 {
    (2 * sample.requests).saturating_sub(sample.account.delivered)
}

fn p50(sample: &Sample) -> f64 {
    sample.half
}

fn p99(sample: &Sample) -> f64 {
    sample.most
}

fn processor(sample: &Sample) -> f64 {
    sample.processor
}

fn ratio(samples: &Samples, way: Way, to: Way, of: fn(&Sample) -> f64) -> f64 {
    let (Some(of_way), Some(of_other)) = (samples.get(&way), samples.get(&to)) else { return f64::NAN };
    median(of_way.iter().zip(of_other).map(|(one, other)| of(one) / of(other)))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
