//! Records to deliver.

use ragtrace::sink::Batch;
use ragtrace::testing::capture_sync;
use ragtrace::traced_stage;
use ragtrace::uuid::Uuid;

/// Searches, and has an answer written.
#[traced_stage(kind = pipeline, fields(query))]
pub(crate) fn answer_question(query: &str) -> Result<String, String> {
    let hits = search(query);
    if query.contains("fail") { Err("the model is away".to_owned()) } else { Ok(format!("{} hits", hits.len())) }
}

#[traced_stage(kind = retrieve, fields(query, top_k = 3))]
fn search(query: &str) -> Vec<usize> {
    (0..query.len().min(3)).collect()
}

/// Makes a batch of the records of so many questions: four records each, in one trace each.
pub fn batch(questions: usize) -> Batch {
    let ((), captured) = capture_sync(|| {
        for number in 0..questions {
            // Every third one fails, as some do.
            let query = if number % 3 == 2 { format!("fail {number}") } else { format!("what is {number}?") };
            let _ = answer_question(&query);
        }
    });
    Batch::new(Uuid::now_v7(), captured.records())
}
