//! Reads the account of a running process from its metrics.

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::Uri;

use super::finding::Finding;
use super::limits::{Limits, Waiting};
use super::{http, prometheus};
use crate::arguments::duration;

/// Checks the process whose metrics are at `uri`.
pub(super) async fn check(uri: &Uri, timeout: Duration, limits: &Limits) -> Vec<Finding> {
    let text = match http::get(uri, timeout).await {
        Ok(text) => text,
        Err(why) => return vec![Finding::wrong("process", why)],
    };
    let samples: Vec<_> = text.lines().filter_map(prometheus::sample).collect();
    if !samples.iter().any(|sample| sample.name.starts_with("ragtrace_records_")) {
        let why =
            "the page has no metrics of ragtrace: let the application serve `TelemetryHandle::to_prometheus` there";
        return vec![Finding::wrong("process", why)];
    }
    let mut sinks: BTreeMap<&str, BTreeMap<&str, f64>> = BTreeMap::new();
    for sample in &samples {
        if let Some(sink) = sample.label("sink") {
            sinks.entry(sink).or_default().insert(&sample.name, sample.value);
        }
    }
    let mut findings: Vec<_> = sinks.iter().flat_map(|(sink, values)| of_sink(sink, values, limits)).collect();
    let sum = |name: &str| samples.iter().filter(|sample| sample.name == name).map(|sample| sample.value).sum();
    let refused = Waiting { dropped: whole(sum("ragtrace_records_refused_total")), ..Waiting::default() };
    let refused = limits.exceeded(&refused);
    findings.extend(refused.iter().map(|why| Finding::wrong("process", format!("{why}: its queue was full"))));
    findings
}

fn of_sink(sink: &str, values: &BTreeMap<&str, f64>, limits: &Limits) -> Vec<Finding> {
    let subject = format!("process, sink {sink}");
    let value = |name: &str| values.get(name).copied().map_or(0, whole);
    let (spooled, pending) = (value("ragtrace_records_spooled"), value("ragtrace_records_pending"));
    let age = values.get("ragtrace_oldest_waiting_seconds").map(|seconds| Duration::from_secs(whole(*seconds)));
    let waiting = Waiting {
        age,
        records: spooled.saturating_add(pending),
        spooled,
        dead_letters: value("ragtrace_records_dead_lettered_total"),
        dropped: value("ragtrace_records_dropped_total"),
    };
    let mut wrong = limits.exceeded(&waiting);
    if value("ragtrace_sink_parked") > 0 {
        wrong.insert(0, "it is parked until its configuration is corrected: the process's log says why".to_owned());
    }
    if !wrong.is_empty() {
        return wrong.into_iter().map(|why| Finding::wrong(&subject, why)).collect();
    }
    let delivered = value("ragtrace_records_delivered_total");
    let failing = if value("ragtrace_sink_failing") > 0 { ", failing now" } else { "" };
    let oldest = age.filter(|age| !age.is_zero()).map(|age| format!(", the oldest for {}", duration::short(age)));
    let waits = format!("{} wait{}", waiting.records, oldest.unwrap_or_default());
    vec![Finding::fine(subject, format!("{delivered} records delivered, {waits}{failing}"))]
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast to an integer saturates")]
fn whole(number: f64) -> u64 {
    number as u64
}
