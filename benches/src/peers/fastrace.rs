//! `fastrace::trace`, with a reporter that discards spans, and ten spans per trace.

use std::hint::black_box;

use fastrace::collector::{Config, Reporter, SpanContext, SpanRecord};
use fastrace::local::LocalSpan;
use fastrace::{Span, future::FutureExt, trace};

use super::{Chunk, Output, chunk};
use crate::measure::{Pend, Sample, block_on, measure, measure_threads};
use crate::requests::{STAGES_IN_A_REQUEST, measure_requests};

struct Discard;

impl Reporter for Discard {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        drop(black_box(spans));
    }
}

#[trace]
#[inline(never)]
async fn bare(n: u64) -> u64 {
    black_box(n)
}

#[trace(enter_on_poll = false)]
#[inline(never)]
async fn full(chunk: &Chunk) -> Output {
    LocalSpan::add_properties(|| [("id", chunk.id.to_string()), ("pages", chunk.pages.to_string())]);
    Ok(black_box(Vec::new()))
}

#[trace]
#[inline(never)]
async fn outer(n: u64) -> u64 {
    middle(n).await + 1
}

#[trace]
#[inline(never)]
async fn middle(n: u64) -> u64 {
    bare(n).await + 1
}

#[trace]
#[inline(never)]
async fn polls(n: u32) {
    Pend(black_box(n)).await;
}

#[inline(never)]
async fn request(n: u64) {
    for _ in 0..STAGES_IN_A_REQUEST {
        black_box(bare(n).await);
    }
}

/// Runs `stage` `n` times, ten times per trace.
fn traces(n: usize, mut stage: impl FnMut(u64)) {
    for first in (0..n as u64).step_by(10) {
        let root = Span::root("root", SpanContext::random());
        let _guard = root.set_local_parent();
        (first..(first + 10).min(n as u64)).for_each(&mut stage);
    }
}

pub fn run(workload: &str, stages: usize) -> Option<Sample> {
    fastrace::set_reporter(Discard, Config::default());
    let chunk = chunk(3);
    let flush = || {
        fastrace::flush();
        0
    };
    Some(match workload {
        "bare" => measure(
            stages,
            |n| {
                traces(n, |n| {
                    black_box(block_on(|| bare(n)));
                })
            },
            flush,
        ),
        "full" => measure(stages, |n| traces(n, |_| drop(black_box(block_on(|| full(&chunk))))), flush),
        "nested" => measure(
            stages / 3,
            |n| {
                traces(n, |n| {
                    black_box(block_on(|| outer(n)));
                })
            },
            flush,
        ),
        "polls" => measure(stages / 20, |n| traces(n, |_| block_on(|| polls(100))), flush),
        "request" => measure_requests(
            stages,
            async |n| request(n).in_span(Span::root("request", SpanContext::random())).await,
            flush,
        ),
        "one-thread" | "two-threads" => measure_threads(
            if workload == "one-thread" { 1 } else { 2 },
            stages,
            |n| {
                let root = Span::root("root", SpanContext::random());
                let _guard = root.set_local_parent();
                {
                    black_box(block_on(|| bare(n)));
                };
            },
            flush,
        ),
        _ => return None,
    })
}
