//! Tests the programs end to end: their output, their exit codes, and their stage logs.

// Their server is watched over by a shell.
#[cfg(all(unix, feature = "postgres"))]
#[expect(dead_code, reason = "its ways to fail are for tests of the sink")]
#[path = "../../tests/support/cluster.rs"]
mod cluster;
#[cfg(unix)]
#[path = "programs/interrupted.rs"]
mod interrupted;
#[path = "programs/options.rs"]
mod options;
#[path = "support/pdf.rs"]
mod pdf;
#[cfg(all(unix, feature = "postgres"))]
#[path = "programs/postgres.rs"]
mod postgres;
#[path = "support/program.rs"]
mod program;
#[path = "programs/rerun.rs"]
mod rerun;
#[path = "programs/secrets.rs"]
mod secrets;
#[cfg(unix)]
#[path = "support/signals.rs"]
mod signals;
#[path = "programs/spool.rs"]
mod spool;
#[path = "support/trace.rs"]
mod trace;

use program::{Ended, Folder};
use ragtrace::{Level, Value};
use ragtrace_sinks::store::{LogFilter, SpanNode, SpanStatus};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use trace::{assert_whole, stages};

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data");
const STAGES: [&str; 5] = ["file_parsing", "document_chunking", "chunk_enrichment", "chunk_embedding", "data_storage"];

/// Returns a number that a run recorded.
fn number(span: SpanNode<'_>, name: &str) -> f64 {
    span.record().metric(name).unwrap_or_else(|| panic!("{} has no {name}", span.stage()))
}

fn text<'a>(span: SpanNode<'a>, name: &str) -> Option<&'a str> {
    match span.record().field(name) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

