//! Sends texts through the pipeline, and returns what left it.

use std::env;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ragtrace::{Record, RecordLimits, Value, traced_stage};
use ragtrace_tests::{Reply, Scripted, install};

/// The number of texts in progress at a time, for which the queue has room.
const AT_A_TIME: usize = 400;

#[traced_stage(fields(at, text))]
fn hold(at: usize, text: &str) {
    let _ = (at, text);
}

/// Writes each text to a file in a folder with this name, for other scanners to examine, if
/// `RAGTRACE_REDACTION_CORPUS` is set.
pub(crate) fn keep(name: &str, texts: &[String]) {
    let Some(folder) = env::var_os("RAGTRACE_REDACTION_CORPUS") else { return };
    let folder = Path::new(&folder).join(name);
    fs::create_dir_all(&folder).expect("a folder can be made");
    for (at, text) in texts.iter().enumerate() {
        fs::write(folder.join(format!("{at:06}.txt")), format!("{text}\n")).expect("a file can be written");
    }
}

/// Returns texts as they leave the process.
pub(crate) fn redacted(texts: &[String]) -> Vec<String> {
    let kept: Arc<Mutex<Vec<Option<String>>>> = Arc::new(Mutex::new(vec![None; texts.len()]));
    let keeping = Arc::clone(&kept);
    let take = move |record: &Record| {
        let at = record.field("at").and_then(Value::as_u64).and_then(|at| usize::try_from(at).ok());
        let text = record.field("text").and_then(Value::as_str);
        if let (Some(at), Some(text)) = (at, text) {
            keeping.lock().expect("nobody panicked with it")[at] = Some(text.to_owned());
        }
    };
    let sink = Scripted::new("keeping", |_| Reply::Take, take);
    let limits = RecordLimits::default().with_string(1 << 20).with_record(1 << 21);
    let telemetry = install(ragtrace::builder().record_limits(limits).sink(sink));
    for (at, text) in texts.iter().enumerate() {
        hold(at, text);
        if at % AT_A_TIME == AT_A_TIME - 1 {
            let report = telemetry.flush_blocking(Duration::from_secs(30));
            assert!(report.complete, "{report}");
        }
    }
    let report = telemetry.shutdown(Duration::from_secs(30));
    assert!(report.complete && report.stats.dropped.total() == 0, "{report}");
    let kept = std::mem::take(&mut *kept.lock().expect("nobody panicked with it"));
    kept.into_iter().map(|text| text.expect("each text was delivered")).collect()
}
