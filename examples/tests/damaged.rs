//! Many damaged files, made from the samples, go through the built program in one run: the run
//! ends, and each file has a record that says what became of it.
//!
//! `scripts/test-damaged` runs this with more files and prints the table.

#[path = "support/damage.rs"]
mod damage;
#[cfg(target_os = "linux")]
#[expect(dead_code, reason = "other tests look for single processes")]
#[path = "support/processes.rs"]
mod processes;
#[path = "support/program.rs"]
#[expect(dead_code, reason = "other tests run more programs")]
mod program;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use fastrand::Rng;
use program::{Ended, Folder};
use ragtrace::Value;
use ragtrace_sinks::store::{SpanNode, SpanStatus, Trace};

const SAMPLES: [&str; 4] = ["faq.html", "field-notes.txt", "guide.md", "specification.pdf"];

/// The longest time for a file by the clock, which a reader that computes for a minute is given on
/// a busy machine.
const BOUND: Duration = Duration::from_mins(10);

/// Returns a number from the environment.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

#[tokio::test]
async fn damaged_files_end_no_run_and_each_has_a_record() {
    let (count, seed) = (setting("DAMAGED_COUNT", 60), setting("DAMAGED_SEED", 1));
    let folder = Folder::new();
    let names = make(&folder, count, seed);

    let mut command = folder.command("ingest", &["--jobs", "4", "in"]);
    #[cfg(target_os = "linux")]
    let (output, peak) = processes::watched(&mut command);
    #[cfg(not(target_os = "linux"))]
    let output = command.output().expect("the program runs");
    let run = Ended::from(output);
    assert!(matches!(run.code, Some(0 | 1)), "{:?}: {}", run.code, run.stderr);

    let trace = folder.last_trace().await;
    let outcomes = outcomes(&trace);
    for name in &names {
        assert!(outcomes.contains_key(name), "{name} has no record");
    }
    assert_eq!(outcomes.len(), names.len());
    println!("{count} damaged files with seed {seed}: {}", run.stdout.trim());
    println!("{}", table(&outcomes));
    #[cfg(target_os = "linux")]
    {
        let mib = |bytes: u64| bytes >> 20;
        println!(
            "Peak memory: {} MiB for all processes, {} MiB for the program, {} processes beside it.",
            mib(peak.all),
            mib(peak.program),
            peak.processes
        );
        assert!(peak.all < 500_000_000, "{peak:?}");
    }
    let slowest = outcomes.values().map(|outcome| outcome.time).max().unwrap_or_default();
    println!("The slowest file took {slowest:.1?}.");
    assert!(slowest < BOUND);
}

/// Makes the damaged files, and returns their names.
fn make(folder: &Folder, count: u64, seed: u64) -> Vec<String> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data");
    let samples = SAMPLES.map(|name| (name, fs::read(samples.join(name)).expect("a sample")));
    let of_number = |number: u64| {
        let (sample, bytes) = &samples[usize::try_from(number).expect("a count") % samples.len()];
        let mut random = Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(number));
        let name = format!("in/{number:04}-{sample}");
        folder.file(&name, damage::damaged(bytes, &mut random));
        name
    };
    (0..count).map(of_number).collect()
}

/// The outcome of a file.
struct Outcome {
    /// The word for it, or the message of its error.
    result: String,
    time: Duration,
}

/// Returns the outcomes of the files by their names.
fn outcomes(trace: &Trace) -> BTreeMap<String, Outcome> {
    let parsed = trace.spans().filter(|span| span.stage() == "file_parsing");
    let outcome = |span: SpanNode<'_>| {
        let Some(Value::Text(name)) = span.record().field("doc") else { panic!("no name") };
        let result = match (span.status(), span.error()) {
            (SpanStatus::Completed, _) if span.record().field("unreadable").is_some() => "with losses".to_owned(),
            (SpanStatus::Completed, _) => "whole".to_owned(),
            (SpanStatus::Failed, Some(error)) => error.chain().first().expect("a cause").clone(),
            (status, _) => panic!("{name}: {status:?}"),
        };
        (name.to_string(), Outcome { result, time: span.duration().unwrap_or_default() })
    };
    parsed.map(outcome).collect()
}

/// Returns a table of the number of files by their format and outcome.
fn table(outcomes: &BTreeMap<String, Outcome>) -> String {
    let mut counts = BTreeMap::new();
    for (name, outcome) in outcomes {
        let format = name.rsplit('.').next().unwrap_or_default();
        *counts.entry((format, outcome.result.as_str())).or_insert(0) += 1;
    }
    let rows = counts.iter().map(|((format, result), count)| format!("{format:>6} {count:>5}  {result}"));
    rows.collect::<Vec<_>>().join("\n")
}
