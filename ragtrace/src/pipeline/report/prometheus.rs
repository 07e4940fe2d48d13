//! The counts in the text format of Prometheus (version 0.0.4).

use std::fmt::Write;

use ragtrace_core::Level;

use super::stats::{SinkStats, Stats};

/// A metric of each sink: its name, type and help text, and the count that it shows.
type OfSink = (&'static str, &'static str, &'static str, fn(&SinkStats) -> u64);

const OF_SINKS: &[OfSink] = &[
    ("ragtrace_records_accepted_total", "counter", "Records that the pipeline accepted for the sink.", |s| s.accepted),
    ("ragtrace_records_recovered_total", "counter", "Records that an earlier process left in the spool.", |s| {
        s.recovered
    }),
    ("ragtrace_records_delivered_total", "counter", "Records that were delivered.", |s| s.delivered),
    ("ragtrace_records_dead_lettered_total", "counter", "Records that the backend refused for good.", |s| {
        s.dead_lettered
    }),
    ("ragtrace_records_dropped_total", "counter", "Records that were dropped.", |s| s.dropped),
    ("ragtrace_counts_dropped_total", "counter", "Metrics of requests and stages that were dropped.", |s| {
        s.counts_dropped
    }),
    ("ragtrace_records_spooled", "gauge", "Records that are on disk for a later delivery.", |s| s.spooled),
    ("ragtrace_records_pending", "gauge", "Records that wait in memory or are being delivered.", |s| s.pending),
    ("ragtrace_sink_parked", "gauge", "1 if the sink delivers nothing until an operator has acted, else 0.", |s| {
        u64::from(s.parked)
    }),
    ("ragtrace_sink_failing", "gauge", "1 if nothing has been delivered since the last failure, else 0.", |s| {
        u64::from(s.failing)
    }),
    (
        "ragtrace_oldest_waiting_seconds",
        "gauge",
        "Time for which the oldest batch has been waiting for its delivery, or 0 if none waits.",
        |s| s.waiting().as_secs(),
    ),
];

impl Stats {
    /// Returns the counts as `ragtrace_*` metrics in the text format of Prometheus, for a scrape
    /// endpoint of the application.
    pub fn to_prometheus(&self) -> String {
        let mut text = String::new();
        for (name, kind, help, value) in OF_SINKS {
            write_head(&mut text, name, kind, help);
            for sink in &self.sinks {
                // Writing to a `String` cannot fail.
                let _ = writeln!(text, "{name}{{sink=\"{}\"}} {}", escaped(&sink.name), value(sink));
            }
        }
        let name = "ragtrace_records_refused_total";
        write_head(&mut text, name, "counter", "Records that were lost before they reached any sink.");
        for level in Level::ALL {
            let _ = writeln!(text, "{name}{{level=\"{level}\"}} {}", self.dropped.of(level));
        }
        let of_host = [
            (
                "ragtrace_records_filtered_total",
                "counter",
                "Records of stages that no sink takes because of their level.",
                self.filtered,
            ),
            ("ragtrace_records_sampled_out_total", "counter", "Records that the sampler left out.", self.sampled_out),
            (
                "ragtrace_records_held",
                "gauge",
                "Records that the sampler holds until their trace is decided.",
                self.held,
            ),
            ("ragtrace_rule_panics_total", "counter", "Panics of redaction rules.", self.rule_panics),
        ];
        for (name, kind, help, value) in of_host {
            write_head(&mut text, name, kind, help);
            let _ = writeln!(text, "{name} {value}");
        }
        text
    }
}

pub(super) fn write_head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// Returns the value of a label, escaped as the format requires.
pub(super) fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ragtrace_core::Timestamp;

    use super::*;

    #[test]
    fn each_metric_has_a_head_and_a_line_a_sink() {
        let sink = |name: &str, delivered| SinkStats { name: name.to_owned(), delivered, ..SinkStats::default() };
        let stats = Stats { sinks: vec![sink("sqlite", 42), sink("a\"b", 1)], filtered: 7, ..Stats::default() };
        let text = stats.to_prometheus();
        assert!(text.contains("# TYPE ragtrace_records_delivered_total counter\n"), "{text}");
        assert!(text.contains("ragtrace_records_delivered_total{sink=\"sqlite\"} 42\n"), "{text}");
        assert!(text.contains("ragtrace_records_delivered_total{sink=\"a\\\"b\"} 1\n"), "{text}");
        assert!(text.contains("ragtrace_records_refused_total{level=\"ERROR\"} 0\n"), "{text}");
        assert!(text.contains("ragtrace_records_filtered_total 7\n"), "{text}");
        assert!(text.contains("ragtrace_sink_parked{sink=\"sqlite\"} 0\n"), "{text}");
        assert!(text.contains("ragtrace_oldest_waiting_seconds{sink=\"sqlite\"} 0\n"), "{text}");
        assert_eq!(text.matches("# HELP").count(), 16);
    }

    #[test]
    fn a_sink_that_is_parked_says_so_and_for_how_long_its_oldest_batch_waits() {
        let since = Timestamp::now().minus(Duration::from_secs(90));
        let mut sink = SinkStats { name: "postgres".to_owned(), parked: true, failing: true, ..SinkStats::default() };
        sink.oldest_waiting = Some(since);
        let text = Stats { sinks: vec![sink], ..Stats::default() }.to_prometheus();
        assert!(text.contains("ragtrace_sink_parked{sink=\"postgres\"} 1\n"), "{text}");
        assert!(text.contains("ragtrace_sink_failing{sink=\"postgres\"} 1\n"), "{text}");
        let waiting =
            text.lines().find_map(|line| line.strip_prefix("ragtrace_oldest_waiting_seconds{sink=\"postgres\"} "));
        assert!(waiting.and_then(|seconds| seconds.parse::<u64>().ok()).is_some_and(|seconds| seconds >= 90), "{text}");
    }
}
