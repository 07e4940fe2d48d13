//! An embedding model behind the customary HTTP interface, `POST /v1/embeddings`, which `OpenAI`
//! defined and most hosted models and local servers understand.
//!
//! A request ends within its time, or when its future is dropped, which closes the connection. No
//! error and no `Debug` output contains the key, even if the server repeats it. Redirects are not
//! followed, since the key would go along, and proxies are not used.

mod answer;
mod client;
mod key;
mod refusal;

use std::fmt;
use std::time::Duration;

use hyper::Uri;
use serde::Serialize;

pub use key::ApiKey;

use super::{EmbedError, Embedder, Embeddings, Limits, Retries};
use crate::words;
use client::Client;

/// The settings of a remote model.
#[derive(Debug, Clone)]
pub struct RemoteSettings {
    /// The address of the interface, with or without `/embeddings` at the end.
    pub url: String,
    /// The model's name, as the service knows it.
    pub model: String,
    /// The key, if the service asks for one.
    pub key: Option<ApiKey>,
    /// The length of the vectors to ask for, or `None` for the model's own.
    pub dimensions: Option<usize>,
    /// The limits of a request.
    pub limits: Limits,
    /// The price of a million tokens, in US dollars.
    pub price: f64,
    /// The longest time for a request.
    pub timeout: Duration,
    /// The settings of trying a failed request again.
    pub retries: Retries,
}

impl RemoteSettings {
    /// Creates settings with the limits that `OpenAI` documents ("Create embeddings": 2,048 texts
    /// of at most 8,192 tokens, and 300,000 tokens in all), a minute for a request, and without a
    /// key and a price.
    pub fn new(url: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            model: model.into(),
            key: None,
            dimensions: None,
            limits: Limits { texts: 2_048, text_tokens: 8_192, request_tokens: 300_000 },
            price: 0.0,
            timeout: Duration::from_mins(1),
            retries: Retries::default(),
        }
    }
}

/// A model behind an HTTP interface.
pub struct RemoteEmbedder {
    settings: RemoteSettings,
    uri: Uri,
    client: Client,
    /// The length of the model's vectors, 0 while it is not known.
    dimensions: usize,
}

impl fmt::Debug for RemoteEmbedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteEmbedder")
            .field("settings", &self.settings)
            .field("dimensions", &self.dimensions)
            .finish_non_exhaustive()
    }
}

/// The body of a request.
#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    input: &'a [String],
    encoding_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<usize>,
}

impl RemoteEmbedder {
    /// Connects to the model. Unless the settings tell the length of its vectors, it is asked for
    /// one.
    pub async fn connect(settings: RemoteSettings) -> Result<Self, EmbedError> {
        let uri = client::address(&settings.url)?;
        let client = Client::new(settings.timeout)?;
        let dimensions = settings.dimensions.unwrap_or(0);
        let mut embedder = Self { settings, uri, client, dimensions };
        if dimensions == 0 {
            embedder.dimensions = embedder.discover().await?;
        }
        Ok(embedder)
    }

    /// Returns the length of a vector that the model makes.
    async fn discover(&self) -> Result<usize, EmbedError> {
        let (outcome, attempts) = self.settings.retries.run(|| self.embed(vec!["length".to_owned()])).await;
        let made = outcome.map_err(|error| error.after_requests(attempts, attempts))?;
        let dimensions = made.vectors.first().map_or(0, Vec::len);
        if dimensions == 0 {
            return Err(EmbedError::new("the model gave an empty vector; check that it is an embedding model"));
        }
        Ok(dimensions)
    }

    /// Returns the largest number of bytes of an answer with so many vectors: JSON needs up to some
    /// twenty characters for a number. An answer beyond that is none.
    fn longest_answer(&self, texts: usize) -> usize {
        let dimensions = if self.dimensions == 0 { 65_536 } else { self.dimensions };
        (1 << 20) + texts.saturating_mul(dimensions).saturating_mul(32)
    }

    fn mask(&self, text: &str) -> String {
        self.settings.key.as_ref().map_or_else(|| text.to_owned(), |key| key.mask(text))
    }
}

impl Embedder for RemoteEmbedder {
    fn model(&self) -> &str {
        &self.settings.model
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn limits(&self) -> Limits {
        self.settings.limits
    }

    fn count_tokens(&self, text: &str) -> usize {
        most_tokens(text)
    }

    fn retries(&self) -> Retries {
        self.settings.retries
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Embeddings, EmbedError> {
        let Self { settings, .. } = self;
        let body =
            Body { model: &settings.model, input: &texts, encoding_format: "float", dimensions: settings.dimensions };
        let body =
            serde_json::to_vec(&body).map_err(|error| EmbedError::new("the texts have no JSON form").because(error))?;
        let longest = self.longest_answer(texts.len());
        let answer = self.client.post(&self.uri, settings.key.as_ref(), body, longest).await?;
        if !answer.status.is_success() {
            return Err(refusal::error(&answer, |text| self.mask(text)));
        }
        let (vectors, tokens) = answer::vectors(&answer.body, texts.len())?;
        let tokens = tokens.unwrap_or_else(|| texts.iter().map(|text| words::count_tokens(text) as u64).sum());
        #[expect(clippy::cast_precision_loss, reason = "tokens are far below 2^52")]
        let cost_usd = tokens as f64 * settings.price / 1e6;
        Ok(Embeddings { vectors, tokens, cost_usd })
    }
}

/// Returns a number of tokens that a text does not exceed in the usual vocabularies, which nobody
/// needs to have here: a word has a token for each four letters, a long one, such as a key, for
/// each two, every other character one, and one of another script two.
fn most_tokens(text: &str) -> usize {
    let (mut tokens, mut letters) = (0, 0_usize);
    let of_word = |letters: usize| letters.div_ceil(if letters > 20 { 2 } else { 4 });
    for character in text.chars() {
        if character.is_ascii_alphabetic() {
            letters += 1;
            continue;
        }
        tokens += of_word(letters);
        letters = 0;
        tokens += match character {
            // A space is part of the word after it.
            ' ' => 0,
            _ if character.is_ascii() => 1,
            _ => 2,
        };
    }
    // A run of spaces, and the marks at the ends of a text.
    tokens + of_word(letters) + text.len() / 64 + 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_never_counted_too_low() {
        // As cl100k_base, the vocabulary of OpenAI's models, counts them.
        for (text, tokens) in [
            ("The battery lasts eleven days without any sun.", 9),
            ("LF-210, 24 euros (2026-11-27)", 16),
            ("Schneeräumfahrzeuge", 8),
            ("電池は十一日間もつ。", 13),
            ("aGVsbG8gd29ybGQhIQ==", 12),
        ] {
            assert!(most_tokens(text) >= tokens, "{text}");
        }
    }
}
