//! Creates records as a pipeline does, by running stages and collecting the records in a sink.

use std::hint::black_box;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use ragtrace::sink::{Batch, Delivered, Needs, SinkError};
use ragtrace::{Event, Record, RequestContext, Sink, traced_stage};

/// The source of the words in content.
const PROSE: &str = include_str!("../../../ARCHITECTURE.md");
/// The size of a record's content in bytes.
pub const CONTENT: usize = 4096;

/// The stage `full` of `benches/src/peers`.
#[traced_stage(kind = chunk, fields(chunk.id = id, chunk.pages = pages))]
fn full(id: u64, pages: u64) -> Result<Vec<u64>, String> {
    Ok(black_box(Vec::new()))
}

/// A call of a language model with 4 KiB of content.
#[traced_stage(
    kind = generate,
    fields(input, model = "gpt-5-mini", provider = "openai"),
    ok(|output| output = output.as_str(), input_tokens = 700, output_tokens = 300, cost_usd = 0.001_2),
)]
fn content(input: &str, answer: &str) -> String {
    answer.to_owned()
}

/// A sink that keeps the records it receives.
#[derive(Clone, Default)]
struct Keep(Arc<Mutex<Vec<Record>>>);

impl Sink for Keep {
    fn name(&self) -> &str {
        "keep"
    }

    fn needs(&self) -> Needs {
        Needs::default().with_all_end_records().with_ancestry()
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        let ends = batch.records().iter().filter(|record| record.event() == Event::Completed);
        self.0.lock().expect("nothing panics").extend(ends.cloned());
        Ok(Delivered::all())
    }
}

/// Creates `count` end records of the stage.
pub fn make(mix: &str, count: usize) -> Vec<Record> {
    let keep = Keep::default();
    let telemetry = ragtrace::builder()
        .service("bench")
        .environment("test")
        .version("1.0.0")
        .console(ragtrace::Console::Off)
        .sink(keep.clone())
        .install()
        .expect("nothing else is installed");
    let mut at = 0;
    while at < count {
        // Each request has twenty stages, and no more are run at once than the queue holds.
        let request = RequestContext::new().with_user_id("alice").with_tenant_id("acme");
        request.sync_scope(|| {
            for _ in 0..20 {
                one(mix, at);
                at += 1;
            }
        });
        if at % 2_000 == 0 {
            let report = telemetry.flush_blocking(Duration::from_secs(20));
            assert!(report.complete && report.stats.dropped.total() == 0, "{report}");
        }
    }
    telemetry.shutdown_blocking(Duration::from_secs(20));
    let mut records = keep.0.lock().expect("nothing panics");
    records.truncate(count);
    assert_eq!(records.len(), count, "every end record is there");
    std::mem::take(&mut records)
}

fn one(mix: &str, at: usize) {
    match mix {
        "full" => drop(black_box(full(at as u64, 7))),
        _ => drop(black_box(content(&prose(2 * at as u64), &prose(2 * at as u64 + 1)))),
    }
}

/// Returns one half of a record's content: words picked from a text by a random generator (Knuth,
/// "MMIX", linear congruential generator), so that it compresses like prose and differs in each
/// record.
fn prose(seed: u64) -> String {
    static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| PROSE.split_whitespace().collect());
    let (mut text, mut state) = (String::with_capacity(CONTENT), seed);
    while text.len() < CONTENT / 2 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(WORDS[(state >> 33) as usize % WORDS.len()]);
        text.push(' ');
    }
    text
}
