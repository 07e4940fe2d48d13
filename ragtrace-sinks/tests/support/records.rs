//! Records to deliver.

use ragtrace::sink::Batch;
use ragtrace::testing::capture_sync;
use ragtrace::traced_stage;
use ragtrace::uuid::Uuid;

/// A stage that searches, and lets an answer be written.
#[traced_stage(kind = pipeline, fields(query))]
pub(crate) fn answer_question(query: &str) -> Result<String, String> {
    let hits = search(query);
    if query.contains("fail") { Err("the model is away".to_owned()) } else { Ok(format!("{} hits", hits.len())) }
}

#[traced_stage(kind = retrieve, fields(query, top_k = 3))]
fn search(query: &str) -> Vec<usize> {
    (0..query.len().min(3)).collect()
}

/// Returns a batch of the records of some questions: four records each, in one trace each.
pub fn batch(questions: usize) -> Batch {
    let ((), captured) = capture_sync(|| {
        for number in 0..questions {
            // Every third question fails.
            let query = if number % 3 == 2 { format!("fail {number}") } else { format!("what is {number}?") };
            let _ = answer_question(&query);
        }
    });
    Batch::new(Uuid::now_v7(), captured.records())
}
