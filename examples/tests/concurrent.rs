//! Many requests at once in one process.

#[path = "support/trace.rs"]
mod trace;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use ragtrace::{Console, RequestContext, TraceId};
use ragtrace_examples::chunk::{Chunking, Unit};
use ragtrace_examples::embed::HashingEmbedder;
use ragtrace_examples::store::Store;
use ragtrace_examples::{Ingestion, Source, ingestion};
use ragtrace_sinks::{SqliteSink, store};
use trace::{assert_whole, stages};

const REQUESTS: usize = 1_000;

/// Runs one user's request: a document that can be read, and for every tenth user one that cannot.
async fn request(shared: Arc<Ingestion<HashingEmbedder>>, documents: Vec<Source>, number: usize) -> TraceId {
    let request =
        RequestContext::new().with_user_id(format!("user-{number}")).with_tenant_id(format!("tenant-{}", number % 7));
    let id = request.trace_id();
    let run = async move { ingestion(&shared, documents, 2, |_, _| ()).await };
    let outcome = request.scope(run).await;
    assert_eq!(outcome.is_err(), number.is_multiple_of(10));
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_ingestions_at_once_do_not_mix_their_records() {
    let folder = tempfile::tempdir().expect("a folder");
    let logs = folder.path().join("ragtrace.db");
    let telemetry =
        ragtrace::builder().console(Console::Off).sink(SqliteSink::new(&logs)).install().expect("installed");
    let embedder = HashingEmbedder::new(64);
    let store = Store::create(&folder.path().join("rag.db"), &embedder).await.expect("a store");
    let chunking = Chunking::new(Unit::Tokens, 160, 20).expect("valid");
    let shared = Arc::new(Ingestion::new(store, embedder, chunking));

    let tasks = (0..REQUESTS).map(|number| {
        let document = folder.path().join(format!("{number}.md"));
        std::fs::write(&document, format!("Document number {number}.")).expect("a file");
        let missing = number.is_multiple_of(10).then(|| folder.path().join("missing.md"));
        let documents = [document].into_iter().chain(missing).map(Source::from).collect();
        tokio::spawn(request(Arc::clone(&shared), documents, number))
    });
    let ids = join_all(tasks.collect::<Vec<_>>()).await;
    let report = telemetry.shutdown(Duration::from_mins(1)).await;
    assert!(report.complete, "{report}");

    let store = store::open(&format!("sqlite:{}", logs.display())).await.expect("a store");
    for (number, id) in ids.into_iter().enumerate() {
        let trace = store.trace(id.expect("no panic")).await.expect("a readable store").expect("a trace");
        assert_whole(&trace);
        let first = trace.logs().first().expect("a record");
        let tenant = format!("tenant-{}", number % 7);
        assert_eq!((first.user_id(), first.tenant_id()), (Some(&*format!("user-{number}")), Some(&*tenant)));
        let root = trace.roots().next().expect("a root");
        assert_eq!((root.stage(), root.count()), ("ingestion", Some(1)));
        let documents: Vec<_> = root.children().map(|document| stages(document).len()).collect();
        let failed = number.is_multiple_of(10);
        assert_eq!(documents.iter().sum::<usize>(), if failed { 6 } else { 5 }, "user {number}: {documents:?}");
    }
}
