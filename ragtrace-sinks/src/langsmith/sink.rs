//! The sink of runs in LangSmith.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ragtrace::sink::{Batch, BatchLimits, Delivered, Needs, SinkError};
use ragtrace::{Level, Sink};

use super::connection::Connection;
use super::cut::Cut;
use super::feedback_sink::LangSmithFeedbackSink;
use super::info::Info;
use super::runs::Runs;
use super::settings::parsed;
use super::verdict::judge;
use crate::http::{Client, ClientBuilder, Endpoint, Key, Request};

/// A sink that sends runs to LangSmith.
///
/// ```
/// use ragtrace_sinks::LangSmithSink;
///
/// let sink = LangSmithSink::new("lsv2_pt_…").project("rag-ask").endpoint("https://eu.api.smith.langchain.com");
/// ```
///
/// A finished stage is a run, with the stages inside it below. `input`, `output`, `query`, items,
/// `model`, tokens and cost go to the members that LangSmith has for them, everything else into
/// `metadata`. Scores go through a sink of their own ([`feedback`](Self::feedback)).
///
/// The run id of a root without a caller is the trace id if that is a UUID version 7, as ragtrace's
/// own are; otherwise it follows from the trace id. If a trace has a second root, or its root is in
/// another service, the stages below each root are a LangSmith trace of their own, and
/// `metadata.trace_id` shows which belong together. A request that continues a LangSmith client's
/// run (`RequestContext::with_langsmith_parent`) appears below that run.
#[derive(Debug)]
pub struct LangSmithSink {
    name: Cow<'static, str>,
    level: Option<Level>,
    in_flight: usize,
    connection: Connection,
    cut: AtomicU64,
}

impl LangSmithSink {
    /// Creates a sink with an API key.
    ///
    /// The key is a text, or a [`Key`] from a file or a function, which is read again before each
    /// request, so that it can be rotated while the service runs. Nothing is connected before the
    /// first batch.
    pub fn new(key: impl Into<Key>) -> Self {
        Self {
            name: Cow::Borrowed("langsmith"),
            level: None,
            in_flight: 4,
            connection: Connection::new(key.into()),
            cut: AtomicU64::default(),
        }
    }

    /// Sets the sink's name. The default is `langsmith`.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the sink's level, which has no effect on runs: the sink accepts the runs of every
    /// level, so that their trees are complete.
    ///
    /// This setter hides [`Sink::level`], which returns the level.
    pub fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Sets the URL. The default is `https://api.smith.langchain.com`.
    ///
    /// The URL of a self-hosted server ends in `/api/v1`. A malformed URL parks the sink.
    pub fn endpoint(mut self, url: impl AsRef<str>) -> Self {
        self.connection.set_endpoint(parsed(url.as_ref()));
        self
    }

    /// Returns the settings of the sink's HTTP client.
    pub(crate) fn client() -> ClientBuilder {
        Connection::client()
    }

    pub(crate) fn with_client(mut self, client: Client) -> Self {
        self.connection.set_client(client);
        self
    }

