//! The ways to trace requests, each as its documentation shows it.

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

/// A way to trace requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// None: what the others are compared with.
    Bare,
    /// Our layer, and records in a SQLite file.
    Ragtrace,
    /// Our layer, and records that are counted and forgotten: what it costs without a database.
    RagtraceDiscard,
    /// `tower-http`'s layer with a line for each request and each response, as JSON of
    /// `tracing_subscriber::fmt` to a writer that forgets.
    TowerHttp,
    /// `axum-tracing-opentelemetry`, and spans in batches to an exporter that forgets.
    OpenTelemetry,
}

impl Way {
    pub const ALL: [Self; 5] =
        [Self::Bare, Self::Ragtrace, Self::RagtraceDiscard, Self::TowerHttp, Self::OpenTelemetry];

    /// Installs what the way's layer hands its telemetry to.
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

    /// Puts the way's layer around the routes.
    pub fn around(self, router: Router) -> Router {
        match self {
            Self::Bare => router,
            Self::Ragtrace | Self::RagtraceDiscard => router.layer(ragtrace::http::TraceLayer::new()),
            // Its levels are DEBUG unless set, at which a service in production hears nothing of
            // it.
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

/// How many records were delivered, and how many dropped.
#[derive(Default)]
pub struct Account {
    pub delivered: u64,
    pub dropped: u64,
}

/// The telemetry that was installed, for as long as the server runs.
pub enum Installed {
    Nothing,
    /// The folder is removed with this.
    Ragtrace(Telemetry, #[expect(dead_code, reason = "it is held, not read")] Option<TempDir>),
    OpenTelemetry(SdkTracerProvider),
}

impl Installed {
    /// Hands on what is under way, and returns the account since the start.
    pub fn flush(&self) -> Result<Account, String> {
        match self {
            Self::Nothing => Ok(Account::default()),
            Self::Ragtrace(telemetry, _) => {
                let report = telemetry.flush_blocking(Duration::from_secs(60));
                // One sink is installed.
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

/// Spans end here.
#[derive(Debug)]
struct Forget;

impl SpanExporter for Forget {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        drop(std::hint::black_box(batch));
        Ok(())
    }
}
