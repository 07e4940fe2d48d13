//! Reads the answer of a service.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::embed::{EmbedError, Vector};

/// The body of an answer. Other members are of no use here.
#[derive(Deserialize)]
struct Body {
    data: Vec<Entry>,
    #[serde(default)]
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Entry {
    /// The number of its text. Without one, the entries are in the order of the texts.
    #[serde(default)]
    index: Option<usize>,
    embedding: Encoded,
}

/// A vector as numbers, or as their bytes in Base64 (32-bit floats, little-endian). Some services
/// send the second even if asked for the first.
#[derive(Deserialize)]
#[serde(untagged)]
enum Encoded {
    Numbers(Vector),
    Base64(String),
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    total_tokens: Option<u64>,
}

/// Returns a vector for each of the texts, and the number of tokens if the answer tells it.
pub(super) fn vectors(body: &[u8], texts: usize) -> Result<(Vec<Vector>, Option<u64>), EmbedError> {
    // An answer that was cut off on its way may be whole the next time.
    let Body { data, usage } = serde_json::from_slice(body).map_err(|error| {
        EmbedError::new("the answer is not that of an embedding model; check --embedder-url")
            .because(error)
            .retryable(None)
    })?;
    let mut vectors: Vec<Option<Vector>> = vec![None; texts];
    let got = data.len();
    for (at, Entry { index, embedding }) in data.into_iter().enumerate() {
        let index = index.unwrap_or(at);
        let place = vectors.get_mut(index).filter(|place| place.is_none());
        let place = place.ok_or_else(|| {
            EmbedError::new(format!(
                "the answer has a second or superfluous vector of number {index} for {texts} texts; check that the \
                 service is compatible"
            ))
        })?;
        *place = Some(decoded(embedding)?);
    }
    let vectors = vectors.into_iter().collect::<Option<Vec<_>>>().ok_or_else(|| {
        EmbedError::new(format!("the answer has {got} vectors for {texts} texts; check that the service is compatible"))
    })?;
    let tokens = usage.and_then(|usage| usage.prompt_tokens.or(usage.total_tokens));
    Ok((vectors, tokens))
}

fn decoded(embedding: Encoded) -> Result<Vector, EmbedError> {
    let text = match embedding {
        Encoded::Numbers(vector) => return Ok(vector),
        Encoded::Base64(text) => text,
    };
    let wrong =
        || EmbedError::new("the answer has a vector in an unknown encoding; check that the service is compatible");
    let bytes = STANDARD.decode(text).map_err(|error| wrong().because(error))?;
    let (values, rest) = bytes.as_chunks::<4>();
    if rest.is_empty() { Ok(values.iter().map(|value| f32::from_le_bytes(*value)).collect()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_come_in_any_order_and_encoding() {
        let body =
            br#"{"object":"list","data":[{"index":1,"embedding":"AACAPwAAAEA="},{"index":0,"embedding":[0.5,-1]}],
                        "usage":{"prompt_tokens":7,"total_tokens":9}}"#;
        let (vectors, tokens) = vectors(body, 2).expect("vectors");
        assert_eq!((vectors, tokens), (vec![vec![0.5, -1.0], vec![1.0, 2.0]], Some(7)));
    }

    #[test]
    fn an_answer_that_fits_no_text_is_refused() {
        for (body, why) in [
            (r#"{"data":[{"index":0,"embedding":[1]}]}"#, "has 1 vectors for 2 texts"),
            (r#"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#, "second or superfluous"),
            (r#"{"data":[{"index":2,"embedding":[1]}]}"#, "second or superfluous"),
            (r#"{"data":[{"index":0,"embedding":"%"}]}"#, "unknown encoding"),
            (r#"{"data":[{"index":0,"embedding":"AAA="}]}"#, "unknown encoding"),
            (r#"{"data":[{"embed"#, "is not that of an embedding model"),
            ("<html>", "is not that of an embedding model"),
        ] {
            let error = vectors(body.as_bytes(), 2).expect_err("no vectors");
            assert!(error.to_string().contains(why), "{error}");
            assert_eq!(error.is_retryable(), why.ends_with("model"), "{error}");
        }
    }
}
