//! The embedder behind an HTTP interface.

#[expect(dead_code, reason = "other tests do more with a program")]
#[path = "support/program.rs"]
mod program;
#[path = "support/service.rs"]
mod service;

use std::error::Error;
#[cfg(unix)]
use std::process::Stdio;
use std::time::Duration;

use ragtrace_examples::chunk::Chunk;
use ragtrace_examples::embed::{
    ApiKey, EmbedError, EmbeddedChunks, Embedder, RemoteEmbedder, RemoteSettings, Retries, embed_chunks,
};
use ragtrace_examples::enrich::EnrichedChunk;
use ragtrace_sinks::store::SpanNode;
#[cfg(unix)]
use ragtrace_sinks::store::SpanStatus;

use program::Folder;
use service::{DIMENSIONS, Reply, Service, refusal, vector};

const KEY: &str = "sk-hunter2hunter2";

fn settings(url: &str) -> RemoteSettings {
    let retries =
        Retries { attempts: 4, first_wait: Duration::from_millis(2), longest_wait: Duration::from_millis(200) };
    RemoteSettings {
        key: Some(ApiKey::new(KEY, "SOME_KEY")),
        dimensions: Some(DIMENSIONS),
        retries,
        ..RemoteSettings::new(url, "small")
    }
}

fn chunks(texts: &[String]) -> Vec<EnrichedChunk> {
    let chunks = texts.iter().enumerate().map(|(position, text)| {
        let chunk = Chunk {
            id: format!("a.md#{position}"),
            position,
            range: 0..text.len(),
            text: text.clone(),
            tokens: 1,
            headings: Vec::new(),
            page: None,
        };
        EnrichedChunk { chunk, language: None, keywords: Vec::new() }
    });
    chunks.collect()
}

async fn embedded(settings: RemoteSettings, texts: &[String]) -> Result<EmbeddedChunks, EmbedError> {
    let embedder = RemoteEmbedder::connect(settings).await?;
    embed_chunks(&embedder, chunks(texts)).await
}

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{number:05} text")).collect()
}

/// Returns the error with all of its causes.
fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn assert_vectors(embedded: &EmbeddedChunks, texts: &[String]) {
    assert_eq!(embedded.chunks.len(), texts.len());
    for (chunk, text) in embedded.chunks.iter().zip(texts) {
        assert_eq!(chunk.vector, vector(text), "{text}");
    }
}

#[tokio::test]
async fn texts_go_in_as_few_requests_as_the_limits_allow() {
    let service = Service::start(|_| Reply::Vectors).await;
    let texts = texts(5_000);
    let embedded = embedded(RemoteSettings { price: 2.0, ..settings(&service.url) }, &texts).await.expect("vectors");
    assert_vectors(&embedded, &texts);
    let sizes: Vec<usize> = service.seen().iter().map(|seen| seen.texts.len()).collect();
    assert_eq!(sizes, [2_048, 2_048, 904]);
    assert_eq!((embedded.requests, embedded.retries, embedded.tokens), (3, 0, 10_000));
    assert!((embedded.cost_usd - 0.02).abs() < 1e-9, "{}", embedded.cost_usd);
    let seen = &service.seen()[0];
    assert!(seen.head.contains(&format!("authorization: Bearer {KEY}\r\n")), "{}", seen.head);
    assert_eq!((seen.body["model"].as_str(), seen.body["encoding_format"].as_str()), (Some("small"), Some("float")));
}

#[tokio::test]
async fn large_texts_are_spread_by_their_tokens() {
    let service = Service::start(|_| Reply::Vectors).await;
    let texts: Vec<String> = (0..120).map(|number| format!("{number:03} {}", "word ".repeat(4_000))).collect();
    let embedded = embedded(settings(&service.url), &texts).await.expect("vectors");
    assert_vectors(&embedded, &texts);
    assert!(embedded.losses.is_empty() && embedded.requests > 1, "{}", embedded.requests);
}

#[tokio::test]
async fn a_text_longer_than_the_model_takes_is_cut_and_told() {
    let service = Service::start(|_| Reply::Vectors).await;
    let texts = vec!["short".to_owned(), "word ".repeat(20_000), "電池".repeat(9_000), "x".repeat(100_000)];
    let embedded = embedded(settings(&service.url), &texts).await.expect("vectors");
    let told: Vec<String> = embedded.losses.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].starts_with("chunk 2 of ") && told[0].ends_with("choose a smaller --chunk-size"), "{}", told[0]);
    let sent = &service.seen()[0].texts;
    assert_eq!(sent[0], "short");
    assert!((4_000..=8_192).contains(&sent[1].split_whitespace().count()), "no more than needed");
    assert!(texts.iter().zip(sent).all(|(text, sent)| text.starts_with(sent.as_str())));
}

