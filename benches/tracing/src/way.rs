//! The ways of receiving events and stages.

use std::io::sink;
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use ragtrace::sink::Discard;
use ragtrace::{Console, Telemetry};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;

use crate::workload::{LINES, STAGE};

/// Returns all ways, each with its workloads.
pub fn all() -> Vec<(&'static str, &'static str)> {
    let mut runs = Vec::new();
    for way in ["nothing", "fmt-json", "ragtrace", "ragtrace-and-fmt-json"] {
        runs.extend(LINES.map(|line| (way, line)));
    }
    let ways = [
        "no-layer",
        "mirror-off",
        "registry",
        "mirror-registry",
        "fmt-json",
        "mirror-fmt-json",
        "mirror-opentelemetry",
    ];
    runs.extend(ways.map(|way| (way, STAGE)));
    runs
}

/// An exporter that discards spans.
#[derive(Debug)]
struct Forget;

impl SpanExporter for Forget {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        drop(std::hint::black_box(batch));
        Ok(())
    }
}

/// The installed telemetry, kept for as long as the program runs.
#[derive(Default)]
pub struct Installed {
    telemetry: Option<Telemetry>,
    provider: Option<SdkTracerProvider>,
}

impl Installed {
    /// Flushes the telemetry, and returns the number of lost records.
    pub fn flush(&self) -> u64 {
        if let Some(provider) = &self.provider {
            let _ = provider.force_flush();
        }
        self.telemetry.as_ref().map_or(0, |telemetry| {
            let report = telemetry.flush_blocking(Duration::from_secs(20));
            assert!(report.complete, "{report}");
            report.stats.dropped.total()
        })
    }
}

/// Installs a way, or returns `None` if none has that name.
pub fn install(way: &str, workload: &str) -> Option<Installed> {
    // A usual level for a service.
    let registry = tracing_subscriber::registry().with(LevelFilter::INFO);
    let json = || fmt::layer().json().with_writer(sink);
    let layer = || ragtrace::layer().mirror_stages(false);
    let mirroring = || ragtrace::layer().mirror_stages(true);
    let mut installed = Installed::default();
    let set = match way {
        "nothing" | "no-layer" => Ok(()),
        "registry" => tracing::subscriber::set_global_default(registry),
        "fmt-json" => tracing::subscriber::set_global_default(registry.with(json())),
        "ragtrace" | "mirror-off" => tracing::subscriber::set_global_default(registry.with(layer())),
        "ragtrace-and-fmt-json" => tracing::subscriber::set_global_default(registry.with(json()).with(layer())),
        "mirror-registry" => tracing::subscriber::set_global_default(registry.with(mirroring())),
        "mirror-fmt-json" => tracing::subscriber::set_global_default(registry.with(json()).with(mirroring())),
        "mirror-opentelemetry" => {
            let provider = SdkTracerProvider::builder().with_batch_exporter(Forget).build();
            let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("bench"));
            installed.provider = Some(provider);
            tracing::subscriber::set_global_default(registry.with(mirroring()).with(layer))
        }
        _ => return None,
    };
    set.expect("the first");
    if workload == "log" && way != "nothing" {
        tracing_log::LogTracer::init().expect("the first");
    }
    if !matches!(way, "nothing" | "fmt-json" if workload != STAGE) {
        let builder = ragtrace::builder().service("bench").environment("test").version("1.0.0");
        installed.telemetry = Some(builder.console(Console::Off).sink(Discard::new()).install().expect("the first"));
        // The worker needs some time to measure the processor's counter.
        std::thread::sleep(Duration::from_millis(120));
    }
    Some(installed)
}
