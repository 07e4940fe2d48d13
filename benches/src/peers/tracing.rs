//! `tracing::instrument` in four setups: without a subscriber; with a registry and a layer that
//! does nothing; with started and completed events as JSON to a writer that discards them; and
//! through `tracing-opentelemetry` to an exporter that discards spans.

use std::hint::black_box;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use tracing::{info, instrument};
use tracing_subscriber::layer::SubscriberExt;

use super::{Chunk, Output, chunk};
use crate::measure::{Sample, block_on, measure};
use crate::requests::{STAGES_IN_A_REQUEST, measure_requests};

struct Nothing;

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Nothing {}

#[derive(Debug)]
struct Discard;

impl SpanExporter for Discard {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        drop(black_box(batch));
        Ok(())
    }
}

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

#[instrument(skip_all, fields(id = chunk.id, pages = chunk.pages))]
#[inline(never)]
async fn events(chunk: &Chunk) -> Output {
    info!("full_started");
    let output: Output = Ok(black_box(Vec::new()));
    info!(count = output.as_ref().map_or(0, Vec::len), "full_completed");
    output
}

#[instrument(skip_all)]
#[inline(never)]
async fn request(n: u64) {
    for _ in 0..STAGES_IN_A_REQUEST {
        black_box(bare(n).await);
    }
}

pub fn run(peer: &str, workload: &str, stages: usize) -> Option<Sample> {
    let registry = tracing_subscriber::registry();
    let mut provider = None;
    match peer {
        "tracing-registry" => tracing::subscriber::set_global_default(registry.with(Nothing)).ok()?,
        "tracing-json" => {
            let layer = tracing_subscriber::fmt::layer().json().with_writer(std::io::sink);
            tracing::subscriber::set_global_default(registry.with(layer)).ok()?;
        }
        "tracing-opentelemetry" => {
            let made = SdkTracerProvider::builder().with_batch_exporter(Discard).build();
            let layer = tracing_opentelemetry::layer().with_tracer(made.tracer("bench"));
            provider = Some(made);
            tracing::subscriber::set_global_default(registry.with(layer)).ok()?;
        }
        _ => {}
    }
    let flush = || {
        if let Some(provider) = &provider {
            let _ = provider.force_flush();
        }
        0
    };
    let chunk = chunk(3);
    Some(match (peer, workload) {
        ("tracing-json", "full") => {
            measure(stages, |n| (0..n).for_each(|_| drop(black_box(block_on(|| events(&chunk))))), flush)
        }
        (_, "off" | "bare") => measure(
            stages,
            |n| {
                (0..n as u64).for_each(|n| {
                    black_box(block_on(|| bare(n)));
                })
            },
            flush,
        ),
        (_, "request") => measure_requests(stages, request, flush),
        (_, "full") => measure(stages, |n| (0..n).for_each(|_| drop(black_box(block_on(|| full(&chunk))))), flush),
        _ => return None,
    })
}
