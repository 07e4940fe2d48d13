//! The meaning of LangSmith's answers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ragtrace::sink::SinkError;

use crate::http::{Answer, Row, Verdicts};

const KEY: &str = "set LANGSMITH_API_KEY to a key of this LangSmith that may write runs";
const WORKSPACE: &str =
    "check the key's permissions, and set LANGSMITH_WORKSPACE_ID, which a key of an organisation requires";
const ENDPOINT: &str = "set LANGSMITH_ENDPOINT to your region or server, which ends in /api/v1 if it is your own";

/// The verdicts on runs and feedback. A conflict is a success: the run arrived in an earlier
/// attempt.
const INGEST: Verdicts = Verdicts::new(&[
    Row::accepted(409..=409),
    Row::park(401..=401).advise(KEY),
    Row::park(403..=403).advise(WORKSPACE),
    Row::park(404..=405).advise(ENDPOINT),
]);

/// The verdicts on questions, to which a conflict is not a valid answer.
const QUESTION: Verdicts = Verdicts::new(&[
    Row::park(401..=401).advise(KEY),
    Row::park(403..=403).advise(WORKSPACE),
    Row::park(404..=405).advise(ENDPOINT),
]);

/// Judges the answer to runs or feedback.
pub(super) fn judge(answer: &Answer) -> Result<(), SinkError> {
    INGEST.judge(answer).map_err(|error| match wait_for_quota(answer, SystemTime::now()) {
        Some(wait) if error.retry_after().is_none() => error.after(wait),
        _ => error,
    })
}

/// Judges the answer to a question.
pub(super) fn judge_question(answer: &Answer) -> Result<(), SinkError> {
    QUESTION.judge(answer)
}

/// Returns the time until an hourly quota is renewed, at the next full hour, if the answer says
/// that it is used up.
fn wait_for_quota(answer: &Answer, now: SystemTime) -> Option<Duration> {
    const HOUR: u64 = 3_600;
    let is_hourly = || String::from_utf8_lossy(answer.body()).to_ascii_lowercase().contains("hour");
    if answer.status() != 429 || !is_hourly() {
        return None;
    }
    let seconds = now.duration_since(UNIX_EPOCH).ok()?.as_secs();
    Some(Duration::from_secs(HOUR - seconds % HOUR))
}
