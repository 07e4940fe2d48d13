//! Turns text into vectors.
//!
//! [`Embedder`] is the interface that the pipeline needs of an embedding model. Hosted models limit
//! a request and refuse it when they are busy, so texts do not go to a model directly:
//! [`embed_chunks`] and [`embed_question`] send them in batches that fit, try again what may be
//! tried again, and check the vectors.
//!
//! | embedder | needs | finds |
//! | --- | --- | --- |
//! | [`HashingEmbedder`] | nothing | texts that share words and parts of words |
//! | `RemoteEmbedder`, with the feature `remote-embedder` | a service and mostly a key | texts of like meaning |
//! | `MiniLm`, with the feature `minilm` | a folder with the model, 90 MB | texts of like meaning |

mod batches;
mod error;
mod hashing;
#[cfg(feature = "minilm")]
mod minilm;
mod options;
#[cfg(feature = "remote-embedder")]
mod remote;
mod retries;

use std::sync::Arc;

use ragtrace::Item;

pub use batches::{Asked, embed_chunks, embed_question};
pub use error::EmbedError;
pub use hashing::HashingEmbedder;
#[cfg(feature = "minilm")]
pub use minilm::MiniLm;
pub use options::{AnyEmbedder, EmbedderOptions, Kind};
#[cfg(feature = "remote-embedder")]
pub use remote::{ApiKey, RemoteEmbedder, RemoteSettings};
pub use retries::Retries;

use crate::document::Loss;
use crate::enrich::EnrichedChunk;
use crate::words;

/// A text as a point; similar texts are near each other. It has no other values than finite ones,
/// and those of a text without words may all be 0.
pub type Vector = Vec<f32>;

/// The vectors of some texts, in their order, and the tokens and cost of making them.
#[derive(Debug, Clone, PartialEq)]
pub struct Embeddings {
    /// One vector for each text.
    pub vectors: Vec<Vector>,
    /// The number of tokens in all texts, as the model counts them.
    pub tokens: u64,
    /// The cost in US dollars.
    pub cost_usd: f64,
}

/// The limits of a request to a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest number of texts in a request.
    pub texts: usize,
    /// The largest number of tokens in a text. The end of a longer one is cut off.
    pub text_tokens: usize,
    /// The largest number of tokens in all texts of a request.
    pub request_tokens: usize,
}

impl Default for Limits {
    /// Returns the limits of a model that has none: 256 texts, so that the work of a request is
    /// bounded, of any length.
    fn default() -> Self {
        Self { texts: 256, text_tokens: usize::MAX, request_tokens: usize::MAX }
    }
}

/// The meaning of a model's cosines. Each model spreads its vectors in its own way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    /// The cosine of two texts that have nothing to do with each other.
    pub unrelated: f32,
    /// The cosine of a question and a passage that answers it.
    pub alike: f32,
    /// The weight of the cosine against the words in common, from 0 to 1.
    pub trust: f32,
}

impl Similarity {
    /// Returns the likeness that a cosine stands for, from 0 to 1.
    pub fn likeness(self, cosine: f32) -> f32 {
        ((cosine - self.unrelated) / (self.alike - self.unrelated)).clamp(0.0, 1.0)
    }
}

/// An embedding model.
pub trait Embedder: Send + Sync {
    /// Returns the model's name. Vectors of two models cannot be compared.
    fn model(&self) -> &str;

    /// Returns the length of the model's vectors.
    fn dimensions(&self) -> usize;

    /// Returns the limits of a request.
    fn limits(&self) -> Limits {
        Limits::default()
    }

    /// Returns the number of tokens in `text` as the model counts them, or a larger one.
    fn count_tokens(&self, text: &str) -> usize {
        words::count_tokens(text)
    }

    /// Returns the settings of trying a failed request again.
    fn retries(&self) -> Retries {
        Retries::default()
    }

    /// Returns the meaning of the model's cosines.
    fn similarity(&self) -> Similarity {
        // Of the usual models of sentences.
        Similarity { unrelated: 0.15, alike: 0.65, trust: 0.5 }
    }

    /// Embeds `texts` in one request, which is within the limits. Dropping the future ends the
    /// request.
    fn embed(&self, texts: Vec<String>) -> impl Future<Output = Result<Embeddings, EmbedError>> + Send;
}

impl<E: Embedder> Embedder for Arc<E> {
    fn model(&self) -> &str {
        (**self).model()
    }

    fn dimensions(&self) -> usize {
        (**self).dimensions()
    }

    fn limits(&self) -> Limits {
        (**self).limits()
    }

    fn count_tokens(&self, text: &str) -> usize {
        (**self).count_tokens(text)
    }

    fn retries(&self) -> Retries {
        (**self).retries()
    }

    fn similarity(&self) -> Similarity {
        (**self).similarity()
    }

    fn embed(&self, texts: Vec<String>) -> impl Future<Output = Result<Embeddings, EmbedError>> + Send {
        (**self).embed(texts)
    }
}

/// A chunk and its vector.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddedChunk {
    /// The chunk with its language and keywords.
    pub enriched: EnrichedChunk,
    /// The vector.
    pub vector: Vector,
}

impl<'a> From<&'a EmbeddedChunk> for Item<'a> {
    fn from(embedded: &'a EmbeddedChunk) -> Self {
        let id = &embedded.enriched.chunk.id;
        Self::new(id).derived_from(id)
    }
}

/// The chunks of a document with their vectors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EmbeddedChunks {
    /// The chunks in the order of the document.
    pub chunks: Vec<EmbeddedChunk>,
    /// The model that embedded them.
    pub model: String,
    /// The length of their vectors.
    pub dimensions: usize,
    /// The number of tokens in all chunks, as the model counts them.
    pub tokens: u64,
    /// The cost in US dollars.
    pub cost_usd: f64,
    /// The number of requests to the model, with those that were tried again.
    pub requests: u32,
    /// The number of requests that repeated a failed one.
    pub retries: u32,
    /// The chunks whose end was cut off, since they are longer than the model takes. Their text is
    /// whole, and only their vector is that of a part.
    pub losses: Vec<Loss>,
}
