//! Secrets that are planted wherever a stage can put them appear in no sink, spool or dead letter.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

use ragtrace::sink::{JsonLines, SinkError};
use ragtrace::{RecordLimits, Redactor, RequestContext, Secret, SpoolLimits, traced_stage};
use ragtrace_tests::{Reply, Scripted, install};

/// The texts that must not be found, each of which stands for another secret.
const PLANTED: &[&str] = &[
    "plantedfieldvalue",
    "sk-proj-plantedmodelkey0123456789",
    "plantedpassword",
    "plantedbearer0123456789",
    "AKIAPLANTEDPLANTED12",
    "plantedcause",
    "plantedpanic",
    "plantedwrapped",
    "plantedcookie",
    "ghp_planteduserid0123456789abcdef",
    "acme_plantedbyrule",
    "plantedinreason",
    "plantedbeyondthebound",
];

#[derive(Debug)]
struct Denied(std::io::Error);

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("login with Authorization: Bearer plantedbearer0123456789 failed")
    }
}

impl std::error::Error for Denied {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[traced_stage(fields(api_key, url, key = ?Secret::new("plantedwrapped"), header, note, long), err(|e| detail = %e))]
fn log_in(api_key: &str, url: &str, header: &str, note: &str, long: &str) -> Result<(), Denied> {
    let _ = (api_key, url, header, note, long);
    Err(Denied(std::io::Error::other("postgres://bob:plantedcause@db/rag refused")))
}

#[traced_stage]
fn panics() {
    panic!("cannot connect with password=plantedpanic");
}

fn run_stages() {
    let request = RequestContext::new().with_user_id("ghp_planteduserid0123456789abcdef").with_tenant_id("acme");
    request.sync_scope(|| {
        let long = format!("{}password=plantedbeyondthebound", "x".repeat(8_180));
        let url = "https://bob:plantedpassword@host/x?token=AKIAPLANTEDPLANTED12";
        let note = "use sk-proj-plantedmodelkey0123456789 and acme_plantedbyrule";
        log_in("plantedfieldvalue", url, "Cookie: session=plantedcookie; a=b", note, &long).expect_err("it fails");
        std::panic::catch_unwind(panics).expect_err("it panics");
    });
}

fn everything_under(folder: &Path, found: &mut Vec<u8>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        if entry.path().is_dir() {
            everything_under(&entry.path(), found);
        } else {
            found.extend(fs::read(entry.path()).expect("a file"));
        }
    }
}

#[test]
fn secrets_appear_in_no_sink_spool_or_dead_letter() {
    let folder = tempfile::tempdir().expect("a folder");
    let lines = fs::File::create(folder.path().join("lines.jsonl")).expect("a file");
    let down = Scripted::new("down", |_| Reply::Fail(SinkError::retry("password=plantedinreason")), |_| ());
    let refusing = Scripted::new("refusing", |_| Reply::TakeBut(vec![(0, "token=plantedinreason".to_owned())]), |_| ());
    let builder = ragtrace::builder()
        .redact(Redactor::new().prefix("acme_planted"))
        .spool(folder.path().join("spool"), SpoolLimits::default())
        .sink(JsonLines::new(lines))
        .sink(down)
        .sink(refusing);
    let telemetry = install(builder);
    run_stages();
    let report = telemetry.flush_blocking(Duration::from_secs(5));
    assert!(report.complete, "{report}");
    let spooled = report.stats.sink("down").map(|sink| sink.spooled);
    assert!(spooled >= Some(4) && report.stats.sink("refusing").is_some_and(|s| s.dead_lettered == 1), "{report}");
    let mut found = Vec::new();
    everything_under(folder.path(), &mut found);
    let text = String::from_utf8_lossy(&found);
    for secret in PLANTED {
        assert!(!text.contains(secret), "{secret} is on disk");
    }
    for kept in ["[redacted]", "[secret]", "log_in_failed", "panics_failed", "[truncated ", "postgres://bob:"] {
        assert!(text.contains(kept), "{kept} is not there");
    }
    telemetry.shutdown(Duration::from_secs(2));
}

#[traced_stage(fields(big, wide))]
fn oversized(big: &str, wide: &str) {
    let _ = (big, wide);
}

#[test]
fn what_is_too_large_is_cut_at_a_character_with_a_mark() {
    let (sink, seen) = crate::process::collecting();
    let limits = RecordLimits::default().with_string(100).with_record(600);
    let telemetry = install(ragtrace::builder().record_limits(limits).sink(sink));
    oversized(&"ü".repeat(1_000), "short");
    telemetry.shutdown(Duration::from_secs(2));
    let records = seen.lock().expect("nobody panicked with it");
    let big = records[0].field("big").and_then(|value| value.as_str()).expect("a text");
    assert!(big.len() < 130 && big.ends_with(" bytes]") && big.contains("ü…[truncated 19"), "{big}");
    assert_eq!(records[0].field("wide").and_then(|value| value.as_str()), Some("short"));
}
