//! Records and stores for tests.

use std::error::Error;

use ragtrace::metrics::{RequestMetric, StageMinute};
use ragtrace::sink::Batch;
use ragtrace::{Record, Sink, Timestamp};
use ragtrace_store::SqliteSink;
use serde_json::{Map, Value as Json, json};
use tempfile::TempDir;
use uuid::Uuid;

/// 2026-11-22T08:20:11Z, the start of every artificial trace.
pub(crate) const BEGIN: Timestamp = Timestamp::from_micros(1_795_335_611_000_000);
pub(crate) const TRACE: &str = "0199a1c2-7b1e-7a54-9c01-5f2e8d3b9a10";
pub(crate) const INSTANCE: &str = "0199a1c2-0000-7000-8000-000000000001";

/// Builds a record.
#[derive(Clone)]
pub(crate) struct Make(Map<String, Json>);

impl Make {
    /// Begins the record of an event of a stage's run, `at_ms` milliseconds after BEGIN.
    pub(crate) fn new(event: &str, stage: &str, span: u64, at_ms: u64) -> Self {
        let at = BEGIN.plus(std::time::Duration::from_millis(at_ms));
        let level = match event {
            "failed" => "ERROR",
            "cancelled" => "WARN",
            _ => "INFO",
        };
        let fields = json!({
            "id": Uuid::new_v4().to_string(), "timestamp": at.to_string(), "level": level, "logger": "rag.ingestion",
            "message": format!("{stage}_{event}"), "event": event, "stage": stage, "kind": "chunk", "trace_id": TRACE,
            "span_id": format!("{span:016x}"), "parent_span_id": null, "user_id": "alice", "tenant_id": "acme",
            "request_id": "req-1", "request_type": "ingest", "service": "rag-api", "instance": INSTANCE,
        });
        Self(fields.as_object().expect("an object").clone())
    }

    /// Sets a member of the canonical JSON.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn parent(self, span: u64) -> Self {
        self.with("parent_span_id", format!("{span:016x}"))
    }

    pub(crate) fn metrics(self, metrics: Json) -> Self {
        self.with("metrics", metrics)
    }

    pub(crate) fn trace(self, id: &str) -> Self {
        self.with("trace_id", id)
    }

    pub(crate) fn record(&self) -> Record {
        Record::from_json(&Json::Object(self.0.clone()).to_string()).expect("a record")
    }
}

/// Returns the start and the end of a run that took some milliseconds.
pub(crate) fn run(event: &str, stage: &str, span: u64, from_to_ms: (u64, u64)) -> (Make, Make) {
    let (from, to) = from_to_ms;
    let end = Make::new(event, stage, span, to).metrics(json!({"duration_ms": to - from}));
    (Make::new("started", stage, span, from), end)
}

/// Returns a failed ingestion: three stages under a root, the last of which fails it.
pub(crate) fn ingestion() -> Vec<Record> {
    let error =
        json!({"type": "EmbedError", "message": "the model is overloaded", "chain": ["503 Service Unavailable"]});
    let (root, root_end) = run("failed", "ingestion", 1, (0, 1_420));
    let (parse, parse_end) = run("completed", "file_parsing", 2, (2, 114));
    let (chunk, chunk_end) = run("completed", "document_chunking", 3, (116, 200));
    let (embed, embed_end) = run("failed", "chunk_embedding", 4, (201, 1_419));
    let root = root.with("kind", "pipeline");
    let root_end = root_end.with("kind", "pipeline").with("local_root", true).with("error", error.clone());
    let parse_end = parse_end.metrics(json!({"duration_ms": 112.0, "busy_ms": 40.5, "count": 3}));
    let chunk_end = chunk_end
        .metrics(json!({"duration_ms": 84.1, "count": 128, "avg_chars": 512.5}))
        .with("context", json!({"doc.name": "report.pdf"}));
    let embed_end =
        embed_end.metrics(json!({"duration_ms": 1_218.0, "count": 1_280, "cost_usd": 0.0021})).with("error", error);
    [root, parse.parent(1).with("kind", "parse"), parse_end.parent(1).with("kind", "parse"), chunk.parent(1)]
        .iter()
        .chain(&[chunk_end.parent(1), embed.parent(1).with("kind", "embed"), embed_end.parent(1).with("kind", "embed")])
        .chain(&[root_end])
        .map(Make::record)
        .collect()
}

/// Returns the messages of an error and of its sources.
pub(crate) fn reason(error: &dyn Error) -> String {
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        reason.extend([": ", &error.to_string()]);
        source = error.source();
    }
    reason
}

/// Returns a batch of records, with the counts that they make.
pub(crate) fn batch(records: impl IntoIterator<Item = Record>) -> Batch {
    let records: Vec<_> = records.into_iter().collect();
    let requests = records.iter().filter_map(RequestMetric::of).collect();
    let minutes = records.iter().filter_map(StageMinute::of).collect();
    Batch::new(Uuid::new_v4(), records).with_metrics(requests, minutes)
}

/// A file in a folder of its own, and its URL.
pub(crate) struct File {
    pub(crate) folder: TempDir,
}

impl File {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder for the test") }
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("ragtrace.db")
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite:{}", self.path().display())
    }

    pub(crate) fn sink(&self) -> SqliteSink {
        SqliteSink::new(self.path())
    }

    /// Returns a file that contains these records and is not open.
    pub(crate) async fn holding(records: impl IntoIterator<Item = Record>) -> Self {
        let file = Self::new();
        let sink = file.sink();
        sink.deliver(&batch(records)).await.expect("a fresh file takes a batch");
        sink.close().await;
        file
    }
}
