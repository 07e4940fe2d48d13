//! A worker: jobs from a queue, each with a context of its own and a stage named after its type.

use std::fmt;
use std::time::Duration;

use ragtrace::{NamedStage, RequestContext, StageKind, traced_stage};
use ragtrace_sinks::SqliteSink;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// A message of the queue. User and trace are part of it as text, so the queue may also belong to
/// another process.
struct Job {
    kind: &'static str,
    document: String,
    user: String,
    traceparent: String,
}

impl Job {
    /// Returns the context of the job, which belongs to the trace that enqueued it. A malformed
    /// header starts a new trace.
    fn context(&self) -> RequestContext {
        RequestContext::from_traceparent(&self.traceparent)
            .unwrap_or_default()
            .with_user_id(&self.user)
            .with_request_type(self.kind)
    }

    /// Returns the stage of jobs of this type. The number of stages is limited, so use values with
    /// few alternatives; if types come from outside, jobs beyond the limit share a common name.
    fn stage(&self) -> NamedStage {
        NamedStage::new(&format!("job {}", self.kind), StageKind::Pipeline)
            .or_else(|| NamedStage::new("job", StageKind::Pipeline))
            .expect("few types of jobs")
    }

    async fn run(&self) -> Result<(), JobError> {
        let chunks = chunk(&self.document);
        if chunks.is_empty() { Err(JobError) } else { store(&chunks).await }
    }
}

#[traced_stage("document_chunking", kind = chunk)]
fn chunk(text: &str) -> Vec<String> {
    text.split_terminator('.').map(|sentence| sentence.trim().to_owned()).collect()
}

#[traced_stage("data_storage", kind = store, fields(input_count = chunks.len()))]
async fn store(chunks: &[String]) -> Result<(), JobError> {
    tokio::task::yield_now().await;
    Ok(())
}

#[derive(Debug)]
struct JobError;

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the document has no text")
    }
}

impl std::error::Error for JobError {}

/// Runs jobs until the queue is closed, a few at a time.
async fn work(mut jobs: mpsc::Receiver<Job>) {
    const AT_ONCE: usize = 4;
    let mut running = JoinSet::new();
    while let Some(job) = jobs.recv().await {
        if running.len() >= AT_ONCE {
            running.join_next().await;
        }
        // The scope moves into the task with the job, so no job sees the context of another.
        running.spawn(async move {
            let (context, stage) = (job.context(), job.stage());
            match context.scope(stage.try_run(job.run())).await {
                Ok(()) => println!("{} for {}: done", job.kind, job.user),
                Err(error) => println!("{} for {}: {error}", job.kind, job.user),
            }
        });
    }
    while running.join_next().await.is_some() {}
}

/// Puts a job into the queue. This is a stage of the caller, and the job becomes its child,
/// whenever it runs.
#[traced_stage(kind = task, fields(kind))]
async fn enqueue(jobs: &mpsc::Sender<Job>, kind: &'static str, user: &str, document: &str) {
    let traceparent = RequestContext::current().map(|context| context.traceparent()).unwrap_or_default();
    let job = Job { kind, document: document.to_owned(), user: user.to_owned(), traceparent };
    jobs.send(job).await.unwrap_or_else(|_| eprintln!("the worker is gone"));
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telemetry =
        ragtrace::builder().service("rag-worker").sink(SqliteSink::new("ragtrace.db")).from_env().install()?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let (sender, jobs) = mpsc::channel(16);
        let worker = tokio::spawn(work(jobs));
        for (user, document) in [("alice", "Oil the pump. Check the seal."), ("bob", "Replace the filter.")] {
            RequestContext::new().with_user_id(user).scope(enqueue(&sender, "ingest", user, document)).await;
        }
        RequestContext::new().with_user_id("carol").scope(enqueue(&sender, "reindex", "carol", "")).await;
        drop(sender);
        worker.await
    })?;
    drop(runtime);
    telemetry.shutdown_blocking(Duration::from_secs(10));
    Ok(())
}
