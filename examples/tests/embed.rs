//! Embedding behind the trait: batches, attempts and checks, with models that do as they are told.

use std::sync::Mutex;
use std::time::Duration;

use ragtrace_examples::chunk::Chunk;
use ragtrace_examples::embed::{EmbedError, Embedder, Embeddings, Limits, Retries, embed_chunks, embed_question};
use ragtrace_examples::enrich::EnrichedChunk;

/// A model of one dimension that embeds a text as its length, after it has failed as scripted.
struct Model {
    limits: Limits,
    /// The outcomes of the first requests, the last first.
    script: Mutex<Vec<Result<Embeddings, EmbedError>>>,
    requests: Mutex<Vec<Vec<String>>>,
}

impl Model {
    fn new(limits: Limits) -> Self {
        Self { limits, script: Mutex::default(), requests: Mutex::default() }
    }

    fn scripted(script: impl IntoIterator<Item = Result<Embeddings, EmbedError>>) -> Self {
        let mut script: Vec<_> = script.into_iter().collect();
        script.reverse();
        Self { script: Mutex::new(script), ..Self::new(Limits::default()) }
    }

    fn requests(&self) -> Vec<Vec<String>> {
        self.requests.lock().expect("no panic").clone()
    }
}

impl Embedder for Model {
    fn model(&self) -> &'static str {
        "length"
    }

    fn dimensions(&self) -> usize {
        1
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn retries(&self) -> Retries {
        Retries { attempts: 3, first_wait: Duration::from_millis(1), longest_wait: Duration::from_millis(5) }
    }

    #[expect(clippy::cast_precision_loss, reason = "texts of tests are short")]
    async fn embed(&self, texts: Vec<String>) -> Result<Embeddings, EmbedError> {
        self.requests.lock().expect("no panic").push(texts.clone());
        if let Some(scripted) = self.script.lock().expect("no panic").pop() {
            return scripted;
        }
        let vectors = texts.iter().map(|text| vec![text.len() as f32]).collect();
        Ok(Embeddings { vectors, tokens: texts.len() as u64, cost_usd: 0.5 })
    }
}

fn chunks(texts: &[&str]) -> Vec<EnrichedChunk> {
    let chunks = texts.iter().enumerate().map(|(position, text)| {
        let chunk = Chunk {
            id: format!("a.md#{position}"),
            position,
            range: 0..text.len(),
            text: (*text).to_owned(),
            tokens: 1,
            headings: Vec::new(),
            page: Some(3),
        };
        EnrichedChunk { chunk, language: None, keywords: Vec::new() }
    });
    chunks.collect()
}

fn made(vectors: Vec<Vec<f32>>) -> Embeddings {
    Embeddings { vectors, tokens: 1, cost_usd: 0.25 }
}

#[tokio::test]
async fn batches_are_within_the_limits_and_their_sums_added_up() {
    let model = Model::new(Limits { texts: 3, text_tokens: 100, request_tokens: 5 });
    let texts = ["a", "b c", "d e", "f g h i j k l", "m", "n", "o", "p"];
    let embedded = embed_chunks(&model, chunks(&texts)).await.expect("vectors");
    let sizes: Vec<usize> = model.requests().iter().map(Vec::len).collect();
    assert_eq!(sizes, [3, 1, 3, 1], "a text beyond the limit of a request goes alone");
    let lengths: Vec<f32> = embedded.chunks.iter().map(|chunk| chunk.vector[0]).collect();
    assert_eq!(lengths, [1.0, 3.0, 3.0, 13.0, 1.0, 1.0, 1.0, 1.0]);
    assert_eq!((embedded.requests, embedded.retries, embedded.tokens), (4, 0, 8));
    assert!((embedded.cost_usd - 2.0).abs() < 1e-9);
}

#[tokio::test]
async fn no_chunks_are_no_request() {
    let model = Model::new(Limits::default());
    let embedded = embed_chunks(&model, Vec::new()).await.expect("nothing");
    assert_eq!((embedded.requests, model.requests().len()), (0, 0));
}

#[tokio::test]
async fn a_text_beyond_the_limit_is_cut_between_words_and_is_a_loss() {
    let model = Model::new(Limits { text_tokens: 4, ..Limits::default() });
    let embedded = embed_chunks(&model, chunks(&["one two three four five six", "short"])).await.expect("vectors");
    let sent = &model.requests()[0];
    assert!("one two three four".starts_with(&sent[0]) && !sent[0].is_empty(), "{sent:?}");
    assert!(!sent[0].ends_with(' ') && "one two three four five six".as_bytes()[sent[0].len()] == b' ', "{sent:?}");
    assert_eq!(embedded.chunks[0].enriched.chunk.text, "one two three four five six", "the text itself stays whole");
    let told: Vec<String> = embedded.losses.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["page 3: chunk 1 of 6 tokens was cut to the 4 that length takes; choose a smaller --chunk-size"]);
    assert!(embed_question(&model, "a b c d e f").await.expect("a vector").cut);
}

#[tokio::test]
async fn only_what_may_pass_is_tried_again_and_not_for_ever() {
    let busy = || Err(EmbedError::new("busy; wait").retryable(None));
    let model = Model::scripted([busy(), busy()]);
    let embedded = embed_chunks(&model, chunks(&["a"])).await.expect("the third attempt");
    assert_eq!((embedded.requests, embedded.retries), (3, 2));

    let model = Model::scripted([busy(), busy(), busy(), busy()]);
    let error = embed_chunks(&model, chunks(&["a"])).await.expect_err("given up");
    assert_eq!((error.to_string().as_str(), error.requests()), ("busy; wait (tried 3 times)", 3));

    let model = Model::scripted([Err(EmbedError::new("no such model; name another"))]);
    let error = embed_chunks(&model, chunks(&["a"])).await.expect_err("not tried again");
    assert_eq!((error.to_string().as_str(), error.requests()), ("no such model; name another", 1));

    let long = Duration::from_hours(1);
    let model = Model::scripted([Err(EmbedError::new("busy; wait").retryable(Some(long)))]);
    let error = embed_chunks(&model, chunks(&["a"])).await.expect_err("too long a wait");
    assert_eq!((error.retry_after(), model.requests().len()), (Some(long), 1));
}

#[tokio::test]
async fn vectors_are_checked() {
    for (vectors, told) in [
        (vec![], "length gave 0 vectors for 1 texts"),
        (vec![vec![1.0], vec![1.0]], "length gave 2 vectors for 1 texts"),
        (vec![vec![1.0, 2.0]], "length gave a vector of 2 dimensions where 1 were agreed"),
        (vec![vec![f32::NAN]], "length gave a vector with a value that is no number"),
        (vec![vec![f32::INFINITY]], "length gave a vector with a value that is no number"),
    ] {
        let model = Model::scripted([Ok(made(vectors))]);
        let error = embed_chunks(&model, chunks(&["a"])).await.expect_err("no sound vector");
        assert!(error.to_string().starts_with(told), "{error}");
        assert_eq!(model.requests().len(), 1);
    }
}
