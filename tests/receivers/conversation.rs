//! A program that the tests run: a conversation with a language model, which records every reserved
//! name and every outcome. Its sinks are those that the environment names.

use std::error::Error;
use std::time::Duration;

use ragtrace::{RequestContext, traced_stage};

#[derive(Debug)]
struct Passage {
    id: &'static str,
    score: f64,
    text: &'static str,
}

const PASSAGES: [Passage; 3] = [
    Passage { id: "field-notes#4", score: 0.91, text: "The battery lasts eleven days without sun." },
    Passage { id: "guide#2", score: 0.5, text: "Charge the battery at 5 V, “slowly”." },
    Passage { id: "guide#7", score: 0.0, text: "Ünïcödé survives, 電池 too." },
];

#[derive(Debug)]
struct Unreachable(std::io::Error);

impl std::fmt::Display for Unreachable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no connection to the station")
    }
}

impl Error for Unreachable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[traced_stage(kind = pipeline, fields(input = question), ok(|answer| output = answer.as_str()))]
async fn conversation(question: &str) -> Result<String, Unreachable> {
    query_embedding(question).await;
    let passages = retrieval(question).await;
    let best = reranking(question, passages).await;
    let answer = completion(question, &best).await;
    // One lookup is cancelled, one fails, one panics.
    let _ = tokio::time::timeout(Duration::from_millis(5), slow_lookup(7)).await;
    let _ = weather_lookup(7).await;
    let _ = tokio::spawn(ragtrace::RequestContext::current().expect("a request").scope(checked(0))).await;
    Ok(answer)
}

#[traced_stage(
    kind = embed,
    fields(input = question, model = "text-embedding-3-small", provider = "openai", dimensions = 1536),
    ok(|_| input_tokens = 7, cost_usd = 0.000_000_14),
)]
async fn query_embedding(question: &str) -> Vec<f32> {
    vec![0.5; question.len()]
}

#[traced_stage(
    kind = retrieve,
    fields(query, top_k = 3),
    generated(|found| passage = found.iter().map(|each| ragtrace::Item::new(each.id).score(each.score).content(each.text))),
)]
async fn retrieval(query: &str) -> Vec<&'static Passage> {
    PASSAGES.iter().collect()
}

#[traced_stage(
    kind = rerank,
    fields(query, top_k = 2),
    used(passage = passages.iter().map(|each| each.id)),
    generated(|found| passage = found.iter().map(|each| ragtrace::Item::new(each.id).score(each.score).content(each.text))),
)]
async fn reranking(query: &str, passages: Vec<&'static Passage>) -> Vec<&'static Passage> {
    passages.into_iter().take(2).collect()
}

#[traced_stage(
    kind = generate,
    fields(
        model = "gpt-5-mini",
        provider = "openai",
        prompt_name = "answer-from-passages",
        prompt_version = 3,
        input = ragtrace::json(&serde_json::json!([
            { "role": "system", "content": "Answer from the passages." },
            { "role": "user", "content": question },
        ])),
        input_count = passages.len()),
    ok(|answer|
        output = ragtrace::json(&serde_json::json!([{ "role": "assistant", "content": answer }])),
        input_tokens = 210,
        output_tokens = 18,
        cached_tokens = 128,
        cache_write_tokens = 16,
        reasoning_tokens = 6,
        cost_usd = 0.000_31),
)]
async fn completion(question: &str, passages: &[&'static Passage]) -> String {
    ragtrace::Score::number("faithfulness", 0.83).by("llm").comment("Said in the first passage.").record();
    passages.first().map_or_else(String::new, |passage| passage.text.to_owned())
}

#[traced_stage(kind = tool, fields(station))]
async fn slow_lookup(station: u32) {
    std::future::pending::<()>().await;
}

#[traced_stage(kind = tool, fields(station))]
async fn weather_lookup(station: u32) -> Result<f64, Unreachable> {
    Err(Unreachable(std::io::Error::other("connection refused (127.0.0.1:1)")))
}

#[traced_stage(kind = task, fields(divisor))]
async fn checked(divisor: u32) -> u32 {
    assert!(divisor != 0, "the divisor is zero");
    7 / divisor
}

fn main() -> Result<(), Box<dyn Error>> {
    let telemetry =
        ragtrace::builder().service("conversation").from_env().sinks(ragtrace_sinks::from_env()?).install()?;
    // Panics here are intended, and standard error is for records.
    std::panic::set_hook(Box::new(|_| ()));
    let request = RequestContext::new()
        .with_user_id("alice")
        .with_tenant_id("acme")
        .with_session_id("conversation-7")
        .with_request_type("ask");
    let runtime = tokio::runtime::Runtime::new()?;
    let answer = runtime.block_on(request.scope(conversation("How long does the battery last?")));
    drop(runtime);
    let report = telemetry.shutdown_blocking(Duration::from_secs(20));
    if !report.complete || report.stats.sinks.iter().any(|sink| sink.dropped + sink.dead_lettered + sink.pending > 0) {
        return Err(format!("not all was delivered: {report}").into());
    }
    println!("{}", answer?);
    Ok(())
}
