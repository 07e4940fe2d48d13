//! A lower bound on the cost of a recorded stage: two readings of a fast clock, one id, two writes
//! of 128 bytes to warm memory, and the plain function.

use std::hint::black_box;

use super::{Chunk, Output, chunk};
use crate::measure::{Sample, block_on, measure};

#[inline(never)]
async fn full(_chunk: &Chunk) -> Output {
    Ok(black_box(Vec::new()))
}

pub fn run(stages: usize) -> Option<Sample> {
    let chunk = chunk(3);
    // 64 KiB that are reused, so that the memory stays in the cache.
    let mut memory = vec![[0u64; 16]; 512];
    let mut at = 0;
    let mut write = move |time: fastant::Instant, id: u64| {
        let time: u64 = unsafe { std::mem::transmute_copy(&time) };
        memory[at % 512] = black_box([id, time, at as u64, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
        at += 1;
    };
    Some(measure(
        stages,
        |n| {
            for _ in 0..n {
                let id = fastrand::u64(1..);
                write(fastant::Instant::now(), id);
                let _ = black_box(block_on(|| full(&chunk)));
                write(fastant::Instant::now(), id);
            }
        },
        || 0,
    ))
}