#[tokio::test]
async fn the_length_of_vectors_is_discovered() {
    let service = Service::start(|_| Reply::Vectors).await;
    let embedder = RemoteEmbedder::connect(RemoteSettings { dimensions: None, ..settings(&service.url) }).await;
    assert_eq!(embedder.expect("connected").dimensions(), DIMENSIONS);
    let seen = service.seen();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].body.get("dimensions").is_none(), "a model without a choice refuses the member");
}

#[tokio::test]
async fn vectors_in_another_order_and_encoding_are_put_right() {
    for reply in [Reply::Reversed, Reply::Base64] {
        let service = Service::start(move |_| reply.clone()).await;
        let texts = texts(7);
        assert_vectors(&embedded(settings(&service.url), &texts).await.expect("vectors"), &texts);
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let busy = |status, lines| Reply::Status(status, lines, refusal("busy"));
    let broken = Reply::Status(200, "", r#"{"data":[{"ind"#.to_owned());
    for first in [busy(429, "retry-after: 0.02\r\n"), busy(429, ""), busy(500, ""), busy(503, ""), Reply::Close, broken]
    {
        let service = Service::start(move |number| if number < 2 { first.clone() } else { Reply::Vectors }).await;
        let texts = texts(3);
        let embedded = embedded(settings(&service.url), &texts).await.expect("vectors");
        assert_vectors(&embedded, &texts);
        assert_eq!((embedded.requests, embedded.retries), (3, 2));
    }
}

#[tokio::test]
async fn a_slow_service_is_given_up_after_some_attempts() {
    let service = Service::start(|_| Reply::Hang).await;
    let settings = RemoteSettings { timeout: Duration::from_millis(50), ..settings(&service.url) };
    let error = embedded(settings, &texts(1)).await.expect_err("no answer");
    assert!(error.to_string().ends_with("did not answer within 50ms (tried 4 times)"), "{error}");
    assert_eq!((error.requests(), service.seen().len()), (4, 4));
}

#[tokio::test]
async fn a_service_that_asks_for_too_long_a_wait_is_given_up_at_once() {
    let service = Service::start(|_| Reply::Status(429, "retry-after: 3600\r\n", refusal("come back later"))).await;
    let error = embedded(settings(&service.url), &texts(1)).await.expect_err("refused");
    assert!(error.is_retryable() && error.requests() == 1, "{error}");
    assert_eq!(error.retry_after(), Some(Duration::from_hours(1)));
}

#[tokio::test]
async fn what_stays_wrong_is_not_tried_again() {
    let long = "This model's maximum context length is 8192 tokens";
    for (status, said, advice) in [
        (400, long, "state the model's limit with --embedder-max-tokens"),
        (400, "no such encoding", "check --embedder-model"),
        (401, &*format!("wrong key: {KEY}"), "refused the key"),
        (404, "no model small", "check --embedder-url and --embedder-model"),
        (302, "moved", "give that one as --embedder-url"),
    ] {
        let body = refusal(said);
        let service = Service::start(move |_| Reply::Status(status, "", body.clone())).await;
        let error = embedded(settings(&service.url), &texts(1)).await.expect_err("refused");
        assert_eq!(service.seen().len(), 1, "{error}");
        let told = whole(&error);
        assert!(told.contains(advice) && told.contains(&status.to_string()), "{told}");
        assert!(told.contains(&said.replace(KEY, "[key]")) && !told.contains(KEY), "{told}");
    }
}

#[tokio::test]
async fn vectors_that_do_not_fit_are_refused() {
    let wrong = |data: &str| Reply::Status(200, "", format!(r#"{{"data":{data}}}"#));
    for (reply, advice) in [
        (wrong(r#"[{"index":0,"embedding":[1,2]}]"#), "gave a vector of 2 dimensions where 4 were agreed"),
        (wrong("[]"), "has 0 vectors for 1 texts"),
        (wrong(r#"[{"index":3,"embedding":[1,2,3,4]}]"#), "superfluous vector of number 3"),
        (wrong(r#"[{"index":0,"embedding":[1,2,3,1e39]}]"#), "no number"),
    ] {
        let service = Service::start(move |_| reply.clone()).await;
        let error = embedded(settings(&service.url), &texts(1)).await.expect_err("no vector");
        assert!(whole(&error).contains(advice), "{}", whole(&error));
        assert_eq!(service.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_dropped_request_closes_its_connection() {
    let mut service = Service::start(|_| Reply::Hang).await;
    let settings = settings(&service.url);
    let work = tokio::spawn(async move { embedded(settings, &texts(1)).await });
    while service.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    work.abort();
    service.was_left().await;
}

#[tokio::test]
async fn a_key_is_in_no_debug_output() {
    let service = Service::start(|_| Reply::Vectors).await;
    let embedder = RemoteEmbedder::connect(settings(&service.url)).await.expect("connected");
    let shown = format!("{embedder:?}");
    assert!(shown.contains("SOME_KEY") && !shown.contains(KEY), "{shown}");
}

#[tokio::test]
async fn a_service_that_cannot_be_reached_is_named() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let error = embedded(settings(&format!("http://{gone}/v1")), &texts(1)).await.expect_err("nobody there");
    let told = whole(&error);
    assert!(told.contains(&format!("http://{gone}/v1/embeddings cannot be reached")), "{told}");
    assert!(told.contains("(tried 4 times)"), "{told}");
}

/// Runs a program on a thread, since the service needs this one.
async fn run(folder: &Folder, program: &str, arguments: &[&str]) -> program::Ended {
    let mut command = folder.command(program, arguments);
    command.env("EMBEDDING_KEY", KEY);
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic");
    program::Ended::from(output.expect("the program runs"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_programs_ingest_and_ask_by_a_service_and_keep_the_key_to_themselves() {
    let busy = || Reply::Status(503, "retry-after: 0\r\n", refusal(&format!("busy, {KEY}")));
    let service = Service::start(move |number| if number == 1 { busy() } else { Reply::Vectors }).await;
    let folder = Folder::new();
    folder.file("in/mill.md", "# The mill\n\nThe mill was built in 1802 by Ada Quill.");
    let options = ["--embedder", "openai", "--embedder-url", &service.url, "--embedder-model", "small"];
    let options = [&options[..], &["--embedder-key-variable", "EMBEDDING_KEY"]].concat();

    let ingested = run(&folder, "ingest", &[&options[..], &["in"]].concat()).await;
    assert_eq!(ingested.code, Some(0), "{}", ingested.stderr);
    let trace = folder.last_trace().await;
    let embedding = trace.spans().find(|span| span.stage() == "chunk_embedding").expect("a run of it");
    let number = |span: SpanNode<'_>, name: &str| span.record().metric(name);
    assert_eq!((number(embedding, "requests"), number(embedding, "retries")), (Some(2.0), Some(1.0)));

    let answered = run(&folder, "ask", &[&options[..], &["When was the mill built?"]].concat()).await;
    assert_eq!(answered.code, Some(0), "{}", answered.stderr);
    assert!(answered.stdout.contains("1802"), "{}", answered.stdout);
    let logs = std::fs::read(folder.path("ragtrace.db")).expect("the stage logs");
    for said in
        [ingested.stdout, ingested.stderr, answered.stdout, answered.stderr, String::from_utf8_lossy(&logs).into()]
    {
        assert!(!said.contains(KEY));
    }

    let other = run(&folder, "ask", &["When was the mill built?"]).await;
    assert_eq!(other.code, Some(2), "the vectors of another model");
    assert!(other.stderr.contains("holds vectors of small"), "{}", other.stderr);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_ends_a_question_that_waits_for_the_service() {
    // The first three requests are the ingestion's two, and the question's for the length of the
    // vectors.
    let service = Service::start(|number| if number < 3 { Reply::Vectors } else { Reply::Hang }).await;
    let folder = Folder::new();
    folder.file("mill.md", "The mill was built in 1802.");
    let options = ["--embedder", "openai", "--embedder-url", &service.url];
    let ingested = run(&folder, "ingest", &[&options[..], &["mill.md"]].concat()).await;
    assert_eq!(ingested.code, Some(0), "{}", ingested.stderr);

    let mut command = folder.command("ask", &[&options[..], &["When was the mill built?"]].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs");
    while service.seen().len() < 4 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let killed = std::process::Command::new("sh").args(["-c", "kill -TERM \"$0\"", &child.id().to_string()]).status();
    assert!(killed.expect("a shell").success());
    let output = tokio::task::spawn_blocking(move || child.wait_with_output()).await.expect("no panic");
    let ended = program::Ended::from(output.expect("it ends"));
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(143), ""), "{}", ended.stderr);
    let trace = folder.last_trace().await;
    let cancelled: Vec<&str> =
        trace.spans().filter(|span| span.status() == SpanStatus::Cancelled).map(SpanNode::stage).collect();
    assert_eq!(cancelled, ["question", "query_embedding"]);
}
