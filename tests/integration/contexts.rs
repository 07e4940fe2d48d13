//! All records of one request have its ids, and none of another request's.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use ragtrace::metrics::StageMinute;
use ragtrace::{Event, InContext, Record, RequestContext, SpanId, traced_stage};
use ragtrace_sinks::SqliteSink;
use ragtrace_sinks::store::{self, LogFilter};

use crate::support::{Memory, finish, quiet, turn};

#[traced_stage(kind = pipeline, ok(|chunks| total_chunks = *chunks))]
async fn ingestion(document: u32) -> Result<usize, String> {
    let text = file_parsing(document).await?;
    let chunks = document_chunking(&text).await;
    let stored = ragtrace::spawn(data_storage(chunks.len())).await.map_err(|error| error.to_string())?;
    Ok(stored)
}

#[traced_stage(kind = parse, fields(document))]
async fn file_parsing(document: u32) -> Result<String, String> {
    tokio::task::yield_now().await;
    if document % 10 == 9 {
        return Err(format!("document {document} is broken"));
    }
    Ok(format!("text of document {document}"))
}

#[traced_stage(kind = chunk)]
async fn document_chunking(text: &str) -> Vec<String> {
    tokio::time::sleep(Duration::from_millis(1)).await;
    text.split(' ').map(str::to_owned).collect()
}

#[traced_stage(kind = store)]
async fn data_storage(chunks: usize) -> usize {
    tokio::task::spawn_blocking(move || chunks).in_current_context().await.unwrap_or(0)
}

/// Asserts that the trace of `user` is whole, and belongs to that user alone.
fn check(user: &str, records: &[&Record]) {
    let first = records[0];
    let same = |of: fn(&Record) -> Option<&str>| records.iter().all(|record| of(record) == of(first));
    assert!(same(Record::user_id) && same(Record::tenant_id) && same(Record::request_id), "{user}: {records:#?}");
    assert!(same(Record::request_type) && records.iter().all(|record| record.trace_id() == first.trace_id()));
    assert_eq!(first.user_id(), Some(user));
    let spans: HashSet<SpanId> = records.iter().filter_map(|record| record.span_id()).collect();
    for record in records {
        match record.parent_span_id() {
            None => assert!(record.is_local_root() && record.stage() == Some("ingestion"), "{record:?}"),
            Some(parent) => assert!(spans.contains(&parent), "{record:?} has no parent"),
        }
    }
    for span in spans {
        let events = || records.iter().filter(|record| record.span_id() == Some(span)).map(|record| record.event());
        assert_eq!(events().filter(|event| *event == Event::Started).count(), 1);
        assert_eq!(events().filter(|event| event.is_end()).count(), 1);
    }
}

#[test]
fn a_thousand_concurrent_ingestions_do_not_mix_their_ids() {
    let _turn = turn();
    let memory = Memory::default();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("logs.db");
    let telemetry = quiet().sink(memory.clone()).sink(SqliteSink::new(&path)).install().expect("the only one");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let ingest = |document: u32| async move {
            let request = RequestContext::new()
                .with_user_id(format!("user-{document}"))
                .with_tenant_id(format!("tenant-{}", document % 7))
                .with_request_type("ingest");
            let ingested = request.scope(ingestion(document)).await;
            assert_eq!(ingested.is_err(), document % 10 == 9);
            assert!(RequestContext::current().is_none());
        };
        let tasks: Vec<_> = (0..1_000).map(|document| tokio::spawn(ingest(document))).collect();
        for task in tasks {
            task.await.expect("no ingestion panics");
        }
    });
    drop(runtime);
    finish(telemetry);

    let records = memory.records();
    let mut by_user: HashMap<&str, Vec<&Record>> = HashMap::new();
    for record in &records {
        by_user.entry(record.user_id().expect("every request has a user")).or_default().push(record);
    }
    assert_eq!(by_user.len(), 1_000);
    let traces: HashSet<_> = records.iter().filter_map(Record::trace_id).collect();
    assert_eq!(traces.len(), 1_000);
    for (user, records) in &by_user {
        check(user, records);
    }
    assert_eq!(memory.requests().len(), 1_000);
    let failed: u64 = memory.minutes().iter().filter(|m| m.stage() == "file_parsing").map(StageMinute::failed).sum();
    assert_eq!(failed, 100);

    // The database contains the same trace, and finds it by the user.
    let reading = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    reading.block_on(async {
        let store = store::open(&format!("sqlite:{}", path.display())).await.expect("it was written");
        let rows = store.logs(LogFilter::new().limit(100_000)).await.expect("it is readable");
        let ids = |records: Vec<String>| records.into_iter().collect::<HashSet<_>>();
        let written = ids(rows.iter().map(|row| row.id().to_string()).collect());
        assert_eq!(written, ids(records.iter().map(|record| record.id().to_string()).collect()));
        let errors = store.errors(LogFilter::new().user_id("user-19")).await.expect("it is readable");
        assert_eq!(errors.len(), 2, "the parsing and the ingestion around it failed");
        let error = errors[0].error().expect("an error is recorded");
        assert_eq!(error.message(), "document 19 is broken");
        let trace = store.trace(errors[0].trace_id().expect("it has a trace")).await.expect("it is readable");
        assert_eq!(trace.expect("it is there").spans().len(), 2);
    });
}

#[traced_stage(kind = rerank)]
fn ranking(number: usize) -> usize {
    number
}

#[test]
fn records_have_the_ids_that_their_request_says() {
    let _turn = turn();
    let memory = Memory::default();
    let telemetry = quiet().sink(memory.clone()).install().expect("the only one");
    // The longest do not fit into what is left of a block of the queue.
    let ids = [0, 1, 4, 7, 8, 100, 3_000].map(|length| "é".repeat(length));
    let mut expected = HashMap::new();
    for (number, id) in ids.iter().cycle().take(700).enumerate() {
        let mut request = RequestContext::new().with_user_id(&**id).with_tenant_id(format!("tenant-{number}"));
        if number % 3 == 0 {
            request = request.with_request_id(format!("id-{number}-{id}"));
        }
        request.sync_scope(|| ranking(number));
        expected.insert(request.trace_id(), request);
    }
    finish(telemetry);
    let records: Vec<_> = memory.records().into_iter().filter(|record| record.stage().is_some()).collect();
    assert_eq!(records.len(), 2 * expected.len());
    for record in &records {
        let request = &expected[&record.trace_id().expect("of a request")];
        assert_eq!(record.request_id(), request.request_id());
        assert_eq!((record.user_id(), record.tenant_id()), (request.user_id(), request.tenant_id()));
    }
}
