//! The sink that sends to LangSmith.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ragtrace::sink::{Batch, BatchLimits, Delivered, Needs, SinkError};
use ragtrace::uuid::Uuid;
use ragtrace::{Level, Sink, Timestamp};

use super::cut::Cut;
use super::feedback::{Judged, is_early};
use super::info::{Info, KnownInfo};
use super::plan::{Feedback, Plan};
use super::settings::{Settings, parsed};
use super::verdict::{judge, judge_question};
use crate::http::{Answer, Body, Client, ClientBuilder, Compression, Endpoint, Key, Request};

/// How long a request may take: a body of 20 MB has to come through.
const TIMEOUT: Duration = Duration::from_mins(1);
/// How long the question after the server's limits may take, for which a batch waits.
const INFO_TIMEOUT: Duration = Duration::from_secs(5);
/// That of the official clients.
const ZSTD_LEVEL: i32 = 1;
const JSON: &str = "application/json";

/// Sends runs and feedback to LangSmith.
///
/// ```
/// use ragtrace_sinks::LangSmithSink;
///
/// let sink = LangSmithSink::new("lsv2_pt_…").project("rag-ask").endpoint("https://eu.api.smith.langchain.com");
/// ```
///
/// A stage's end is a run, with the stages in it below. `input`, `output`, `query`, items, `model`,
/// tokens and cost go where LangSmith has them, all else into `metadata`. A score is feedback.
///
/// A root that has no caller has the trace's id as its run's, if that is a UUID version 7 as ours are,
/// else one that follows from it. Where a trace has a second root, or its root is in another service, the
/// stages below each are a LangSmith trace of their own, and `metadata.trace_id` says what belongs
/// together. What continues a LangSmith client's run (`RequestContext::with_langsmith_parent`) stands
/// below that run.
#[derive(Debug)]
pub struct LangSmithSink {
    name: Cow<'static, str>,
    level: Option<Level>,
    in_flight: usize,
    settings: Settings,
    client: Client,
    plain: Compression,
    zstd: Compression,
    info: KnownInfo,
    info_timeout: Duration,
    cut: AtomicU64,
}

impl LangSmithSink {
    /// Makes a sink with an API key: a text, or a [`Key`] from a file or a function, which is read again
    /// before each request, so that it may be exchanged while the service runs. Nothing is connected
    /// before the first batch.
    pub fn new(key: impl Into<Key>) -> Self {
        let key = key.into();
        Self {
            name: Cow::Borrowed("langsmith"),
            level: None,
            in_flight: 4,
            settings: Settings::new(key),
            client: Self::client().build(),
            plain: Compression::none(),
            zstd: Compression::zstd(ZSTD_LEVEL),
            info: KnownInfo::default(),
            info_timeout: INFO_TIMEOUT,
            cut: AtomicU64::default(),
        }
    }

    /// Sets the sink's name; `langsmith` unless set.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the level, which has no effect on runs and feedback: a sink of trees takes them all. This
    /// setter hides [`Sink::level`], which returns it.
    pub fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Sets the URL; `https://api.smith.langchain.com` unless set. That of a server of your own ends in
    /// `/api/v1`. A malformed URL parks the sink.
    pub fn endpoint(mut self, url: impl AsRef<str>) -> Self {
        self.settings.set_endpoint(parsed(url.as_ref()));
        self
    }

    /// Returns the settings of its HTTP client.
    pub(crate) fn client() -> ClientBuilder {
        Client::builder().timeout(TIMEOUT)
    }

    pub(crate) fn with_client(self, client: Client) -> Self {
        Self { client, ..self }
    }

