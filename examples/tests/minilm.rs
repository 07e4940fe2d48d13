//! The model that runs on the processor. `scripts/test-minilm` fetches its files, and names their
//! folder in `MINILM_FOLDER`.

#[expect(dead_code, reason = "other tests do more with a program")]
#[path = "support/program.rs"]
mod program;

use std::path::PathBuf;

use ragtrace_examples::embed::{Embedder, MiniLm};

use program::Folder;

fn folder() -> PathBuf {
    std::env::var_os("MINILM_FOLDER").expect("MINILM_FOLDER names the folder; see scripts/test-minilm").into()
}

fn model() -> MiniLm {
    MiniLm::load(&folder()).expect("the model")
}

async fn vectors(texts: &[&str]) -> Vec<Vec<f32>> {
    let texts = texts.iter().map(|text| (*text).to_owned()).collect();
    model().embed(texts).await.expect("vectors").vectors
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn assert_near(vector: &[f32], expected: &[f32]) {
    for (value, expected) in vector.iter().zip(expected) {
        assert!((value - expected).abs() < 1e-4, "{value} is not {expected}");
    }
}

#[tokio::test]
async fn vectors_are_those_of_another_implementation() {
    // Computed with NumPy from the same weights, each text alone.
    let texts =
        ["That is a happy person", "That is a very happy person", "The battery lasts eleven days without any sun."];
    let vectors = vectors(&texts).await;
    assert_near(&vectors[0], &[-0.03388, 0.09194, 0.0487, -0.03488, -0.06483, -0.02669, 0.13429, -0.00692]);
    assert_near(&vectors[1], &[-0.00248, 0.09152, 0.04839, -0.05721, -0.06639, -0.03614, 0.10826, 0.00193]);
    assert_near(&vectors[2], &[-0.01828, 0.12569, 0.01109, 0.01915, 0.03839, -0.02162, 0.00602, -0.01525]);
    for vector in &vectors {
        assert_eq!(vector.len(), 384);
        assert!((cosine(vector, vector) - 1.0).abs() < 1e-5, "length 1");
    }
}

#[tokio::test]
async fn sentences_of_like_meaning_are_nearer() {
    let texts =
        ["That is a happy person", "That is a very happy person", "That is a happy dog", "Today is a sunny day"];
    let vectors = vectors(&texts).await;
    let cosines: Vec<f32> = vectors[1..].iter().map(|other| cosine(&vectors[0], other)).collect();
    for (cosine, expected) in cosines.iter().zip([0.943, 0.695, 0.257]) {
        assert!((cosine - expected).abs() < 0.002, "{cosines:?}");
    }
}

#[tokio::test]
async fn a_long_text_is_cut_to_the_tokens_that_the_model_takes() {
    let long = "The station sends readings. ".repeat(200);
    let model = model();
    assert_eq!(model.limits().text_tokens, 256);
    assert!(model.count_tokens(&long) > 900);
    let whole = model.embed(vec![long.clone()]).await.expect("a vector");
    assert_eq!(whole.tokens, 256);
    assert!(
        cosine(&whole.vectors[0], &model.embed(vec![long + "And more."]).await.expect("a vector").vectors[0]) > 0.9999
    );
}

#[tokio::test]
async fn texts_of_different_lengths_do_not_change_each_other() {
    let short = "Rain.";
    let long =
        "The battery of the weather station lasts eleven days without any sun, and is charged over the service port.";
    let (together, alone) = (vectors(&[short, long]).await, vectors(&[short]).await);
    assert!(cosine(&together[0], &alone[0]) > 0.9999);
    assert_eq!(model().embed(Vec::new()).await.expect("nothing").vectors.len(), 0);
}

#[test]
fn a_folder_without_the_model_is_named() {
    let error = MiniLm::load(&PathBuf::from("no/such")).expect_err("no model");
    assert!(error.to_string().starts_with("no/such/config.json cannot be read; name the folder"), "{error}");
}

#[tokio::test]
async fn the_programs_find_what_is_said_in_other_words() {
    let files = Folder::new();
    files.file("in/power.md", "# Power\n\nThe battery lasts eleven days without any sun.");
    files.file("in/gauge.md", "# Gauge\n\nClean the rain gauge twice a year, in spring and in autumn.");
    let model = folder();
    let options = ["--embedder", "minilm", "--model", model.to_str().expect("UTF-8")];
    let run = files.run("ingest", &[&options[..], &["in"]].concat());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let run = files.run(
        "ask",
        &[&options[..], &["--min-score", "0", "For what time does the accumulator hold out in the dark?"]].concat(),
    );
    assert!(run.code == Some(0) && run.stdout.contains("[1] power.md"), "{} {}", run.stdout, run.stderr);
}
