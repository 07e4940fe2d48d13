//! The connection to LangSmith, which the sinks of runs and of feedback share: settings, a client,
//! and what is known of the server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ragtrace::sink::{Batch, SinkError};
use ragtrace::{Record, Timestamp};

use super::health::{BACKLOG, Health};
use super::info::{Info, KnownInfo};
use super::multipart::MultipartBody;
use super::settings::Settings;
use super::verdict::judge_question;
use crate::http::{Answer, Body, Client, ClientBuilder, Compression, Endpoint, Key, Request};

/// The default timeout of a request, long enough for a body of 20 MB.
const TIMEOUT: Duration = Duration::from_mins(1);
/// The timeout of asking for the server's limits, for which a batch waits.
const INFO_TIMEOUT: Duration = Duration::from_secs(5);
/// The zstd level of LangSmith's official clients.
const ZSTD_LEVEL: i32 = 1;
const JSON: &str = "application/json";

/// Settings, a client, and what is known of the server. Clones share these.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) settings: Settings,
    client: Client,
    pub(super) plain: Compression,
    zstd: Compression,
    info: Arc<KnownInfo>,
    pub(super) health: Arc<Health>,
    info_timeout: Duration,
}

impl Connection {
    pub(super) fn new(key: Key) -> Self {
        Self {
            settings: Settings::new(key),
            client: Self::client().build(),
            plain: Compression::none(),
            zstd: Compression::zstd(ZSTD_LEVEL),
            info: Arc::default(),
            health: Arc::default(),
            info_timeout: INFO_TIMEOUT,
        }
    }

    /// Returns the client's settings.
    pub(super) fn client() -> ClientBuilder {
        Client::builder().timeout(TIMEOUT)
    }

    pub(super) fn set_client(&mut self, client: Client) {
        self.client = client;
    }

    pub(super) fn set_timeout(&mut self, timeout: Duration) {
        self.client = Client::builder().timeout(timeout).build();
        self.info_timeout = INFO_TIMEOUT.min(timeout);
    }

    /// Sets the URL, and forgets what was known of the server.
    pub(super) fn set_endpoint(&mut self, endpoint: Result<Endpoint, String>) {
        self.settings.set_endpoint(endpoint);
        self.info = Arc::default();
        self.health = Arc::default();
    }

    /// Returns the server's limits and abilities, and asks for them from time to time.
    pub(super) async fn info(&self) -> Info {
        if let Some(info) = self.info.current() {
            return info;
        }
        self.info.learn(self.ask_for_info().await.ok())
    }

    /// Notes that the server has no multipart endpoint. This holds until the server is asked again.
    pub(super) fn note_without_multipart(&self) {
        self.info.note_without_multipart();
    }

    /// Asks for the server's limits, and checks that the key may read.
    pub(super) async fn check(&self) -> Result<Info, SinkError> {
        let info = self.ask_for_info().await?;
        let request = self.settings.get("/sessions?limit=1")?;
        judge_question(&self.client.send(&request).await?)?;
        Ok(info)
    }

    async fn ask_for_info(&self) -> Result<Info, SinkError> {
        let request = self.settings.get("/info")?;
        let asked = tokio::time::timeout(self.info_timeout, self.client.send(&request)).await;
        let answer =
            asked.map_err(|_| SinkError::retry(format!("no answer to GET /info within {:?}", self.info_timeout)))??;
        judge_question(&answer)?;
        let info = Info::read(answer.body());
        let info = info.ok_or_else(|| answer.park("this is not a LangSmith server: check LANGSMITH_ENDPOINT"))?;
        self.health.note_langsmith();
        Ok(info)
    }

    /// Checks that the server is a LangSmith, before a 404 is taken at its word.
    pub(super) async fn require_langsmith(&self) -> Result<(), SinkError> {
        if !self.health.is_langsmith() {
            self.info.learn(Some(self.ask_for_info().await?));
        }
        Ok(())
    }

    /// Notes the outcome of a batch of runs.
    pub(super) fn note_runs(&self, batch: &Batch, answer: &Result<(), SinkError>) {
        self.health.runs.note(answer, Instant::now());
        if answer.is_ok() {
            self.health.note_langsmith();
            let newest = batch.records().iter().map(Record::timestamp).max();
            if newest.is_some_and(|newest| Timestamp::now().since(newest) > BACKLOG) {
                self.health.runs.note_backlog(Instant::now());
            }
        }
    }

    /// Returns the compression of the parts of `POST /runs/multipart`.
    pub(super) fn compression(&self, info: &Info) -> &Compression {
        if info.has_zstd { &self.zstd } else { &self.plain }
    }

    /// Creates the request of `POST /runs/multipart`, or returns `None` if it is too large.
    pub(super) fn multipart(&self, whole: &MultipartBody, info: &Info) -> Result<Option<Request>, SinkError> {
        let mut request = self.settings.post("/runs/multipart")?.body(&whole.content_type, &whole.body);
        if info.has_zstd {
            request = request
                .header("X-Pre-Compressed-Size", &whole.content_length.to_string())
                .header("X-Post-Compressed-Size", &whole.body.bytes().len().to_string());
        }
        Ok((whole.body.uncompressed_len() <= info.bytes).then_some(request))
    }

    /// Creates a request with JSON, or returns `None` if it is too large.
    pub(super) fn json(&self, path: &str, body: &Body, info: &Info) -> Result<Option<Request>, SinkError> {
        let request = self.settings.post(path)?.body(JSON, body);
        Ok((body.uncompressed_len() <= info.bytes).then_some(request))
    }

    pub(super) async fn send(&self, request: &Request) -> Result<Answer, SinkError> {
        self.client.send(request).await
    }
}
