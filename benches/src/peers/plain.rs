//! The functions without any tracing. The baseline.

use std::hint::black_box;

use super::{Chunk, Output, chunk};
use crate::measure::{Pend, Sample, block_on, measure, measure_threads};
use crate::requests::{STAGES_IN_A_REQUEST, measure_requests};

#[inline(never)]
async fn bare(n: u64) -> u64 {
    black_box(n)
}

#[inline(never)]
async fn full(_chunk: &Chunk) -> Output {
    Ok(black_box(Vec::new()))
}

#[inline(never)]
async fn failing(_chunk: &Chunk) -> Output {
    Err(black_box(String::new()))
}

#[inline(never)]
async fn outer(n: u64) -> u64 {
    middle(n).await + 1
}

#[inline(never)]
async fn middle(n: u64) -> u64 {
    bare(n).await + 1
}

#[inline(never)]
async fn polls(n: u32) {
    Pend(black_box(n)).await;
}

#[inline(never)]
async fn request(chunk: &Chunk) {
    for _ in 0..STAGES_IN_A_REQUEST {
        drop(black_box(full(chunk).await));
    }
}

pub fn run(workload: &str, stages: usize) -> Option<Sample> {
    let chunk = chunk(3);
    let each =
        |stages: usize, mut stage: Box<dyn FnMut(u64)>| measure(stages, |n| (0..n as u64).for_each(&mut stage), || 0);
    Some(match workload {
        "off" | "bare" => each(
            stages,
            Box::new(|n| {
                black_box(block_on(|| bare(n)));
            }),
        ),
        "full" | "string" => each(stages, Box::new(move |_| drop(black_box(block_on(|| full(&chunk)))))),
        "failing" => each(stages, Box::new(move |_| drop(black_box(block_on(|| failing(&chunk)))))),
        "nested" => each(
            stages,
            Box::new(|n| {
                black_box(block_on(|| outer(n)));
            }),
        ),
        "request" => measure_requests(stages, async |_| request(&chunk).await, || 0),
        "polls" => each(stages / 20, Box::new(|_| block_on(|| polls(100)))),
        "one-thread" => measure_threads(
            1,
            stages,
            |n| {
                black_box(block_on(|| bare(n)));
            },
            || 0,
        ),
        "two-threads" => measure_threads(
            2,
            stages,
            |n| {
                black_box(block_on(|| bare(n)));
            },
            || 0,
        ),
        _ => return None,
    })
}
