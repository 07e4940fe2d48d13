//! The ways of tracing requests, each set up as its documentation shows.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use axum::Router;
use axum_tracing_opentelemetry::middleware::{OtelAxumLayer, OtelInResponseLayer};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use ragtrace::sink::Discard;
use ragtrace::{Console, Telemetry};
use ragtrace_store::SqliteSink;
use tempfile::TempDir;
use tower_http::trace::{DefaultMakeSpan, DefaultOnRequest, DefaultOnResponse, TraceLayer};
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

/// A way of tracing requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// No tracing. The baseline.
    Bare,
    /// The layer of `ragtrace`, with records in an SQLite file.
    Ragtrace,
    /// The layer of `ragtrace`, with records that are counted and discarded, to measure its cost
    /// without a database.
    RagtraceDiscard,
    /// The layer of `tower-http`, with a line for each request and each response, which
    /// `tracing_subscriber::fmt` writes as JSON to a writer that discards it.
    TowerHttp,
    /// `axum-tracing-opentelemetry`, with an exporter that discards batches of spans.
    OpenTelemetry,
}

impl Way {
    pub const ALL: [Self; 5] =
        [Self::Bare, Self::Ragtrace, Self::RagtraceDiscard, Self::TowerHttp, Self::OpenTelemetry];

    /// Installs the telemetry that the layer reports to.
    pub fn install(self) -> Result<Installed, String> {
        match self {
            Self::Bare => Ok(Installed::Nothing),
            Self::Ragtrace => {
                let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
                let sink = SqliteSink::new(folder.path().join("ragtrace.db"));
                let builder = ragtrace::builder().service("bench").console(Console::Off).sink(sink);
                let telemetry = builder.install().map_err(|error| error.to_string())?;
                Ok(Installed::Ragtrace(telemetry, Some(folder)))
            }
            Self::RagtraceDiscard => {
                let builder = ragtrace::builder().service("bench").console(Console::Off).sink(Discard::new());
                Ok(Installed::Ragtrace(builder.install().map_err(|error| error.to_string())?, None))
            }
            Self::TowerHttp => {
                let subscriber = tracing_subscriber::fmt().json().with_writer(std::io::sink).finish();
                tracing::subscriber::set_global_default(subscriber).map_err(|error| error.to_string())?;
                Ok(Installed::Nothing)
            }
            Self::OpenTelemetry => {
                let provider = SdkTracerProvider::builder().with_batch_exporter(Forget).build();
                let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("bench"));
                let subscriber = tracing_subscriber::registry().with(LevelFilter::INFO).with(layer);
                tracing::subscriber::set_global_default(subscriber).map_err(|error| error.to_string())?;
                Ok(Installed::OpenTelemetry(provider))
            }
        }
    }

    /// Applies the layer to the routes.
    pub fn around(self, router: Router) -> Router {
        match self {
            Self::Bare => router,
            Self::Ragtrace | Self::RagtraceDiscard => router.layer(ragtrace::http::TraceLayer::new()),
            // The default level is DEBUG, which services in production usually disable.
            Self::TowerHttp => router.layer(
                TraceLayer::new_for_http()
                    .make_span_with(DefaultMakeSpan::new().level(Level::INFO))
                    .on_request(DefaultOnRequest::new().level(Level::INFO))
                    .on_response(DefaultOnResponse::new().level(Level::INFO)),
            ),
            Self::OpenTelemetry => router.layer(OtelInResponseLayer).layer(OtelAxumLayer::default()),
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bare => "bare",
            Self::Ragtrace => "ragtrace, SQLite",
            Self::RagtraceDiscard => "ragtrace, no store",
            Self::TowerHttp => "tower-http",
            Self::OpenTelemetry => "axum-tracing-opentelemetry",
        })
    }
}

impl FromStr for Way {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|way| way.to_string() == name).ok_or_else(|| format!("no way to trace: {name}"))
    }
}

/// The numbers of delivered and of dropped records.
#[derive(Default)]
pub struct Account {
    pub delivered: u64,
    pub dropped: u64,
}

/// The installed telemetry, kept for as long as the server runs.
pub enum Installed {
    Nothing,
    /// The folder is removed when this is dropped.
    Ragtrace(Telemetry, #[expect(dead_code, reason = "kept only to be dropped")] Option<TempDir>),
    OpenTelemetry(SdkTracerProvider),
}

impl Installed {
    /// Flushes the telemetry, and returns the counts since the start.
    pub fn flush(&self) -> Result<Account, String> {
        match self {
            Self::Nothing => Ok(Account::default()),
            Self::Ragtrace(telemetry, _) => {
                let report = telemetry.flush_blocking(Duration::from_secs(60));
                // Exactly one sink is installed.
                let sinks = report.stats.sinks.iter();
                let (delivered, lost) = sinks.fold((0, 0), |(delivered, lost), sink| {
                    (delivered + sink.delivered, lost + sink.dropped + sink.dead_lettered + sink.pending)
                });
                Ok(Account { delivered, dropped: report.stats.dropped.total() + lost })
            }
            Self::OpenTelemetry(provider) => {
                provider.force_flush().map_err(|error| error.to_string())?;
                Ok(Account::default())
            }
        }
    }
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
