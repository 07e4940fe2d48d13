//! Stages of a library that uses `ragtrace` under another name, and re-exports it.

pub use telemetry;
use telemetry::{stage, traced_stage};

/// A stage with everything that generated code may refer to.
#[traced_stage(
    "renamed.embed",
    crate = telemetry,
    kind = embed,
    level = "debug",
    fields(texts = texts.len()),
    ok(|vectors| dimensions = vectors.first().map(Vec::len), cost_usd = 0.5),
    err(|error| code = ?error.kind()),
    record(model: &str),
    descriptor = EMBED
)]
pub async fn embed(texts: &[&str]) -> Result<Vec<Vec<f32>>, std::io::Error> {
    record!(model = "small");
    stage!("renamed.batch", crate = telemetry, async { Ok(texts.iter().map(|_| vec![0.0; 3]).collect()) }).await
}

/// A stage that is never called, and still in the catalog.
#[expect(dead_code, reason = "the catalog lists it all the same")]
#[traced_stage("renamed.dead", crate = telemetry)]
fn dead() {}

/// A stage whose name a program that uses this library has too.
#[traced_stage("renamed.twice", crate = telemetry)]
pub fn twice() {}
