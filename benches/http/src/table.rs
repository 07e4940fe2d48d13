//! Medians and ratios as Markdown.
//!
//! A ratio is the median of the ratios of each round: a shared machine has fast minutes and slow
//! ones, and within a round it is the same machine.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::way::{Account, Way};

/// The figures of one server.
pub struct Sample {
    pub requests: u64,
    /// The latency that half of the requests had at most, in milliseconds.
    pub half: f64,
    /// The latency that 99 of 100 requests had at most, in milliseconds.
    pub most: f64,
    /// How late 99 of 100 requests were sent at most, in milliseconds, because of the client.
    pub late: f64,
    /// The server's user and system time a request, in microseconds.
    pub processor: f64,
    pub account: Account,
}

type Samples = BTreeMap<Way, Vec<Sample>>;

/// Returns what is wanted, and a row a way.
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
        // As it is printed.
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

/// How many records a run delivered less than a start and an end a request.
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
