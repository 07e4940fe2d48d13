//! Answers a question, with the answer sent while it is made.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{FutureExt, Stream, stream};
use ragtrace::{RequestContext, SpanId, TraceId};
use ragtrace_examples::document::document_id;
use ragtrace_examples::rerank::Passage;
use ragtrace_examples::{AskError, Part};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::caller::Caller;
use super::problem::{Problem, busy, panicked};
use crate::app::App;
use crate::run_view::Text;

/// The longest question, in characters.
const QUESTION: usize = 4_000;
/// The default number of passages that an answer is taken from. `MOST_PASSAGES` is the largest.
const PASSAGES: usize = 5;
const MOST_PASSAGES: usize = 20;
/// The longest time for an answer, including the wait for other questions.
const TIME: Duration = Duration::from_mins(2);
/// The interval of messages that keep a silent stream open.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    question: String,
    limit: Option<usize>,
}

/// A passage that the answer is taken from.
#[derive(Debug, Serialize)]
struct Source<'a> {
    document: &'a str,
    document_id: String,
    page: Option<u32>,
    heading: Option<&'a str>,
    score: f32,
    text: &'a str,
}

/// The end of an answer.
#[derive(Debug, Serialize)]
struct Done {
    trace_id: Option<Text<TraceId>>,
    span_id: Option<Text<SpanId>>,
    answered: bool,
    /// The reason why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// `POST /api/ask`: sends the sources, then the answer sentence by sentence, then its end. If the
/// client leaves, the question is cancelled.
pub(super) async fn ask(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(Question { question, limit }): Json<Question>,
) -> Result<impl IntoResponse, Problem> {
    let question = question.trim().to_owned();
    if question.is_empty() {
        return Err(Problem::of_field("#/question", "the question is empty; ask one in a few words"));
    }
    if question.chars().count() > QUESTION {
        return Err(Problem::of_field(
            "#/question",
            format!("the question is too long; use at most {QUESTION} characters"),
        ));
    }
    let passages = limit.unwrap_or(PASSAGES);
    if !(1..=MOST_PASSAGES).contains(&passages) {
        return Err(Problem::of_field("#/limit", format!("ask for 1 to {MOST_PASSAGES} sources")));
    }
    let place = app.place().ok_or_else(busy)?;
    // The channel needs no bound: an answer is a few sentences and their sources.
    let (events, received) = mpsc::unbounded_channel();
    let tenant = caller.library().to_owned();
    let work = ragtrace::spawn(async move {
        let _place = place;
        let answer = answer(&app, &tenant, &question, (passages, events.clone()));
        within(TIME, answer, &events).await;
    });
    let answer = Sse::new(stream_of(received, AbortOnDropHandle::new(work)));
    Ok(([("x-accel-buffering", "no")], answer.keep_alive(KeepAlive::new().interval(KEEP_ALIVE))))
}

/// Runs the work with a time limit. The client is told if the limit is reached or the work panics.
async fn within(time: Duration, work: impl Future<Output = ()>, events: &mpsc::UnboundedSender<Event>) {
    let problem = match tokio::time::timeout(time, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(())) => return,
        Ok(Err(_payload)) => panicked(),
        Err(_elapsed) => busy(),
    };
    let _ = events.send(event("problem", &problem.into_details()));
}

/// Answers the question, and sends the parts as events.
async fn answer(app: &App, tenant: &str, question: &str, (limit, events): (usize, mpsc::UnboundedSender<Event>)) {
    let _permit = app.questions.acquire().await;
    let library = app.library(tenant, limit);
    let context = RequestContext::current();
    let trace_id = context.as_ref().map(|context| Text(context.trace_id()));
    let mut span_id = context.and_then(|context| context.span_id());
    let mut has_sources = false;
    // The stream ends when its client leaves, and cancels the question. So a failure to send needs
    // no handling.
    let send = |event: Event| drop(events.send(event));
    let on_part = |part: Part<'_>| match part {
        Part::Passages(passages) => {
            // The current span here is the stage that answers.
            span_id = RequestContext::current().and_then(|context| context.span_id());
            has_sources = true;
            send(sources(passages));
        }
        Part::Sentence(text) => send(event("token", &serde_json::json!({ "text": text + "\n" }))),
    };
    let outcome = ragtrace_examples::question(&library, question, on_part).await;
    if !has_sources {
        send(sources(&[]));
    }
    let detail = match outcome {
        Ok(_) => None,
        Err(AskError::NoDocuments) => Some("there are no documents yet; upload some first".to_owned()),
        Err(error @ AskError::NoAnswer) => Some(error.to_string()),
        Err(error) => return send(event("problem", &Problem::internal(&error).into_details())),
    };
    send(event("done", &Done { trace_id, span_id: span_id.map(Text), answered: detail.is_none(), detail }));
}

fn sources(passages: &[Passage]) -> Event {
    let sources = passages.iter().map(|Passage { hit, score }| Source {
        document: &hit.name,
        document_id: document_id(&hit.path),
        page: hit.page,
        heading: hit.headings.last().map(String::as_str),
        score: *score,
        text: &hit.text,
    });
    event("sources", &sources.collect::<Vec<_>>())
}

/// Returns an event with this name and data.
pub(super) fn event(name: &str, data: &impl Serialize) -> Event {
    let event = Event::default().event(name);
    // This can only fail for numbers without a JSON form, or maps whose keys are not strings, which
    // no event contains.
    event.json_data(data).unwrap_or_else(|_| Event::default().event("problem").data("{}"))
}

/// Returns the stream of the events that the work sends. The work is a task of its own, and not
/// polled by the stream, since a client that does not read would stop it while it holds resources.
/// The task ends with the stream.
fn stream_of(
    received: mpsc::UnboundedReceiver<Event>,
    work: AbortOnDropHandle<()>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold((received, work), |(mut received, work)| async move {
        let event = received.recv().await?;
        Some((Ok(event), (received, work)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the text of the events that a client receives from the work.
    async fn told(work: impl Future<Output = ()>) -> String {
        let (events, mut received) = mpsc::unbounded_channel();
        within(TIME, work, &events).await;
        received.try_recv().map(|event| format!("{event:?}")).unwrap_or_default()
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_panics_or_takes_too_long_is_told() {
        let panicked = told(async { panic!("the secret is 7") }).await;
        assert!(panicked.contains("problem") && !panicked.contains("secret"), "{panicked}");
        assert!(told(std::future::pending()).await.contains("busy"));
        assert_eq!(told(async {}).await, "");
    }

    #[tokio::test]
    async fn work_goes_on_without_a_reader_and_ends_with_the_stream() {
        let (events, received) = mpsc::unbounded_channel();
        let places = Arc::new(tokio::sync::Semaphore::new(2));
        let (place, other) = (Arc::clone(&places).acquire_owned().await, Arc::clone(&places).acquire_owned().await);
        let quick = tokio::spawn(async move { drop((place, events)) });
        let stuck = tokio::spawn(async move {
            std::future::pending::<()>().await;
            drop(other);
        });
        let unread = stream_of(received, AbortOnDropHandle::new(quick));
        drop(places.acquire().await.expect("the work has ended"));
        let (_events, received) = mpsc::unbounded_channel();
        drop(stream_of(received, AbortOnDropHandle::new(stuck)));
        drop(places.acquire_many(2).await.expect("the work has gone"));
        drop(unread);
    }
}