    pub(crate) fn with_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.connection.set_endpoint(Ok(endpoint));
        self
    }

    /// Sets the project. The default, also for an empty name, is `default`.
    pub fn project(mut self, name: impl Into<String>) -> Self {
        self.connection.settings.set_project(name.into());
        self
    }

    /// Sets the workspace's id, which is required with a key of a whole organisation.
    pub fn workspace_id(mut self, id: impl Into<String>) -> Self {
        self.connection.settings.set_workspace(id.into());
        self
    }

    /// Adds a tag to each run, in addition to the stage's kind.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.connection.settings.common.tags.push(tag.into());
        self
    }

    /// Sets the maximum number of requests in flight. The default is 4, the minimum 1.
    pub fn connections(mut self, connections: usize) -> Self {
        self.in_flight = connections.max(1);
        self
    }

    /// Sets the longest time that a request may take until its answer is read, from 1 millisecond
    /// to 1 hour. The default is 60 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.connection.set_timeout(timeout);
        self
    }

    /// Creates a sink with the same settings that sends scores as feedback. Its name is this one's
    /// with `-feedback`.
    ///
    /// Settings that are changed afterwards apply to this sink only.
    pub fn feedback(&self) -> LangSmithFeedbackSink {
        LangSmithFeedbackSink::new(format!("{}-feedback", self.name), self.in_flight, self.connection.clone())
    }

    /// Returns the number of parts of runs that were too large for LangSmith and replaced by a
    /// mark.
    ///
    /// To call this later, keep the sink in an `Arc`, which is a sink as well.
    pub fn parts_cut(&self) -> u64 {
        self.cut.load(Ordering::Relaxed)
    }

    /// Sends runs in the way that the server supports.
    async fn send(&self, runs: &Runs<'_>) -> Result<(), SinkError> {
        let mut info = self.connection.info().await;
        if !self.post(runs, &info).await? {
            self.connection.note_without_multipart();
            info.has_multipart = false;
            self.post(runs, &info).await?;
        }
        Ok(())
    }

    /// Posts runs. Returns `false` if the server has no such endpoint.
    async fn post(&self, runs: &Runs<'_>, info: &Info) -> Result<bool, SinkError> {
        if runs.number() > info.runs {
            // Each half is acknowledged separately, so nothing that arrived is sent again.
            return Err(SinkError::split(format!("LangSmith accepts {} runs at once", info.runs)));
        }
        let (request, cut) = self.encode_to_fit(runs, info)?;
        let answer = self.connection.send(&request).await?;
        if answer.status() == 404 && info.has_multipart {
            return Ok(false);
        }
        judge(&answer)?;
        self.cut.fetch_add(cut.parts(), Ordering::Relaxed);
        Ok(true)
    }

    /// Encodes runs. If a single run is too large, parts of it are cut.
    fn encode_to_fit(&self, runs: &Runs<'_>, info: &Info) -> Result<(Request, Cut), SinkError> {
        let too_large = || format!("LangSmith accepts {} bytes at once", info.bytes);
        let nothing = Cut::nothing();
        if let Some(request) = self.encode(runs, info, &nothing)? {
            return Ok((request, nothing));
        }
        if runs.number() > 1 {
            return Err(SinkError::split(too_large()));
        }
        let cut = Cut::to_fit(info.bytes);
        let request = self.encode(runs, info, &cut)?.ok_or_else(|| SinkError::rejected(too_large()))?;
        Ok((request, cut))
    }

    /// Encodes runs, or returns `None` if they are too large for one request.
    fn encode(&self, runs: &Runs<'_>, info: &Info, cut: &Cut) -> Result<Option<Request>, SinkError> {
        if info.has_multipart {
            let whole = runs.multipart(self.connection.compression(info), cut).map_err(SinkError::retry)?;
            return self.connection.multipart(&whole, info);
        }
        let body = runs.batch(&self.connection.plain, cut).map_err(SinkError::retry)?;
        self.connection.json("/runs/batch", &body, info)
    }
}

impl Sink for LangSmithSink {
    fn name(&self) -> &str {
        &self.name
    }

    /// Returns limits of 100 records, which LangSmith accepts at once unless it says otherwise.
    fn limits(&self) -> BatchLimits {
        BatchLimits::default().with_records(100).with_bytes(4 << 20).with_in_flight(self.in_flight)
    }

    fn level(&self) -> Option<Level> {
        self.level
    }

    fn needs(&self) -> Needs {
        Needs::default().with_only_end_records().with_ancestry()
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        let runs = Runs::of(batch, &self.connection.settings.common);
        if runs.number() == 0 {
            return Ok(Delivered::all());
        }
        let answer = self.send(&runs).await;
        self.connection.note_runs(batch, &answer);
        answer.map(|()| Delivered::all())
    }

    /// Asks for the server's limits, and checks that the key may read.
    async fn check(&self) -> Result<String, SinkError> {
        let info = self.connection.check().await?;
        let Info { version, runs, bytes, .. } = &info;
        let version = version.as_deref().unwrap_or("of unknown version");
        let (url, project) = (self.connection.settings.shown(), &self.connection.settings.common.project);
        let way = match (info.has_multipart, info.has_zstd) {
            (true, true) => "multipart, compressed",
            (true, false) => "multipart",
            (false, _) => "batches of JSON",
        };
        Ok(format!(
            "LangSmith {version} at {url} accepts the key: runs go to the project `{project}` as {way}, up to {runs} or {bytes} bytes a request"
        ))
    }
}
