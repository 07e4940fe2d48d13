//! Exports one signal: sends requests and judges the answers.

use ragtrace::sink::{Delivered, SinkError, Verdict};

use super::partial_success::PartialSuccess;
use super::proto::Writer;
use super::settings::{Settings, Signal};
use crate::http::{Body, Client, Compression};

/// The destination of one signal.
#[derive(Debug)]
pub(crate) struct Exporter {
    pub(crate) settings: Settings,
    signal: Signal,
    client: Client,
}

impl Exporter {
    pub(crate) fn new(settings: Settings, signal: Signal) -> Self {
        let client = settings.client.clone().unwrap_or_else(|| settings.client_builder().build());
        Self { settings, signal, client }
    }

    /// Sends the request that `write` writes. `write` returns the number of spans or log records in
    /// it; a request with none is not sent.
    pub(crate) async fn export(&self, write: impl FnOnce(&mut Writer) -> usize) -> Result<Delivered, SinkError> {
        let mut body = self.settings.compression.begin();
        let mut writer = Writer::over(std::mem::take(body.staged()));
        let number = write(&mut writer);
        *body.staged() = writer.into_inner();
        if number == 0 {
            return Ok(Delivered::all());
        }
        let body = body.finish().map_err(SinkError::retry)?;
        let PartialSuccess { rejected, message } = self.send(&body).await?;
        let number = number as u64;
        Ok(match (rejected, message.is_empty()) {
            (0, true) => Delivered::all(),
            (0, false) => Delivered::all_but(0, message),
            // If all were refused and reported one by one, they would be sent again some day, and
            // "the client MUST NOT retry" ("OTLP Specification", "Partial Success").
            (all, _) if all >= number => {
                Delivered::all_but(number, format!("the backend refused all {number} in the request: {message}"))
            }
            (some, _) => {
                let why =
                    format!("the backend refused {some} of the request's {number} and does not say which: {message}");
                Delivered::all_but(some, why)
            }
        })
    }

    /// Sends an empty request, and returns a line that says what works.
    pub(crate) async fn check(&self) -> Result<String, SinkError> {
        // An empty message has no bytes. It is compressed like any other.
        let body = self.settings.compression.begin().finish().map_err(SinkError::retry)?;
        let endpoint = self.settings.endpoint(self.signal)?;
        let answered = match self.send(&body).await {
            // The backend has read the request, and only complains that it has no spans.
            Err(error) if error.verdict() == Verdict::Rejected => Ok(()),
            result => result.map(|_| ()),
        };
        answered.map(|()| format!("{} accepts OTLP at {endpoint}", self.settings.profile))
    }

    async fn send(&self, body: &Body) -> Result<PartialSuccess, SinkError> {
        let answer = self.client.send(&self.settings.request(self.signal, body)?).await?;
        let table = self.settings.profile.table();
        match (self.signal, answer.status(), table.no_logs) {
            // A receiver of traces only works without the sink of logs.
            (Signal::Logs, 404 | 405 | 501, Some(advice)) => return Err(answer.park(advice)),
            _ => table.verdicts.judge(&answer)?,
        }
        Ok(PartialSuccess::of(answer.body()))
    }
}

/// Returns the compression with this name ("Configuration Options", `Compression`).
pub(crate) fn compression(name: &str) -> Option<Compression> {
    match name {
        "gzip" => Some(Compression::gzip(Compression::FAST)),
        "none" => Some(Compression::none()),
        _ => None,
    }
}
