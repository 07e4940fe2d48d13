//! The embedder that needs no model: it hashes words and parts of words.

use unicode_segmentation::UnicodeSegmentation;

use super::{EmbedError, Embedder, Embeddings, Similarity, Vector};
use crate::{blocking, words};

/// An embedder that hashes features into a fixed number of dimensions: words, pairs of neighbouring
/// words, and groups of letters within words, which bring inflections of a word together. Half of
/// the features count negatively (by another bit of the hash), so that two features in the same
/// dimension cancel out as often as they add up.
#[derive(Debug, Clone)]
pub struct HashingEmbedder {
    dimensions: usize,
    model: String,
}

impl HashingEmbedder {
    /// Creates an embedder with at least one dimension. The more dimensions there are, the fewer
    /// features share one.
    pub fn new(dimensions: usize) -> Self {
        let dimensions = dimensions.max(1);
        Self { dimensions, model: format!("feature-hashing-v1-{dimensions}") }
    }

    fn vector(&self, text: &str) -> Vector {
        let mut vector = vec![0.0; self.dimensions];
        // The word, marked at both ends, and the word before it. No feature has its own string.
        let (mut marked, mut last) = (String::new(), String::new());
        for word in text.unicode_words() {
            mark(word, &mut marked);
            let word = &marked[1..marked.len() - 1];
            // Short words are mostly grammar.
            let weight = if word.is_ascii() && word.len() <= 3 { 0.25 } else { 1.0 };
            self.add(&mut vector, ["word\0", word], weight);
            if !last.is_empty() {
                self.add(&mut vector, ["pair\0", &last, " ", word], weight * 0.5);
            }
            self.add_letters(&mut vector, &marked, weight * 0.4);
            last.clear();
            last.push_str(word);
        }
        // A word that occurs ten times does not tell ten times as much.
        for value in &mut vector {
            *value = value.signum() * value.abs().ln_1p();
        }
        let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
        if length > 0.0 {
            for value in &mut vector {
                *value /= length;
            }
        }
        vector
    }

    /// Adds every four consecutive characters of a marked word.
    fn add_letters(&self, vector: &mut [f32], marked: &str, weight: f32) {
        let starts = marked.char_indices().map(|(at, _)| at);
        let ends = marked.char_indices().map(|(at, character)| at + character.len_utf8()).skip(3);
        for (start, end) in starts.zip(ends) {
            self.add(vector, ["letters\0", &marked[start..end]], weight);
        }
    }

    /// Adds the feature whose kind and text are `parts`, put together.
    fn add<const N: usize>(&self, vector: &mut [f32], parts: [&str; N], weight: f32) {
        let hash = hash(parts);
        let sign = if hash >> 63 == 0 { 1.0 } else { -1.0 };
        // The remainder is below the number of dimensions, which is a usize.
        let at = (hash & (u64::MAX >> 1)) % self.dimensions as u64;
        if let Some(value) = usize::try_from(at).ok().and_then(|at| vector.get_mut(at)) {
            *value += sign * weight;
        }
    }
}

/// Sets `marked` to the word in lower case between "<" and ">".
fn mark(word: &str, marked: &mut String) {
    marked.clear();
    marked.push('<');
    if word.is_ascii() {
        marked.push_str(word);
        marked.make_ascii_lowercase();
    } else {
        marked.push_str(&word.to_lowercase());
    }
    marked.push('>');
}

impl Default for HashingEmbedder {
    /// Returns an embedder with 1,024 dimensions, in which the features of a chunk of some hundred
    /// words rarely collide.
    fn default() -> Self {
        Self::new(1024)
    }
}

impl Embedder for HashingEmbedder {
    fn model(&self) -> &str {
        &self.model
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn similarity(&self) -> Similarity {
        // Texts that share nothing but grammar, and a question with a passage of its words. Words
        // alone say the same more exactly.
        Similarity { unrelated: 0.10, alike: 0.45, trust: 0.15 }
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Embeddings, EmbedError> {
        let embedder = self.clone();
        Ok(blocking::run(move || Embeddings {
            vectors: texts.iter().map(|text| embedder.vector(text)).collect(),
            tokens: texts.iter().map(|text| words::count_tokens(text) as u64).sum(),
            cost_usd: 0.0,
        })
        .await)
    }
}

/// Returns a hash of `parts`, put together, that is the same on every machine and in every release,
/// which `std`'s hashers do not promise: FNV-1a (64 bit), with its bits mixed by the finalizer of
/// `MurmurHash3`, since FNV leaves the high ones poorly mixed.
fn hash<const N: usize>(parts: [&str; N]) -> u64 {
    let bytes = parts.into_iter().flat_map(str::bytes);
    let mut hash = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
        hash = (hash ^ (hash >> 33)).wrapping_mul(factor);
    }
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn embed(text: &str) -> Vector {
        HashingEmbedder::new(1024).vector(text)
    }

    fn similarity(a: &str, b: &str) -> f32 {
        embed(a).iter().zip(embed(b)).map(|(a, b)| a * b).sum()
    }

    #[tokio::test]
    async fn the_same_text_has_the_same_vector() {
        let embedder = HashingEmbedder::new(64);
        let texts = vec!["The wind turns.".to_owned(), "The wind turns.".to_owned()];
        let embeddings = embedder.embed(texts).await.expect("no network to fail");
        assert_eq!(embeddings.vectors[0], embeddings.vectors[1]);
        assert_eq!((embeddings.tokens, embeddings.vectors[0].len()), (8, 64));
    }

    #[test]
    fn a_vector_stays_the_same_over_releases() {
        assert_eq!(hash(["word\0", "wind"]), 0x28ee_7a3c_11cc_ffaf);
        assert_ne!(hash(["word\0", "wind"]), hash(["pair\0", "wind"]));
    }

    /// The sum of the values, each weighted by its place, so that no two can be swapped.
    fn sum(vector: &[f32]) -> f32 {
        vector.iter().zip(1_u16..).map(|(value, at)| value * f32::from(at)).sum()
    }

    #[test]
    fn a_vector_of_any_script_stays_the_same_over_releases() {
        for (text, expected) in [
            ("Die Straße führt über den Fluß.", -219.48639),
            ("ΟΔΟΣ και ὁδός, İstanbul", 66.86127),
            ("電池は十一日間もつ。 ok", 61.28775),
            ("Ночью шёл дождь", -599.07166),
        ] {
            let sum = sum(&embed(text));
            assert!((sum - expected).abs() < 0.01, "{text}: {sum}");
        }
    }

    #[test]
    fn vectors_have_length_one() {
        let length: f32 = embed("Rain fell on the gauge.").iter().map(|value| value * value).sum();
        assert!((length - 1.0).abs() < 1e-5);
        assert!(embed(" … ").iter().all(|value| *value == 0.0));
    }

    #[test]
    fn texts_alike_are_nearer() {
        let question = "How often is the rain gauge cleaned?";
        let alike = similarity(question, "Clean the rain gauge twice a year, in spring and in autumn.");
        let unlike = similarity(question, "The modem joins the network of the nearest village.");
        assert!(alike > unlike + 0.1, "{alike} {unlike}");
    }

    #[test]
    fn inflections_are_nearer_than_other_words() {
        assert!(similarity("batteries", "battery") > similarity("batteries", "antenna") + 0.1);
    }
}
