//! The workloads. The code is the same under every way.

use std::hint::black_box;

use ragtrace::{RequestContext, traced_stage};
use tracing::info;

use crate::measure::{Sample, block_on, measure};

/// Lines logged inside a stage: a plain message, one with numbers, one with texts, one inside a
/// span with fields, and one by `log`.
pub const LINES: [&str; 5] = ["line", "numbers", "texts", "in-span", "log"];

/// A stage with two numbers, as in the benchmark of stages.
pub const STAGE: &str = "stage";

#[traced_stage]
fn stage_of_lines(times: usize, line: &mut dyn FnMut(u64)) {
    (0..times as u64).for_each(line);
}

struct Chunk {
    id: u64,
    pages: u64,
}

#[traced_stage(kind = chunk, fields(chunk.id, chunk.pages))]
#[inline(never)]
async fn full(chunk: &Chunk) -> Result<Vec<u8>, String> {
    Ok(black_box(Vec::new()))
}

#[inline(never)]
fn line(_: u64) {
    info!("the index was opened");
}

#[inline(never)]
fn numbers(n: u64) {
    info!(chunk = n, score = 0.25, "the chunk was kept");
}

#[inline(never)]
fn texts(n: u64) {
    let (name, language) = black_box(if n.is_multiple_of(2) { ("report.pdf", "de") } else { ("notes.md", "en") });
    info!(name, language, "the document was read");
}

#[inline(never)]
fn by_log(_: u64) {
    log::info!("the index was opened");
}

/// Runs a workload `times` times to warm up and again to measure. `flush` flushes the telemetry,
/// and returns the number of lost records.
pub fn run(workload: &str, times: usize, flush: impl FnMut() -> u64) -> Option<Sample> {
    let context = RequestContext::new().with_user_id("alice").with_tenant_id("acme");
    let lines = |line: fn(u64), flush| {
        let burst = |times| context.sync_scope(|| stage_of_lines(times, &mut |n| line(n)));
        Some(measure(times, burst, flush))
    };
    match workload {
        "line" => lines(line, flush),
        "numbers" => lines(numbers, flush),
        "texts" => lines(texts, flush),
        "in-span" => {
            let burst = |times| {
                context.sync_scope(|| {
                    let _span = tracing::info_span!("reading", shard = 3, name = "report.pdf").entered();
                    stage_of_lines(times, &mut |n| line(n));
                });
            };
            Some(measure(times, burst, flush))
        }
        "log" => lines(by_log, flush),
        "stage" => {
            let chunk = Chunk { id: 3, pages: 3 };
            let burst =
                |times| context.sync_scope(|| (0..times).for_each(|_| drop(black_box(block_on(|| full(&chunk))))));
            Some(measure(times, burst, flush))
        }
        _ => None,
    }
}
