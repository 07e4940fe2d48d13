//! Sends texts to a model in batches that fit its limits.

use std::collections::VecDeque;

use super::{EmbedError, EmbeddedChunk, EmbeddedChunks, Embedder, Embeddings, Vector};
use crate::document::{Loss, LossKind};
use crate::enrich::EnrichedChunk;

/// Embeds `chunks` in as few requests as the model's limits allow, one after another.
pub async fn embed_chunks<E: Embedder>(embedder: &E, chunks: Vec<EnrichedChunk>) -> Result<EmbeddedChunks, EmbedError> {
    let mut calls = Calls::new(embedder);
    let mut texts = VecDeque::with_capacity(chunks.len());
    let mut losses = Vec::new();
    for enriched in &chunks {
        let (text, cut) = calls.fitting(enriched.text_to_embed());
        losses.extend(cut.map(|tokens| loss(embedder, enriched, tokens)));
        texts.push_back(text);
    }
    let vectors = calls.embed(texts).await?;
    let chunks = chunks.into_iter().zip(vectors).map(|(enriched, vector)| EmbeddedChunk { enriched, vector }).collect();
    Ok(EmbeddedChunks {
        chunks,
        model: embedder.model().to_owned(),
        dimensions: embedder.dimensions(),
        tokens: calls.tokens,
        cost_usd: calls.cost_usd,
        requests: calls.requests,
        retries: calls.retries,
        losses,
    })
}

fn loss<E: Embedder>(embedder: &E, EnrichedChunk { chunk, .. }: &EnrichedChunk, tokens: usize) -> Loss {
    let (model, most) = (embedder.model(), embedder.limits().text_tokens);
    let cause = format!(
        "chunk {} of {tokens} tokens was cut to the {most} that {model} takes; choose a smaller --chunk-size",
        chunk.position + 1
    );
    Loss { page: chunk.page, kind: LossKind::LongChunk, cause }
}

/// An embedded question, and the requests that it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The vector of the question.
    pub vector: Vector,
    /// The number of tokens in the question, as the model counts them.
    pub tokens: u64,
    /// The cost in US dollars.
    pub cost_usd: f64,
    /// The number of requests to the model.
    pub requests: u32,
    /// The number of requests that repeated a failed one.
    pub retries: u32,
    /// `true` if the question's end was cut off, since it is longer than the model takes.
    pub cut: bool,
}

/// Embeds a question.
pub async fn embed_question<E: Embedder>(embedder: &E, text: &str) -> Result<Asked, EmbedError> {
    let mut calls = Calls::new(embedder);
    let (text, cut) = calls.fitting(text.to_owned());
    let vectors = calls.embed(VecDeque::from([text])).await?;
    let Calls { tokens, cost_usd, requests, retries, .. } = calls;
    // There is one for each text, or an error before.
    let vector = vectors.into_iter().next().unwrap_or_default();
    Ok(Asked { vector, tokens, cost_usd, requests, retries, cut: cut.is_some() })
}

/// The requests to a model, and their sums.
struct Calls<'a, E> {
    embedder: &'a E,
    tokens: u64,
    cost_usd: f64,
    requests: u32,
    retries: u32,
}

impl<'a, E: Embedder> Calls<'a, E> {
    fn new(embedder: &'a E) -> Self {
        Self { embedder, tokens: 0, cost_usd: 0.0, requests: 0, retries: 0 }
    }

    /// Returns `text` without the end that is too long for the model, and the number of tokens of
    /// the whole if something was cut off.
    fn fitting(&self, mut text: String) -> (String, Option<usize>) {
        let most = self.embedder.limits().text_tokens.max(1);
        // A token has a byte at least.
        if text.len() <= most {
            return (text, None);
        }
        let whole = self.embedder.count_tokens(&text);
        let mut tokens = whole;
        while tokens > most && !text.is_empty() {
            // A bit shorter than in proportion, so that few rounds are needed.
            let share = text.len() as u128 * most as u128 / tokens as u128;
            let end = usize::try_from(share).unwrap_or(usize::MAX);
            let end = text.floor_char_boundary(end.min(text.len() - 1));
            // A word is not cut in two, if there is another before it.
            let end = text[..end].rfind(char::is_whitespace).filter(|space| *space > end / 2).unwrap_or(end);
            text.truncate(end);
            tokens = self.embedder.count_tokens(&text);
        }
        (text, (whole > most).then_some(whole))
    }

    /// Returns the vectors of the texts, each of which fits.
    async fn embed(&mut self, mut texts: VecDeque<String>) -> Result<Vec<Vector>, EmbedError> {
        let mut vectors = Vec::with_capacity(texts.len());
        while !texts.is_empty() {
            let batch = self.batch(&mut texts);
            vectors.extend(self.request(batch).await?);
        }
        Ok(vectors)
    }

    /// Takes as many texts as fit into a request, and one at least.
    fn batch(&self, texts: &mut VecDeque<String>) -> Vec<String> {
        let limits = self.embedder.limits();
        let (mut batch, mut tokens) = (Vec::new(), 0_usize);
        while let Some(next) = texts.front() {
            let more = if limits.request_tokens == usize::MAX { 0 } else { self.embedder.count_tokens(next) };
            tokens = tokens.saturating_add(more);
            if !batch.is_empty() && (batch.len() >= limits.texts || tokens > limits.request_tokens) {
                break;
            }
            batch.extend(texts.pop_front());
        }
        batch
    }

    /// Makes a request, and again while it fails in a way that may pass.
    async fn request(&mut self, batch: Vec<String>) -> Result<Vec<Vector>, EmbedError> {
        let embedder = self.embedder;
        let (outcome, attempts) = embedder.retries().run(|| embedder.embed(batch.clone())).await;
        self.requests += attempts;
        self.retries += attempts - 1;
        let outcome = outcome.and_then(|made| self.checked(made, batch.len()));
        outcome.map_err(|error| error.after_requests(self.requests, attempts))
    }

    /// Returns the vectors if there is a sound one for each text, and adds up what they took.
    fn checked(&mut self, made: Embeddings, texts: usize) -> Result<Vec<Vector>, EmbedError> {
        self.tokens += made.tokens;
        self.cost_usd += made.cost_usd;
        let (model, dimensions) = (self.embedder.model(), self.embedder.dimensions());
        let got = made.vectors.len();
        if got != texts {
            return Err(EmbedError::new(format!(
                "{model} gave {got} vectors for {texts} texts; check that it is an embedding model"
            )));
        }
        if let Some(other) = made.vectors.iter().map(Vec::len).find(|length| *length != dimensions) {
            return Err(EmbedError::new(format!(
                "{model} gave a vector of {other} dimensions where {dimensions} were agreed; name the model that made \
                 the others"
            )));
        }
        if made.vectors.iter().flatten().any(|value| !value.is_finite()) {
            return Err(EmbedError::new(format!(
                "{model} gave a vector with a value that is no number; try another model, or update the one in use"
            )));
        }
        Ok(made.vectors)
    }
}
