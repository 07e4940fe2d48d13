//! The settings from the command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Parser;
use ragtrace::Secret;

/// Serve a web page for uploading documents and asking questions, which shows each stage at work.
///
/// Exits with 0 after Ctrl-C or SIGTERM, even if requests had to be interrupted or records could
/// not be delivered; standard error then says so. A second signal ends the service at once, with
/// 130 after Ctrl-C and 143 after SIGTERM. Exits with 2 if it could not start.
///
/// The time and the number of connections and requests are limited, but not per client. A service
/// that strangers can reach needs a proxy in front of it, which limits clients and provides TLS.
///
/// Stage logs go to the sinks that the environment variable `RAGTRACE_SINKS` names: sqlite by
/// default, and postgres, datadog, langsmith and otlp if built with the feature of that name.
#[derive(Debug, Clone, Parser)]
#[command(name = "server", version)]
pub struct Settings {
    /// Address to listen on; with port 0 the system picks one, which standard error names
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: String,
    /// Folder of the database of documents and vectors, `rag.db`, and of uploads while they are
    /// read
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub data: PathBuf,
    /// Largest request, in bytes
    #[arg(long, value_name = "N", default_value_t = 64 << 20)]
    pub max_bytes: usize,
    /// Largest number of files in one request
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub max_files: usize,
    /// Largest number of requests that send files or ask at once; others are answered with 503 and
    /// have to be repeated
    #[arg(long, value_name = "N", default_value = "256")]
    pub max_requests: NonZeroUsize,
    /// Number of documents that are ingested at once, over all requests [default: one per core]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// User of the service, as TOKEN=TENANT/USER; may be given several times. Without any,
    /// everybody may use it
    #[arg(long = "token", value_name = "TOKEN=TENANT/USER", value_parser = secret)]
    pub tokens: Vec<Secret<String>>,
    /// File with such lines. Unlike a command line, other users of the machine cannot see it
    #[arg(long, value_name = "FILE")]
    pub tokens_file: Option<PathBuf>,
    /// Host name of the service; may be given several times. Without tokens, or on a loopback
    /// address, requests for other names than these, the address, localhost, 127.0.0.1 and `[::1]`
    /// are refused
    #[arg(long = "host", value_name = "NAME")]
    pub hosts: Vec<String>,
    /// Make browsers send the session cookie only over HTTPS, for a service behind a proxy that
    /// provides TLS
    #[arg(long)]
    pub secure_cookie: bool,
    /// Record the text of questions and answers in the stage logs
    #[arg(long)]
    pub log_question: bool,
    /// Seconds for which requests are still accepted after the first signal, while `/healthz`
    /// answers 503
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub drain: u64,
    /// Seconds after that in which requests in progress may finish
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub grace: u64,
}

impl Settings {
    /// Returns `true` if users are identified by tokens.
    pub(crate) fn has_tokens(&self) -> bool {
        !self.tokens.is_empty() || self.tokens_file.is_some()
    }

    /// Returns the number of documents that are ingested at once.
    pub(crate) fn jobs(&self) -> usize {
        let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        self.jobs.unwrap_or_else(cores).get()
    }
}

/// Accepts any text, so that a malformed token is reported without being shown.
#[expect(clippy::unnecessary_wraps, reason = "the form of a parser of values")]
fn secret(text: &str) -> Result<Secret<String>, std::convert::Infallible> {
    Ok(Secret::new(text.to_owned()))
}
