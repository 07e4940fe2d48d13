//! Requests and minutes of stages, which are counted beside the records, pass through the spool
//! unchanged.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ragtrace::metrics::{RequestMetric, StageMinute};
use ragtrace::sink::SinkError;
use ragtrace::{RequestContext, SpoolLimits, traced_stage};
use ragtrace_tests::{Attempt, Reply, Scripted, install};
use uuid::Uuid;

/// Batches by their ids, with their counts.
type Counts = BTreeMap<Uuid, (Vec<RequestMetric>, Vec<StageMinute>)>;

#[traced_stage(level = "debug")]
fn hidden(n: u64) -> Result<Vec<u64>, String> {
    if n.is_multiple_of(3) { Err("no luck".to_owned()) } else { Ok((0..n).collect()) }
}

#[traced_stage(record(cost_usd: f64))]
fn asked(n: u64) {
    record!(cost_usd = 0.25);
    // An error is ignored.
    let _ = hidden(n);
}

/// Returns a sink that accepts batches or not, and the counts that it saw.
fn counting(takes: bool) -> (Scripted, Arc<Mutex<Counts>>) {
    let counts = Arc::<Mutex<Counts>>::default();
    let seen = Arc::clone(&counts);
    let script = move |attempt: &Attempt<'_>| {
        let batch = attempt.batch;
        let counted = (batch.requests().to_vec(), batch.minutes().to_vec());
        if !counted.0.is_empty() || !counted.1.is_empty() {
            seen.lock().expect("whole").insert(batch.id(), counted);
        }
        if takes { Reply::Take } else { Reply::Fail(SinkError::retry("down")) }
    };
    (Scripted::new("counting", script, |_| ()), counts)
}

#[test]
fn requests_and_minutes_come_through_the_spool_as_they_were() {
    const RUNS: u64 = 300;
    let folder = tempfile::tempdir().expect("a folder");
    let spool = || ragtrace::builder().spool(folder.path(), SpoolLimits::default());
    let (down, _) = counting(false);
    let telemetry = install(spool().sink(down));
    for n in 0..RUNS {
        let tenant = ["acme", "globex"][usize::try_from(n % 2).expect("0 or 1")];
        RequestContext::new().with_tenant_id(tenant).with_user_id("alice").sync_scope(|| asked(n));
    }
    let report = telemetry.shutdown(Duration::from_secs(5));
    assert!(report.complete && report.stats.sinks[0].spooled >= 2 * RUNS, "{report}");

    let (up, counts) = counting(true);
    let telemetry = install(spool().sink(up));
    let report = telemetry.shutdown(Duration::from_secs(30));
    assert!(report.complete && report.stats.sinks[0].spooled == 0, "the end takes the spool along: {report}");
    let counts = counts.lock().expect("whole");
    let requests: Vec<_> = counts.values().flat_map(|(requests, _)| requests).collect();
    assert_eq!(requests.len() as u64, RUNS);
    let who = |request: &&RequestMetric| (request.operation() == "asked", request.user_id() == Some("alice"));
    assert!(requests.iter().all(|request| who(request) == (true, true)));
    let mut stages = BTreeMap::new();
    for minute in counts.values().flat_map(|(_, minutes)| minutes) {
        let of =
            stages.entry((minute.stage().to_owned(), minute.tenant_id().map(str::to_owned))).or_insert((0, 0, 0.0, 0));
        *of = (
            of.0 + minute.completed(),
            of.1 + minute.failed(),
            of.2 + minute.cost_usd(),
            of.3 + minute.durations().len(),
        );
    }
    let of = |stage: &str, tenant: &str| stages[&(stage.to_owned(), Some(tenant.to_owned()))];
    for tenant in ["acme", "globex"] {
        assert_eq!(of("asked", tenant), (150, 0, 37.5, 150), "{tenant}");
        assert_eq!(of("hidden", tenant), (100, 50, 0.0, 150), "{tenant}, which the level hides");
    }
    assert_eq!(stages.len(), 4);
}
