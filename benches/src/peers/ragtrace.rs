//! `ragtrace` itself, with a sink that counts and discards records.

use std::hint::black_box;
use std::time::Duration;

use ragtrace::sink::{Discard, JsonLines};
use ragtrace::{Console, RequestContext, Sink, Telemetry, traced_stage};

use super::{Chunk, Output, chunk};
use crate::measure::{Pend, Sample, block_on, measure, measure_threads};
use crate::requests::{STAGES_IN_A_REQUEST, measure_requests};

#[traced_stage]
#[inline(never)]
async fn bare(n: u64) -> u64 {
    black_box(n)
}

#[traced_stage(kind = chunk, fields(chunk.id, chunk.pages))]
#[inline(never)]
async fn full(chunk: &Chunk) -> Output {
    Ok(black_box(Vec::new()))
}

#[traced_stage(kind = chunk, fields(chunk.id, chunk.name))]
#[inline(never)]
async fn string(chunk: &Chunk) -> Output {
    Ok(black_box(Vec::new()))
}

/// A stage with three strings, one of which gives each rule of redaction something to examine. Its
/// records have some 600 bytes.
#[traced_stage(kind = chunk, fields(chunk.name, title = "Field notes of the spring survey: part two", source = "https://docs.example.com/guide/chapter-2?lang=en#tokens"))]
#[inline(never)]
async fn texts(chunk: &Chunk) -> Output {
    Ok(black_box(Vec::new()))
}

#[traced_stage(kind = chunk, fields(chunk.id))]
#[inline(never)]
async fn failing(chunk: &Chunk) -> Output {
    Err(black_box(String::new()))
}

#[traced_stage]
#[inline(never)]
async fn outer(n: u64) -> u64 {
    middle(n).await + 1
}

#[traced_stage]
#[inline(never)]
async fn middle(n: u64) -> u64 {
    bare(n).await + 1
}

#[traced_stage]
#[inline(never)]
async fn polls(n: u32) {
    Pend(black_box(n)).await;
}

#[traced_stage]
#[inline(never)]
async fn request(chunk: &Chunk) {
    for _ in 0..STAGES_IN_A_REQUEST {
        drop(black_box(full(chunk).await));
    }
}

fn fresh_context() -> RequestContext {
    RequestContext::new().with_user_id("alice").with_tenant_id("acme")
}

fn install(sink: impl Sink) -> Telemetry {
    let builder = ragtrace::builder().service("bench").environment("test").version("1.0.0");
    let telemetry = builder.console(Console::Off).sink(sink).install().expect("the first");
    // The worker needs some time to measure the processor's counter.
    std::thread::sleep(Duration::from_millis(120));
    telemetry
}

pub fn run(peer: &str, workload: &str, stages: usize) -> Option<Sample> {
    let chunk = chunk(3);
    if peer == "ragtrace-off" {
        return Some(measure(
            stages,
            |n| {
                (0..n as u64).for_each(|n| {
                    black_box(block_on(|| bare(n)));
                })
            },
            || 0,
        ));
    }
    let telemetry = match workload {
        // Includes the worker's remaining work, redaction and canonical JSON, with a writer that
        // discards the output.
        "texts" => install(JsonLines::new(std::io::sink())),
        _ => install(Discard::new()),
    };
    let context = fresh_context();
    let flush = || {
        let report = telemetry.flush_blocking(Duration::from_secs(20));
        assert!(report.complete, "{report}");
        report.stats.dropped.total()
    };
    let each = |stages: usize, stage: &mut dyn FnMut(u64)| {
        measure(stages, |n| context.sync_scope(|| (0..n as u64).for_each(&mut *stage)), flush)
    };
    Some(match workload {
        "bare" => each(stages, &mut |n| {
            black_box(block_on(|| bare(n)));
        }),
        "full" => each(stages, &mut |_| drop(black_box(block_on(|| full(&chunk))))),
        "string" => each(stages, &mut |_| drop(black_box(block_on(|| string(&chunk))))),
        "texts" => each(stages, &mut |_| drop(black_box(block_on(|| texts(&chunk))))),
        "failing" => each(stages, &mut |_| drop(black_box(block_on(|| failing(&chunk))))),
        "nested" => each(stages / 3, &mut |n| {
            black_box(block_on(|| outer(n)));
        }),
        "polls" => each(stages / 20, &mut |_| block_on(|| polls(100))),
        "request" => measure_requests(stages, async |_| fresh_context().scope(request(&chunk)).await, flush),
        // A stage in a request of its own; what it takes over `bare` is the request's own.
        "request-of-one" => measure(
            stages,
            |n| {
                (0..n as u64).for_each(|n| {
                    black_box(block_on(|| fresh_context().scope(bare(n))));
                })
            },
            flush,
        ),
        "one-thread" | "two-threads" => {
            let threads = if workload == "one-thread" { 1 } else { 2 };
            // Each call runs in its own request scope, as on a server.
            measure_threads(
                threads,
                stages,
                |n| {
                    black_box(context_of(n).sync_scope(|| block_on(|| bare(n))));
                },
                flush,
            )
        }
        _ => return None,
    })
}

/// Returns the thread's context, which stands for a request.
fn context_of(n: u64) -> RequestContext {
    thread_local! {
        static CONTEXT: RequestContext = RequestContext::new().with_user_id("alice");
    }
    black_box(n);
    CONTEXT.with(Clone::clone)
}