    pub(crate) fn with_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.settings.set_endpoint(Ok(endpoint));
        self
    }

    /// Sets the project; `default` if not set or empty.
    pub fn project(mut self, name: impl Into<String>) -> Self {
        self.settings.set_project(name.into());
        self
    }

    /// Sets the workspace's id, which a key of a whole organisation needs.
    pub fn workspace_id(mut self, id: impl Into<String>) -> Self {
        self.settings.set_workspace(id.into());
        self
    }

    /// Adds a tag to each run, beside its stage's kind.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.settings.common.tags.push(tag.into());
        self
    }

    /// Sets how many requests are under way at once; 4 if not set, and at least 1.
    pub fn connections(mut self, connections: usize) -> Self {
        self.in_flight = connections.max(1);
        self
    }

    /// Sets how long a request may take until its answer is read; a minute unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.client = Client::builder().timeout(timeout).build();
        self.info_timeout = INFO_TIMEOUT.min(timeout);
        self
    }

    /// Returns how many parts of runs were too large for LangSmith and have a mark in their place. Whoever
    /// reads it keeps the sink in an `Arc`, of which a clone is a sink as well.
    pub fn parts_cut(&self) -> u64 {
        self.cut.load(Ordering::Relaxed)
    }

    /// Returns what the server takes, which is asked now and then.
    async fn info(&self) -> Info {
        if let Some(info) = self.info.current() {
            return info;
        }
        self.info.learn(self.ask_for_info().await.ok())
    }

    async fn ask_for_info(&self) -> Result<Info, SinkError> {
        let request = self.settings.get("/info")?;
        let asked = tokio::time::timeout(self.info_timeout, self.client.send(&request)).await;
        let answer =
            asked.map_err(|_| SinkError::retry(format!("no answer to GET /info within {:?}", self.info_timeout)))??;
        judge_question(&answer)?;
        Info::read(answer.body()).ok_or_else(|| answer.park("this is no LangSmith: check LANGSMITH_ENDPOINT"))
    }

    /// Sends runs, and the feedback that goes beside them; false if the server has no such endpoint.
    async fn send_together(&self, plan: &Plan<'_>, info: &Info) -> Result<bool, SinkError> {
        if plan.together() > info.runs {
            // Each half is acknowledged by itself: nothing that arrived is sent again.
            return Err(SinkError::split(format!("LangSmith takes {} runs at once", info.runs)));
        }
        let (request, cut) = self.encode_to_fit(plan, info)?;
        let answer = self.client.send(&request).await?;
        if answer.status() == 404 && info.has_multipart {
            return Ok(false);
        }
        judge(&answer)?;
        self.cut.fetch_add(cut.parts(), Ordering::Relaxed);
        Ok(true)
    }

    /// Encodes runs; of a lone one that is too large, parts are cut.
    fn encode_to_fit(&self, plan: &Plan<'_>, info: &Info) -> Result<(Request, Cut), SinkError> {
        let too_large = || format!("LangSmith takes {} bytes at once", info.bytes);
        let nothing = Cut::nothing();
        if let Some(request) = self.encode(plan, info, &nothing)? {
            return Ok((request, nothing));
        }
        if plan.together() > 1 {
            return Err(SinkError::split(too_large()));
        }
        let cut = Cut::to_fit(info.bytes);
        let request = self.encode(plan, info, &cut)?.ok_or_else(|| SinkError::rejected(too_large()))?;
        Ok((request, cut))
    }

    /// Encodes runs; `None` if they are too large for one request.
    fn encode(&self, plan: &Plan<'_>, info: &Info, cut: &Cut) -> Result<Option<Request>, SinkError> {
        let (request, length) = if info.has_multipart {
            let compression = if info.has_zstd { &self.zstd } else { &self.plain };
            let whole = plan.multipart(compression, cut).map_err(SinkError::retry)?;
            let mut request = self.settings.post("/runs/multipart")?.body(&whole.content_type, &whole.body);
            if info.has_zstd {
                request = request
                    .header("X-Pre-Compressed-Size", &whole.content_length.to_string())
                    .header("X-Post-Compressed-Size", &whole.body.bytes().len().to_string());
            }
            (request, whole.body.uncompressed_len())
        } else {
            let body = plan.batch(&self.plain, cut).map_err(SinkError::retry)?;
            (self.settings.post("/runs/batch")?.body(JSON, &body), body.uncompressed_len())
        };
        Ok((length <= info.bytes).then_some(request))
    }

    /// Sends feedback that goes alone, and returns which of it LangSmith never takes.
    async fn send_alone(&self, plan: &Plan<'_>) -> Result<Delivered, SinkError> {
        let mut refused = Vec::new();
        for feedback in &plan.alone {
            if let Some(why) = self.send_feedback(feedback).await? {
                refused.push((feedback.index, why));
            }
        }
        Ok(Delivered::partly(refused))
    }

    /// Sends feedback that goes alone; `Some` is why LangSmith never takes it.
    async fn send_feedback(&self, feedback: &Feedback<'_>) -> Result<Option<String>, SinkError> {
        let (first, otherwise) = match feedback.judged {
            Judged::Known { run_id, trace_id } => ((run_id, Some(trace_id)), None),
            Judged::Guessed { run_id, otherwise } => ((run_id, None), otherwise),
        };
        let mut answer = self.post_feedback(feedback, first).await?;
        if answer.status() == 404
            && let Some(root) = otherwise
        {
            answer = self.post_feedback(feedback, (root, None)).await?;
        }
        match answer.status() {
            404 if is_early(feedback.record, Timestamp::now()) => {
                Err(answer.retry("its run has not arrived, or LANGSMITH_ENDPOINT is not where LangSmith is"))
            }
            404 => Ok(Some(answer.reason("LangSmith does not know the run that the score is about"))),
            400 | 422 => Ok(Some(answer.reason(""))),
            _ => judge(&answer).map(|()| None),
        }
    }

    async fn post_feedback(&self, feedback: &Feedback<'_>, run: (Uuid, Option<Uuid>)) -> Result<Answer, SinkError> {
        let mut json = Vec::new();
        feedback.write(&mut json, run);
        let request = self.settings.post("/feedback")?;
        self.client.send(&request.body(JSON, &Body::plain(json))).await
    }
}

