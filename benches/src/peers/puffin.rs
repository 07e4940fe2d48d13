//! A `puffin` scope, with a frame every thousand stages and no consumer of the frames.

use std::hint::black_box;

use super::{Chunk, Output, chunk};
use crate::measure::{Sample, block_on, measure};

#[inline(never)]
async fn bare(n: u64) -> u64 {
    puffin::profile_scope!("bare");
    black_box(n)
}

#[inline(never)]
async fn full(chunk: &Chunk) -> Output {
    puffin::profile_scope!("full", "report");
    black_box(chunk.id);
    Ok(black_box(Vec::new()))
}

pub fn run(workload: &str, stages: usize) -> Option<Sample> {
    puffin::set_scopes_on(true);
    let chunk = chunk(3);
    let frames = |n: usize, stage: &mut dyn FnMut(u64)| {
        for at in 0..n as u64 {
            if at % 1_000 == 0 {
                puffin::GlobalProfiler::lock().new_frame();
            }
            stage(at);
        }
    };
    Some(match workload {
        "bare" => measure(
            stages,
            |n| {
                frames(n, &mut |n| {
                    black_box(block_on(|| bare(n)));
                })
            },
            || 0,
        ),
        "full" => measure(stages, |n| frames(n, &mut |_| drop(black_box(block_on(|| full(&chunk))))), || 0),
        _ => return None,
    })
}
