//! `ragtrace check`: says what works of the setup and of running processes, and what to change.

mod finding;
mod http;
mod limits;
mod metrics;
mod prometheus;
mod sinks;
mod spool;

use std::path::PathBuf;
use std::time::Duration;

use hyper::Uri;

use self::limits::Limits;
use crate::arguments::{duration, setting};
use crate::output::{Failure, Format, Found};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// URL of a running process's metrics, such as `http://127.0.0.1:8080/metrics`.
    ///
    /// The process is asked by plain HTTP. The page is the one that
    /// `TelemetryHandle::to_prometheus` returns, alone or among others.
    #[arg(long, value_name = "URL", value_parser = http::parse)]
    metrics: Option<Uri>,
    /// Folder of a spool [default: the environment variable `RAGTRACE_SPOOL`, unless `--metrics` is
    /// given]
    #[arg(long, value_name = "FOLDER")]
    spool: Option<PathBuf>,
    #[command(flatten)]
    limits: Limits,
    /// Longest time to wait for the answer of a sink or a process.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration::parse)]
    timeout: Duration,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) async fn run(args: &Args, store: Option<&str>) -> Result<Found, Failure> {
    if store.is_some() {
        return Err(Failure::new("the sinks that RAGTRACE_SINKS names are checked: leave out `--store`"));
    }
    let mut findings = Vec::new();
    // A check of a process or a spool does not connect to sinks, unless they are named.
    let is_narrow = args.metrics.is_some() || args.spool.is_some();
    if !is_narrow || setting::has_sinks() {
        findings.extend(sinks::check(args.timeout).await?);
    }
    if let Some(uri) = &args.metrics {
        findings.extend(metrics::check(uri, args.timeout, &args.limits).await);
    }
    let spool = if args.metrics.is_some() { args.spool.clone() } else { setting::spool(args.spool.clone()) };
    if let Some(folder) = spool {
        findings.extend(spool::check(&folder, &args.limits));
    }
    finding::write(args.format, findings)
}
