//! The settings of the command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Parser;
use ragtrace::Secret;

/// Serve a page where documents are dropped and questions asked, and each stage is seen at work.
///
/// Ends with 0 after Ctrl-C or SIGTERM, also where requests had to be cut off or records could not
/// be delivered, which standard error says; a second signal ends it at once, with 130. Ends with 2
/// if it could not begin.
///
/// It bounds the time and the number of connections and requests, but not by client: before one
/// that strangers can reach stands a proxy that does, and that has the TLS.
///
/// Stage logs go to the sinks that `RAGTRACE_SINKS` names: sqlite unless set, and each of postgres,
/// datadog, langsmith and otlp that is built in by a feature of its name.
#[derive(Debug, Clone, Parser)]
#[command(name = "server", version)]
pub struct Settings {
    /// The address to listen at; port 0 takes a free one, which standard error names
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: String,
    /// The folder of the database of documents and vectors, `rag.db`, and of uploads while they are
    /// read
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub data: PathBuf,
    /// The largest request that is taken, in bytes
    #[arg(long, value_name = "N", default_value_t = 64 << 20)]
    pub max_bytes: usize,
    /// The most files in one request
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub max_files: usize,
    /// The most requests that send files or ask at once; more are answered with 503 and have to
    /// come again
    #[arg(long, value_name = "N", default_value = "256")]
    pub max_requests: NonZeroUsize,
    /// How many documents are worked on at once, over all requests [default: one a core]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Who may use the service, as TOKEN=TENANT/USER; several times for several of them. Without
    /// any, everybody may
    #[arg(long = "token", value_name = "TOKEN=TENANT/USER", value_parser = secret)]
    pub tokens: Vec<Secret<String>>,
    /// A file with such lines, which other users of the machine cannot see as they can a command
    /// line
    #[arg(long, value_name = "FILE")]
    pub tokens_file: Option<PathBuf>,
    /// A name that the service is reached by, several times for several of them. Without tokens, or
    /// at a loopback address, requests for other names than the address, localhost, 127.0.0.1 and
    /// `[::1]` are refused
    #[arg(long = "host", value_name = "NAME")]
    pub hosts: Vec<String>,
    /// Have browsers send the cookie of a session over HTTPS alone: for a service behind a proxy
    /// that has the TLS
    #[arg(long)]
    pub secure_cookie: bool,
    /// Have the stage logs hold the words of questions and answers
    #[arg(long)]
    pub log_question: bool,
    /// Seconds for which requests are still taken after the first signal, while `/healthz` says 503
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub drain: u64,
    /// Seconds that requests under way may take to their end after that
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub grace: u64,
}

impl Settings {
    /// Returns true if users are told by their tokens.
    pub(crate) fn has_tokens(&self) -> bool {
        !self.tokens.is_empty() || self.tokens_file.is_some()
    }

    /// Returns how many documents are worked on at once.
    pub(crate) fn jobs(&self) -> usize {
        let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        self.jobs.unwrap_or_else(cores).get()
    }
}

/// Takes any text, so that what is wrong with a token is told without showing it.
#[expect(clippy::unnecessary_wraps, reason = "the form of a parser of values")]
fn secret(text: &str) -> Result<Secret<String>, std::convert::Infallible> {
    Ok(Secret::new(text.to_owned()))
}
