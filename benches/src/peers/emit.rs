//! `emit::info_span`, with an emitter that discards events.

use std::hint::black_box;

use super::{Chunk, Output, chunk};
use crate::measure::{Sample, block_on, measure};
use crate::requests::{STAGES_IN_A_REQUEST, measure_requests};

#[emit::info_span("bare")]
#[inline(never)]
async fn bare(n: u64) -> u64 {
    black_box(n)
}

#[emit::info_span("full", id: chunk.id, pages: chunk.pages)]
#[inline(never)]
async fn full(chunk: &Chunk) -> Output {
    Ok(black_box(Vec::new()))
}

#[emit::info_span("request")]
#[inline(never)]
async fn request(n: u64) {
    for _ in 0..STAGES_IN_A_REQUEST {
        black_box(bare(n).await);
    }
}

pub fn run(workload: &str, stages: usize) -> Option<Sample> {
    let _setup = emit::setup()
        .emit_to(emit::emitter::from_fn(|event| {
            black_box(&event);
        }))
        .init();
    let chunk = chunk(3);
    Some(match workload {
        "bare" => measure(
            stages,
            |n| {
                (0..n as u64).for_each(|n| {
                    black_box(block_on(|| bare(n)));
                })
            },
            || 0,
        ),
        "request" => measure_requests(stages, request, || 0),
        "full" => measure(stages, |n| (0..n).for_each(|_| drop(black_box(block_on(|| full(&chunk))))), || 0),
        _ => return None,
    })
}
