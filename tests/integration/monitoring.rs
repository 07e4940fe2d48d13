//! The Prometheus dashboard and the alerting rules, against the metrics that a program exposes.

use std::collections::BTreeSet;
use std::time::Duration;

use ragtrace::traced_stage;

use crate::support::{Memory, finish, quiet, turn};

#[traced_stage(ok(|_| cost_usd = 0.25))]
fn monitored() -> Vec<u64> {
    vec![1, 2]
}

/// Returns the names of metrics that a text uses.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
    let words = text.split(|c: char| !is_name(c));
    words.filter(|word| word.starts_with("ragtrace_")).map(str::to_owned).collect()
}

#[test]
fn dashboard_and_alerts_use_metrics_that_are_there() {
    let _turn = turn();
    let telemetry = quiet().sink(Memory::default()).install().expect("the only one");
    monitored();
    assert!(telemetry.flush_blocking(Duration::from_secs(30)).complete);
    let exposed = metrics_in(&telemetry.to_prometheus());
    finish(telemetry);
    for (name, text) in [
        ("the dashboard", include_str!("../../docs/grafana/prometheus.json")),
        ("the alerts", include_str!("../../docs/alerts/ragtrace.rules.yml")),
        ("the alerts' tests", include_str!("../../docs/alerts/ragtrace.rules.test.yml")),
    ] {
        let used = metrics_in(text);
        assert!(used.len() > 5, "{used:?}");
        let unknown: Vec<_> = used.difference(&exposed).collect();
        assert!(unknown.is_empty(), "{name} uses {unknown:?}, and a program exposes {exposed:#?}");
    }
}