impl Sink for LangSmithSink {
    fn name(&self) -> &str {
        &self.name
    }

    /// Returns batches of 100, which LangSmith takes at once unless it says otherwise.
    fn limits(&self) -> BatchLimits {
        BatchLimits::default().with_records(100).with_bytes(4 << 20).with_in_flight(self.in_flight)
    }

    fn level(&self) -> Option<Level> {
        self.level
    }

    fn needs(&self) -> Needs {
        Needs::default().with_only_end_records_and_scores().with_ancestry()
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        if !batch.records().iter().any(|record| record.event().is_end() || record.score().is_some()) {
            return Ok(Delivered::all());
        }
        let mut info = self.info().await;
        let mut plan = Plan::of(batch, &self.settings.common, info.takes_feedback_in_multipart());
        if plan.together() > 0 && !self.send_together(&plan, &info).await? {
            self.info.note_without_multipart();
            info.has_multipart = false;
            plan = Plan::of(batch, &self.settings.common, false);
            if plan.together() > 0 {
                self.send_together(&plan, &info).await?;
            }
        }
        self.send_alone(&plan).await
    }

    /// Asks for the server's limits, and whether the key may read.
    async fn check(&self) -> Result<String, SinkError> {
        let info = self.ask_for_info().await?;
        let request = self.settings.get("/sessions?limit=1")?;
        judge_question(&self.client.send(&request).await?)?;
        let Info { version, runs, bytes, .. } = &info;
        let version = version.as_deref().unwrap_or("of unknown version");
        let (url, project) = (self.settings.shown(), &self.settings.common.project);
        let way = match (info.has_multipart, info.has_zstd) {
            (true, true) => "multipart, compressed",
            (true, false) => "multipart",
            (false, _) => "batches of JSON",
        };
        Ok(format!(
            "LangSmith {version} at {url} takes the key: runs go to the project `{project}` as {way}, up to {runs} or {bytes} bytes a request"
        ))
    }
}
