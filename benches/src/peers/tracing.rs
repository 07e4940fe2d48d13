//! `tracing::instrument`: with no subscriber, and with a registry and a layer that does nothing.

use std::hint::black_box;

use tracing::instrument;
use tracing_subscriber::layer::SubscriberExt;

use super::{Chunk, Output, chunk};
use crate::measure::{Sample, block_on, measure};

struct Nothing;

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Nothing {}

#[instrument(skip_all)]
#[inline(never)]
async fn bare(n: u64) -> u64 {
    black_box(n)
}

#[instrument(skip_all, fields(id = chunk.id, pages = chunk.pages))]
#[inline(never)]
async fn full(chunk: &Chunk) -> Output {
    Ok(black_box(Vec::new()))
}

pub fn run(peer: &str, workload: &str, stages: usize) -> Option<Sample> {
    if peer == "tracing-registry" {
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Nothing)).expect("the first");
    }
    let chunk = chunk(3);
    Some(match workload {
        "off" | "bare" => measure(stages, |n| (0..n as u64).for_each(|n| { black_box(block_on(bare(n))); }), || 0),
        "full" => measure(stages, |n| (0..n).for_each(|_| drop(black_box(block_on(full(&chunk))))), || 0),
        _ => return None,
    })
}
