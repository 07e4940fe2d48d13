//! The state that all requests share.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ragtrace::{SpanId, TelemetryHandle, TraceId};
use ragtrace_examples::chunk::{Chunking, Unit};
use ragtrace_examples::embed::HashingEmbedder;
use ragtrace_examples::parse::Reading;
use ragtrace_examples::rerank::MIN_SCORE;
use ragtrace_examples::stage_logs::StageLogs;
use ragtrace_examples::store::Store;
use ragtrace_examples::{Ingestion, Library};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::history::{History, HistoryError};
use crate::identity::{COOKIE, Identities};
use crate::live::Live;
use crate::settings::Settings;
use crate::shutdown::Shutdown;
use crate::trace_view::TraceView;
use crate::upload::Folder;

/// The longest time for which a record may be on its way. A trace, or a run in it, that is not yet
/// known is awaited for so long.
const ON_ITS_WAY: Duration = Duration::from_secs(1);
/// The size of a chunk in tokens, and how many of them the next chunk may repeat.
const CHUNK: (usize, usize) = (160, 20);
/// The number of chunks that a search returns.
const TOP_K: u32 = 24;

/// The state of the service.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) identities: Identities,
    pub(crate) live: Live,
    pub(crate) telemetry: TelemetryHandle,
    pub(crate) shutdown: Shutdown,
    /// The documents.
    pub(crate) store: Store,
    pub(crate) history: History,
    /// The folder of uploads while they are read.
    pub(crate) uploads: Folder,
    pub(crate) max_bytes: usize,
    pub(crate) max_files: usize,
    /// The largest number of documents that are ingested at once.
    pub(crate) jobs: usize,
    /// One permit per document being ingested, since reading and cutting one keeps a core busy.
    documents: Arc<Semaphore>,
    /// The settings of reading, and the memory that all requests share for it.
    reading: Reading,
    /// One permit per request that sends files or asks, since waiting requests take memory, and
    /// their files take disk space.
    requests: Arc<Semaphore>,
    /// One permit per question being answered. Questions do not wait for documents.
    pub(crate) questions: Arc<Semaphore>,
    secure_cookie: bool,
    log_question: bool,
    embedder: HashingEmbedder,
}

impl App {
    /// Opens the database in the folder, or creates it.
    pub(crate) async fn new(
        settings: &Settings,
        logs: &StageLogs,
        live: Live,
        shutdown: Shutdown,
    ) -> Result<Self, Box<dyn Error>> {
        let identities = Identities::of(settings)?;
        let folder = |cause| FolderError(settings.data.display().to_string(), cause);
        let uploads = Folder::make(&settings.data).map_err(folder)?;
        let embedder = HashingEmbedder::default();
        let store = Store::create(&settings.data.join("rag.db"), &embedder).await?;
        let jobs = settings.jobs();
        Ok(Self {
            identities,
            live,
            telemetry: logs.handle(),
            shutdown,
            store,
            history: History::at(logs.store_url()),
            uploads,
            max_bytes: settings.max_bytes,
            max_files: settings.max_files,
            jobs,
            documents: Arc::new(Semaphore::new(jobs)),
            reading: Reading::default(),
            requests: Arc::new(Semaphore::new(settings.max_requests.get())),
            questions: Arc::new(Semaphore::new(jobs * 2)),
            secure_cookie: settings.secure_cookie,
            log_question: settings.log_question,
            embedder,
        })
    }

    /// Returns the ingestion of documents of `tenant`.
    pub(crate) fn ingestion(&self, tenant: &str) -> Ingestion<HashingEmbedder> {
        let (size, overlap) = CHUNK;
        let chunking = Chunking::new(Unit::Tokens, size, overlap).expect("the overlap is smaller than the size");
        Ingestion {
            tenant: tenant.to_owned(),
            places: Some(Arc::clone(&self.documents)),
            reading: self.reading.clone(),
            ..Ingestion::new(self.store.clone(), self.embedder.clone(), chunking)
        }
    }

    /// Returns the cookie that makes a browser send this session id for the given time.
    pub(crate) fn cookie(&self, id: &str, age: Duration) -> String {
        let secure = if self.secure_cookie { "; Secure" } else { "" };
        format!("{COOKIE}={id}; Path=/; HttpOnly; SameSite=Strict{secure}; Max-Age={}", age.as_secs())
    }

    /// Takes a permit for a request, if there is one.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.requests).try_acquire_owned().ok()
    }

    /// Returns the library that answers questions of `tenant` from the given number of passages.
    pub(crate) fn library(&self, tenant: &str, passages: usize) -> Library<HashingEmbedder> {
        Library {
            store: self.store.clone(),
            embedder: self.embedder.clone(),
            tenant: tenant.to_owned(),
            top_k: TOP_K,
            passages,
            min_score: MIN_SCORE,
            log_question: self.log_question,
        }
    }

    /// Looks for a trace on behalf of `tenant`: in the store, or in memory if the store lags behind
    /// or there is none. If the trace is the tenant's, the run `span` is awaited too.
    pub(crate) async fn find(
        &self,
        id: TraceId,
        span: Option<SpanId>,
        tenant: Option<&str>,
    ) -> Result<Found, HistoryError> {
        let stored = self.history.trace(id).await?;
        let is_enough = |view: &TraceView| view.owner() != tenant || span.is_none_or(|span| view.has_run(span));
        Ok(match self.live.await_trace(id, (stored, ON_ITS_WAY), is_enough).await {
            Some(view) if view.owner() == tenant => Found::Trace(view),
            Some(_) => Found::Foreign,
            None => Found::Nothing,
        })
    }

    /// Returns `true` if the trace with this id is known and does not belong to `tenant`. If the
    /// store cannot tell, the trace counts as another tenant's.
    pub(crate) async fn is_foreign(&self, id: TraceId, tenant: &str) -> bool {
        if let Some(is_foreign) = self.live.is_foreign(id, tenant) {
            return is_foreign;
        }
        match self.history.trace(id).await {
            Ok(known) => known.is_some_and(|view| view.owner() != Some(tenant)),
            Err(_) => true,
        }
    }
}

/// The result of looking for a trace.
#[derive(Debug)]
pub(crate) enum Found {
    /// The trace is not known.
    Nothing,
    /// The trace belongs to another tenant.
    Foreign,
    Trace(TraceView),
}

/// The error of a folder that cannot be used.
#[derive(Debug)]
struct FolderError(String, std::io::Error);

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the folder {} cannot be used; name one to write to with --data", self.0)
    }
}

impl Error for FolderError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.1)
    }
}
