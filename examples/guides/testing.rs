//! Tests: assertions on the records of stages.

use std::fmt;
use std::time::Duration;

use ragtrace::testing::{self, Capture, ManualClock};
use ragtrace::{RequestContext, Value, traced_stage};

#[traced_stage(kind = pipeline, descriptor = INGESTION)]
async fn ingestion(text: &str) -> Result<Vec<String>, ChunkError> {
    chunk(text, 5).await
}

#[traced_stage(
    "document_chunking",
    kind = chunk,
    fields(max_chars),
    ok(|chunks| longest = chunks.iter().map(String::len).max()),
    descriptor = CHUNKING,
)]
async fn chunk(text: &str, max_chars: usize) -> Result<Vec<String>, ChunkError> {
    if text.is_empty() {
        return Err(ChunkError);
    }
    let chars: Vec<char> = text.chars().collect();
    Ok(chars.chunks(max_chars).map(String::from_iter).collect())
}

#[derive(Debug)]
struct ChunkError;

impl fmt::Display for ChunkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the document has no text")
    }
}

impl std::error::Error for ChunkError {}

#[tokio::test]
async fn chunks_are_counted_and_measured() {
    // A capture sees only the records of its own future, so tests can run in parallel.
    let (chunks, captured) = testing::capture(ingestion("a short text")).await;
    assert_eq!(chunks.expect("chunks").len(), 3);

    // `one()` fails the test and prints all captured records if there is not exactly one.
    let completed = captured.stage("document_chunking").completed().one();
    assert_eq!(completed.count(), Some(3));
    assert_eq!(completed.metric("longest"), Some(5.0));
    assert_eq!(completed.field("max_chars"), Some(&Value::U64(5)));
}

#[tokio::test]
async fn chunking_happens_in_the_ingestion() {
    let (_, captured) = testing::capture(ingestion("a short text")).await;

    // Descriptors replace names here, so renaming a stage breaks no test.
    assert_eq!(captured.of(&CHUNKING).completed().within_stage(&INGESTION).len(), 1);
}

#[tokio::test]
async fn an_empty_document_fails_its_stage_with_a_reason() {
    let (_, captured) = testing::capture(chunk("", 5)).await;
    let error = captured.of(&CHUNKING).failed().one().error().expect("an error");
    assert_eq!(error.message(), "the document has no text");
}

#[tokio::test]
async fn records_are_tied_to_who_asked() {
    let request = RequestContext::new().with_user_id("alice").with_tenant_id("acme");
    let (_, captured) = testing::capture(async { request.scope(chunk("a text", 5)).await }).await;
    assert_eq!(captured.of(&CHUNKING).completed().one().user_id(), Some("alice"));
}

#[test]
fn a_clock_by_hand_makes_records_the_same_in_every_run() {
    #[traced_stage(kind = embed)]
    fn embed(clock: &ManualClock) {
        clock.advance(Duration::from_millis(40));
    }

    let clock = ManualClock::at("2026-11-22T08:20:11Z".parse().expect("a time"));
    let ((), captured) = Capture::new().clock(&clock).run_sync(|| embed(&clock));
    let completed = captured.stage("embed").completed().one();
    assert_eq!(completed.duration(), Some(Duration::from_millis(40)));
    assert_eq!(completed.timestamp().to_string(), "2026-11-22T08:20:11.040000Z");
}
