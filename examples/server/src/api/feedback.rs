//! Records a thumb, up or down, as a person's score.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use ragtrace::{Score, SpanId, TraceId};
use serde::Deserialize;

use super::caller::Caller;
use super::problem::{Problem, busy};
use super::trace_id::{foreign, unknown};
use crate::app::{App, Found};

/// The name of the score.
const NAME: &str = "helpful";
/// The longest comment, in characters.
const COMMENT: usize = 2_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Feedback {
    trace_id: String,
    span_id: Option<String>,
    score: Thumb,
    comment: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Thumb {
    Up,
    Down,
}

/// `POST /api/feedback`: records the score. The trace has to be of the caller's own tenant, which
/// the store checks again.
pub(super) async fn feedback(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(feedback): Json<Feedback>,
) -> Result<StatusCode, Problem> {
    let trace_id: TraceId = feedback.trace_id.parse().map_err(|error| malformed("#/trace_id", &error))?;
    let span_id = feedback.span_id.as_deref().map(str::parse::<SpanId>).transpose();
    let span_id = span_id.map_err(|error| malformed("#/span_id", &error))?;
    let comment = feedback.comment.as_deref().map(str::trim).filter(|comment| !comment.is_empty());
    if comment.is_some_and(|comment| comment.chars().count() > COMMENT) {
        return Err(Problem::of_field(
            "#/comment",
            format!("the comment is too long; use at most {COMMENT} characters"),
        ));
    }
    let view = match app.find(trace_id, span_id, caller.tenant()).await {
        Ok(Found::Trace(view)) => view,
        Ok(Found::Foreign) => return Err(foreign()),
        Ok(Found::Nothing) => return Err(unknown()),
        Err(error) => return Err(Problem::internal(&error)),
    };
    if span_id.is_some_and(|id| !view.has_run(id)) {
        return Err(Problem::of_field(
            "#/span_id",
            "no stage of this trace has this id; leave it out to judge the trace",
        ));
    }

    let score = Score::flag(NAME, feedback.score == Thumb::Up).by("human").trace(trace_id);
    let score = span_id.into_iter().fold(score, Score::span);
    let score = comment.into_iter().fold(score, Score::comment);
    let score = view.owner().into_iter().fold(score, Score::tenant);
    match score.try_record() {
        Ok(true) => Ok(StatusCode::NO_CONTENT),
        // The queue was full, and the score was dropped.
        Ok(false) => Err(busy()),
        Err(error) => Err(Problem::internal(&error)),
    }
}

fn malformed(pointer: &'static str, error: &ragtrace::ParseError) -> Problem {
    Problem::of_field(pointer, error.to_string())
}