#[tokio::test]
async fn the_samples_are_ingested_drawn_and_logged() {
    let folder = Folder::new();
    let run = folder.run("ingest", &["--user", "alice", "--tenant", "acme", SAMPLES]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{}", run.stdout);
    let chunks =
        run.last_line().strip_prefix("4 ingested, 0 failed, ").and_then(|rest| rest.strip_suffix(" chunks stored"));
    let chunks: f64 = chunks.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{}", run.stdout));
    assert!(!run.stdout.contains('\u{1b}'), "no colour into a pipe");

    let trace = folder.last_trace().await;
    assert_whole(&trace);
    assert_eq!(trace.status(), SpanStatus::Completed);
    assert!(run.stdout.starts_with(&format!("✓ {}  completed in ", trace.trace_id())), "{}", run.stdout);
    for stage in STAGES {
        let lines = run.stdout.lines().filter(|line| line.contains(&format!("─✓ {stage}"))).count();
        assert_eq!(lines, 4, "{stage}: {}", run.stdout);
    }
    let first = trace.logs().first().expect("a record");
    let who = [first.user_id(), first.tenant_id(), first.request_type(), first.service()];
    assert_eq!(who, [Some("alice"), Some("acme"), Some("ingest"), Some("rag-ingest")]);

    let root = trace.roots().next().expect("a root");
    assert_eq!((root.stage(), root.count()), ("ingestion", Some(4)));
    assert!((number(root, "total_chunks") - chunks).abs() < 0.5);
    for document in root.children() {
        assert_eq!(document.stage(), "document_ingestion");
        assert_eq!(stages(document), STAGES);
    }
}

#[tokio::test]
async fn each_stage_of_a_document_says_what_it_did() {
    let folder = Folder::new();
    assert_eq!(folder.run("ingest", &[&format!("{SAMPLES}/specification.pdf")]).code, Some(0));
    let trace = folder.last_trace().await;
    assert_whole(&trace);
    let stage = |name: &str| trace.spans().find(|span| span.stage() == name).expect("a run of it");

    let parsing = stage("file_parsing");
    assert_eq!((parsing.count(), text(parsing, "format")), (Some(1), Some("pdf")));
    let size = std::fs::metadata(format!("{SAMPLES}/specification.pdf")).expect("the sample").len();
    assert_eq!(parsing.record().metric("bytes"), Some(f64::from(u32::try_from(size).expect("a small file"))));
    assert_eq!(parsing.record().metric("pages"), Some(2.0));
    assert!(number(parsing, "chars") > 1_000.0);

    let chunking = stage("document_chunking");
    let chunks = chunking.count().expect("counted");
    assert!(chunks > 1 && number(chunking, "avg_chunk_size") > 100.0);
    for name in ["chunk_enrichment", "chunk_embedding", "data_storage"] {
        assert_eq!(stage(name).count(), Some(chunks), "{name}");
    }
    let embedding = stage("chunk_embedding");
    assert_eq!(embedding.cost_usd(), Some(0.0), "hashing costs nothing");
    assert_eq!(text(embedding, "model"), Some("feature-hashing-v1-1024"));
    assert!(number(embedding, "input_tokens") > 100.0);
}

#[tokio::test]
async fn what_cannot_be_read_fails_alone() {
    let folder = Folder::new();
    folder.file("in/empty.md", "");
    folder.file("in/photo.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    folder.file("in/broken.pdf", "%PDF-1.7 and no more");
    folder.file("in/locked.pdf", pdf::locked("secret"));
    folder.file("in/whole.pdf", pdf::saved(pdf::pdf(&["BT /F1 12 Tf 50 700 Td (A page.) Tj ET"], &[])));
    folder.file("in/fine.md", "# Fine\n\nThis one can be read.");
    folder.file("in/movie.mp4", "x");
    let run = folder.run("ingest", &["in", "missing.md"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert_eq!(
        run.last_line(),
        "5 failed: 1 another format, 1 damaged, 1 empty, 1 locked, 1 unreadable; 1 skipped: 1 no reader for .mp4"
    );
    assert!(run.stdout.contains("\n2 ingested, 5 failed, 1 skipped, 2 chunks stored\n"), "{}", run.stdout);

    let expected = [
        ("in/empty.md", "there is no text in the file; fill it or leave it out"),
        ("in/photo.txt", "this .txt is image/png, for which there is no reader; give .md, .txt, .html, .pdf, .csv"),
        ("in/broken.pdf", "the PDF is damaged; open it in a viewer and save it anew"),
        ("in/locked.pdf", "the PDF is locked with a password; give it with --password"),
        ("missing.md", "the file cannot be opened; check its path and its permissions"),
    ];
    let trace = folder.last_trace().await;
    assert_whole(&trace);
    assert_eq!(run.stderr.lines().count(), expected.len(), "{}", run.stderr);
    for (path, why) in expected {
        let line = format!("error: {path}: parsing failed: {why}");
        assert!(run.stderr.lines().any(|said| said.starts_with(&line)), "{line}: {}", run.stderr);
        let parsing = trace.spans().find(|span| span.stage() == "file_parsing" && text(*span, "doc") == Some(path));
        let parsing = parsing.unwrap_or_else(|| panic!("no stage for {path}"));
        assert_eq!(parsing.status(), SpanStatus::Failed);
        assert_eq!(parsing.parent().map(SpanNode::status), Some(SpanStatus::Failed));
        let error = parsing.error().expect("why");
        assert_eq!((error.type_name(), error.message()), ("IngestError", "parsing failed"));
        assert!(error.chain().first().is_some_and(|cause| cause.starts_with(why)), "{:?}", error.chain());
    }
    let missing = trace.spans().find(|span| text(*span, "doc") == Some("missing.md")).expect("its stage");
    assert_eq!(missing.error().expect("why").chain().len(), 2, "and what the operating system said");

    let root = trace.roots().next().expect("a root");
    assert_eq!((root.status(), root.count()), (SpanStatus::Failed, Some(2)));
    assert_eq!(root.error().expect("why").message(), "5 of 7 documents were not ingested; their own errors say why");
    let errors = folder.store().await.errors(LogFilter::new().trace_id(trace.trace_id())).await.expect("errors");
    assert_eq!(errors.len(), 11, "each failed document, its parsing, and the run");
}

#[tokio::test]
async fn a_page_that_is_lost_is_told_on_the_terminal_and_in_the_record() {
    let folder = Folder::new();
    folder.file("lossy.pdf", pdf::with_undecodable_pages(1));
    let run = folder.run("ingest", &["lossy.pdf"]);
    let loss = "page 2: the page contents could not be read: unsupported filter /Nonesuch";
    assert_eq!((run.code, run.stderr), (Some(0), format!("warning: lossy.pdf: {loss}\n")));
    let trace = folder.last_trace().await;
    let parsing = trace.spans().find(|span| span.stage() == "file_parsing").expect("a run of it");
    assert_eq!((number(parsing, "unreadable_pages"), text(parsing, "unreadable")), (1.0, Some(loss)));
}

#[tokio::test]
async fn each_loss_has_a_record_up_to_a_number() {
    let folder = Folder::new();
    folder.file("lossy.pdf", pdf::with_undecodable_pages(25));
    let run = folder.run("ingest", &["lossy.pdf"]);
    assert_eq!((run.code, run.stderr.lines().count()), (Some(0), 25), "{}", run.stderr);
    let warnings = folder.store().await.logs(LogFilter::new().level(Level::Warn)).await.expect("a readable store");
    assert_eq!(warnings.len(), 21, "{warnings:?}");
    let of_page = |page: u64| {
        warnings
            .iter()
            .find(|row| row.field("page") == Some(&Value::U64(page)))
            .unwrap_or_else(|| panic!("page {page}"))
    };
    for page in 2..=21 {
        let row = of_page(page);
        let loss = format!("page {page}: the page contents could not be read: unsupported filter /Nonesuch");
        assert_eq!((&*row.message(), row.stage()), (loss.as_str(), Some("file_parsing")));
        assert_eq!(row.field("doc"), Some(&Value::Text("lossy.pdf".into())));
    }
    assert!(warnings.iter().any(|row| row.message().starts_with("5 more losses of this document")));
    assert!(run.last_line().starts_with("25 warnings: 25 unreadable "), "{}", run.stdout);
}

/// Locks the documents' database, so that a run stays in `data_storage` for as long as this lives.
async fn locked_database(folder: &Folder) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(folder.path("rag.db"));
    let mut connection = SqliteConnection::connect_with(&options).await.expect("the database");
    sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await.expect("the lock");
    connection
}

#[tokio::test]
async fn an_answer_is_traced_as_it_streams() {
    let folder = Folder::new();
    assert_eq!(folder.run("ingest", &["--tenant", "acme", SAMPLES]).code, Some(0));
    let arguments = ["--tenant", "acme", "--user", "alice", "--waterfall"];
    let run = folder.run("ask", &[&arguments[..], &["How long does the battery last without sun?"]].concat());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let sentences = run.stdout.lines().take_while(|line| !line.is_empty()).count();
    assert!(run.stdout.contains("eleven days"), "{}", run.stdout);
    assert!(run.stdout.contains("─✓ rerank"), "{}", run.stdout);

    let trace = folder.last_trace().await;
    assert_whole(&trace);
    let root = trace.roots().next().expect("a root");
    assert_eq!(root.stage(), "question");
    assert_eq!(stages(root), ["query_embedding", "retrieval", "rerank", "answer"]);
    let counts: Vec<_> = root.children().map(SpanNode::count).collect();
    let [Some(1), Some(found), Some(4), Some(said)] = counts[..] else { panic!("{counts:?}") };
    assert!(found > 4 && said == sentences as u64, "{counts:?}");
    assert!(trace.logs().iter().all(|row| row.field("query").is_none()), "words of a question are its user's");
}

#[tokio::test]
async fn a_question_is_logged_only_if_asked_to() {
    let folder = Folder::new();
    assert_eq!(folder.run("ingest", &[SAMPLES]).code, Some(0));
    assert_eq!(folder.run("ask", &["--log-question", "wind", "vane?"]).code, Some(0));
    let trace = folder.last_trace().await;
    assert_eq!(text(trace.roots().next().expect("a root"), "query"), Some("wind vane?"));
}

#[tokio::test]
async fn a_question_without_an_answer_is_a_failed_stage() {
    let folder = Folder::new();
    assert_eq!(folder.run("ingest", &[SAMPLES]).code, Some(0));
    let run = folder.run("ask", &["Who painted the Sistine chapel?"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    let trace = folder.last_trace().await;
    assert_whole(&trace);
    let failed = trace.spans().filter(|span| span.status() == SpanStatus::Failed).map(SpanNode::stage);
    assert_eq!(failed.collect::<Vec<_>>(), ["question", "answer"]);
}

#[tokio::test]
async fn records_are_shown_on_the_console_if_asked_to() {
    let folder = Folder::new();
    folder.file("a.md", "A text.");
    let run = folder.command("ingest", &["a.md"]).env("RAGTRACE_CONSOLE", "json").output().expect("the program runs");
    let run = Ended::from(run);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 14, "seven stages: {}", run.stderr);
    for line in run.stderr.lines() {
        let record: serde_json::Value = serde_json::from_str(line).expect("JSON and nothing else");
        assert_eq!(record["service"], "rag-ingest");
    }
}

#[test]
fn without_a_sink_the_work_is_done_all_the_same() {
    let folder = Folder::new();
    folder.file("a.md", "A text.");
    let run = folder.command("ingest", &["a.md"]).env("RAGTRACE_SINKS", "").output().expect("the program runs");
    let run = Ended::from(run);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "1 ingested, 0 failed, 1 chunks stored\n"));
    assert_eq!(run.stderr, "");
    assert!(!folder.path("ragtrace.db").exists());
}

#[test]
fn logs_that_cannot_be_written_fail_nothing_else() {
    let folder = Folder::new();
    folder.file("a.md", "A text.");
    let path = folder.path("missing/ragtrace.db");
    let run = folder.command("ingest", &["a.md"]).env("RAGTRACE_SQLITE_PATH", path).output().expect("the program runs");
    let run = Ended::from(run);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "1 ingested, 0 failed, 1 chunks stored\n"));
    assert!(run.stderr.contains("warning: not all stage logs were delivered: sqlite: 0 delivered"), "{}", run.stderr);
}

#[test]
fn a_sink_that_does_not_exist_is_refused_before_any_work() {
    let folder = Folder::new();
    folder.file("a.md", "A text.");
    let run = folder.command("ingest", &["a.md"]).env("RAGTRACE_SINKS", "sqlight").output().expect("the program runs");
    let run = Ended::from(run);
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    assert!(run.stderr.starts_with("error: RAGTRACE_SINKS names \"sqlight\""), "{}", run.stderr);
    assert!(!folder.path("rag.db").exists());
}
