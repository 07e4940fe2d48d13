//! `all-MiniLM-L6-v2`, a small model of sentences, run on the processor by `candle`.
//!
//! Its vectors are the mean of its tokens' vectors, with length 1, as its authors make them. It
//! takes 256 tokens of a text.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use tokenizers::{Encoding, PaddingParams, Tokenizer, TruncationParams};

use super::{EmbedError, Embedder, Embeddings, Limits, Similarity, Vector};
use crate::blocking;

/// The largest number of tokens in a text that the model was trained with (its model card,
/// "Background").
const TOKENS: usize = 256;

/// The largest number of texts that are embedded at once: their padded tokens take some hundred
/// kilobytes each.
const TEXTS: usize = 32;

/// The model and its vocabulary.
#[derive(Clone)]
pub struct MiniLm(Arc<Loaded>);

struct Loaded {
    tokenizer: Tokenizer,
    /// The tokenizer without the limit, for counting.
    counter: Tokenizer,
    model: BertModel,
    dimensions: usize,
}

impl fmt::Debug for MiniLm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MiniLm").field("dimensions", &self.0.dimensions).finish_non_exhaustive()
    }
}

impl MiniLm {
    /// Reads the model from the files `config.json`, `tokenizer.json` and `model.safetensors` in
    /// `folder`.
    pub fn load(folder: &Path) -> Result<Self, EmbedError> {
        let file = |name: &str| {
            let path = folder.join(name);
            fs::read(&path).map_err(|error| {
                EmbedError::new(format!(
                    "{} cannot be read; name the folder of all-MiniLM-L6-v2 with --model",
                    path.display()
                ))
                .because(error)
            })
        };
        let config: Config = serde_json::from_slice(&file("config.json")?).map_err(broken("config.json"))?;
        let mut counter = Tokenizer::from_bytes(file("tokenizer.json")?).map_err(broken("tokenizer.json"))?;
        counter.with_truncation(None).map_err(broken("tokenizer.json"))?.with_padding(None);
        let mut tokenizer = counter.clone();
        let cut = TruncationParams { max_length: TOKENS, ..TruncationParams::default() };
        tokenizer
            .with_truncation(Some(cut))
            .map_err(broken("tokenizer.json"))?
            .with_padding(Some(PaddingParams::default()));
        let weights = VarBuilder::from_buffered_safetensors(file("model.safetensors")?, DType::F32, &Device::Cpu)
            .map_err(broken("model.safetensors"))?;
        let model = BertModel::load(weights, &config).map_err(broken("model.safetensors"))?;
        Ok(Self(Arc::new(Loaded { tokenizer, counter, model, dimensions: config.hidden_size })))
    }
}

impl Loaded {
    fn vectors(&self, texts: Vec<String>) -> Result<(Vec<Vector>, u64), Box<dyn std::error::Error + Send + Sync>> {
        if texts.is_empty() {
            return Ok((Vec::new(), 0));
        }
        let encodings = self.tokenizer.encode_batch(texts, true)?;
        let length = encodings.first().map_or(0, |encoding| encoding.get_ids().len());
        let matrix = |of: fn(&Encoding) -> &[u32]| {
            let values: Vec<u32> = encodings.iter().flat_map(of).copied().collect();
            Tensor::from_vec(values, (encodings.len(), length), &Device::Cpu)
        };
        let (ids, mask) = (matrix(Encoding::get_ids)?, matrix(Encoding::get_attention_mask)?);
        let hidden = self.model.forward(&ids, &ids.zeros_like()?, Some(&mask))?;
        // The mean over the tokens that are no padding.
        let weights = mask.to_dtype(DType::F32)?.unsqueeze(2)?;
        let means = hidden.broadcast_mul(&weights)?.sum(1)?.broadcast_div(&weights.sum(1)?)?;
        let lengths = means.sqr()?.sum_keepdim(1)?.sqrt()?;
        let vectors = means.broadcast_div(&lengths)?.to_vec2::<f32>()?;
        let tokens = encodings.iter().flat_map(Encoding::get_attention_mask).map(|one| u64::from(*one)).sum();
        Ok((vectors, tokens))
    }
}

fn broken<E: Into<Box<dyn std::error::Error + Send + Sync>>>(name: &str) -> impl FnOnce(E) -> EmbedError {
    move |error| EmbedError::new(format!("{name} is not that of a BERT model; fetch it anew")).because(error)
}

impl Embedder for MiniLm {
    fn model(&self) -> &'static str {
        "all-MiniLM-L6-v2"
    }

    fn dimensions(&self) -> usize {
        self.0.dimensions
    }

    fn limits(&self) -> Limits {
        Limits { texts: TEXTS, text_tokens: TOKENS, request_tokens: usize::MAX }
    }

    fn count_tokens(&self, text: &str) -> usize {
        // A text that cannot be cut into tokens fails when it is embedded.
        self.0.counter.encode_fast(text, true).map_or(0, |encoding| encoding.get_ids().len())
    }

    fn similarity(&self) -> Similarity {
        Similarity { unrelated: 0.15, alike: 0.65, trust: 0.5 }
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Embeddings, EmbedError> {
        let loaded = Arc::clone(&self.0);
        let made = blocking::run(move || loaded.vectors(texts)).await;
        let (vectors, tokens) = made
            .map_err(|error| EmbedError::new("the model failed; try shorter texts, or fetch it anew").because(error))?;
        Ok(Embeddings { vectors, tokens, cost_usd: 0.0 })
    }
}
