//! A Tracy zone, which has the lowest known cost: it is implemented in C++, no profiler is
//! connected, and events stay in memory.

use std::hint::black_box;

use super::{Chunk, Output, chunk};
use crate::measure::{Sample, block_on, measure};
use crate::requests::{STAGES_IN_A_REQUEST, measure_requests};

#[inline(never)]
async fn bare(n: u64) -> u64 {
    let _zone = tracy_client::span!("bare", 0);
    black_box(n)
}

#[inline(never)]
async fn full(chunk: &Chunk) -> Output {
    let zone = tracy_client::span!("full", 0);
    zone.emit_value(chunk.id);
    zone.emit_value(chunk.pages);
    Ok(black_box(Vec::new()))
}

#[inline(never)]
async fn request(n: u64) {
    let _zone = tracy_client::span!("request", 0);
    for _ in 0..STAGES_IN_A_REQUEST {
        black_box(bare(n).await);
    }
}

pub fn run(workload: &str, stages: usize) -> Option<Sample> {
    let _client = tracy_client::Client::start();
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
