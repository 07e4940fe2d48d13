//! A trace with a value for every place that a backend may have.

use std::sync::Arc;
use std::time::Duration;

use ragtrace::testing::RecordBuilder;
use ragtrace::uuid::Uuid;
use ragtrace::{Origin, Record, RecordItem, SpanId, StageKind, Timestamp, TraceId, Value};

/// The time at which the trace begins: 2026-11-22T08:20:11Z.
pub(crate) const BEGIN: Timestamp = Timestamp::from_micros(1_795_335_611_000_000);

pub(crate) fn trace_id() -> TraceId {
    TraceId::from_u128(0x0199_aaaa_bbbb_7ccc_8ddd_eeee_ffff_0001).expect("not zero")
}

pub(crate) fn span_id(number: u64) -> SpanId {
    SpanId::from_u64(0xa0_0000 + number).expect("not zero")
}

/// Returns a process that ended long ago.
pub(crate) fn origin() -> Arc<Origin> {
    let instance = Uuid::from_u128(0x0199_aaaa_0000_7000_8000_0000_0000_0009);
    let origin = Origin::new(instance).with_service("rag-api").with_environment("Production!").with_version("1.4.2");
    Arc::new(origin.with_host("node-7"))
}

/// Puts a record into the trace, `from` and `to` milliseconds after its beginning.
pub(crate) fn placed(builder: RecordBuilder, number: u64, from: u64, to: u64) -> RecordBuilder {
    builder
        .id(Uuid::from_u128(0x0199_aaaa_bbbb_7000_8000_0000_0000_0000 + u128::from(number)))
        .timestamp(BEGIN.plus(Duration::from_millis(to)))
        .duration(Duration::from_millis(to - from))
        .trace_id(trace_id())
        .span_id(span_id(number))
        .origin(origin())
        .session_id("session-1")
        .user_id("alice")
        .tenant_id("acme")
        .request_id("req-1")
        .request_type("ask")
        .source("src/ask.rs", 10 + u32::try_from(number).expect("small"))
        .thread("worker-1")
}

fn child(builder: RecordBuilder, number: u64, from: u64, to: u64) -> RecordBuilder {
    placed(builder, number, from, to).parent_span_id(span_id(1)).local_root(false)
}

pub(crate) fn json(text: &'static str) -> Value {
    Value::Json(text.into())
}

/// Returns the trace, with the ends in the order in which they happen.
pub(crate) fn trace() -> Vec<Record> {
    let chunk = |id: &str, score: f64| RecordItem::new("chunk", id).with_score(score);
    vec![
        child(RecordBuilder::completed("embed_query").kind(StageKind::Embed), 2, 5, 25)
            .field("model", "text-embedding-3-small")
            .field("provider", "openai")
            .field("input", "why is the sky blue?")
            .metric("input_tokens", 6_u64)
            .metric("dimensions", 1_536_u64)
            .metric("cost_usd", 0.000_000_12)
            .count(1)
            .build(),
        child(RecordBuilder::completed("search").kind(StageKind::Retrieve), 3, 30, 90)
            .field("query", "why is the sky blue?")
            .field("index", "chunks-v2")
            .metric("top_k", 2_u64)
            .count(2)
            .generated(
                chunk("c-1", 0.91)
                    .with_content("Light is scattered.")
                    .with_source("optics.pdf")
                    .with_derived_from("d-1"),
            )
            .generated(chunk("c-2", 0.5))
            .build(),
        child(RecordBuilder::completed("rerank").kind(StageKind::Rerank), 4, 90, 120)
            .field("query", "why is the sky blue?")
            .field("model", "rerank-2")
            .metric("top_k", 1_u64)
            .used(chunk("c-1", 0.91))
            .used(chunk("c-2", 0.5))
            .generated(chunk("c-1", 0.99).with_content("Light is scattered."))
            .build(),
        child(RecordBuilder::completed("weather").kind(StageKind::Tool), 5, 120, 150)
            .field("input", json(r#"{"city":"Paris"}"#))
            .field("output", json(r#"{"sky":"blue"}"#))
            .build(),
        generation(),
        child(RecordBuilder::failed("store_answer", "StoreError", "cannot write the answer"), 7, 900, 950)
            .kind(StageKind::Store)
            .caused_by("connection reset")
            .caused_by("broken pipe")
            .metric("attempts", 3_u64)
            .build(),
        child(RecordBuilder::cancelled("log_feedback"), 8, 950, 960).build(),
        placed(RecordBuilder::completed("ask").kind(StageKind::Pipeline), 1, 0, 1_000)
            .field("input", "why is the sky blue?")
            .field("output", "Because light is scattered.")
            .field("filters", json(r#"{"lang":["en"]}"#))
            .field("is_cached", Value::Bool(false))
            .busy(Duration::from_micros(3_500))
            .build(),
    ]
}

/// Returns a call of a model with messages, tools, a prompt, and its whole cost.
fn generation() -> Record {
    let messages = r#"[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"why is the sky blue?"}]},{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Paris\"}"}}]},{"role":"tool","tool_call_id":"call_1","content":"blue"}]"#;
    child(RecordBuilder::completed("generate").kind(StageKind::Generate), 6, 150, 900)
        .field("model", "gpt-4o")
        .field("provider", "openai")
        .field("input", json(messages))
        .field("output", json(r#"{"role":"assistant","content":"Because light is scattered."}"#))
        .field("prompt_name", "answer")
        .field("prompt_version", Value::U64(7))
        .field("temperature", Value::F64(0.2))
        .metric("input_tokens", 1_200_u64)
        .metric("output_tokens", 300_u64)
        .metric("cached_tokens", 1_000_u64)
        .metric("cache_write_tokens", 100_u64)
        .metric("reasoning_tokens", 200_u64)
        .metric("cost_usd", 0.012)
        .metric("first_item_ms", 250.0)
        .count(42)
        .build()
}
