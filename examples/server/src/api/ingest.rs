//! Ingests uploads: from the files of a request to chunks in the database.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::extract::multipart::MultipartRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use ragtrace::{RequestContext, TraceId};
use ragtrace_examples::document::lossy_pages;
use ragtrace_examples::ingest::Ingested;
use ragtrace_examples::report::one_line;
use ragtrace_examples::{IngestError, Source};
use serde::Serialize;

use super::caller::Caller;
use super::problem::{Problem, busy};
use crate::app::App;
use crate::run_view::Text;
use crate::upload::{PART_HEAD, Parts, Refusal, Upload, receive};

type Outcome = Result<Ingested, String>;

/// The answer to a request with files.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    status: &'static str,
    chunks_created: usize,
    trace_id: Option<Text<TraceId>>,
    files: Vec<FileAnswer<'a>>,
}

/// The outcome of a file.
#[derive(Debug, Default, Serialize)]
struct FileAnswer<'a> {
    name: &'a str,
    status: &'static str,
    format: Option<&'static str>,
    bytes: u64,
    pages: Option<usize>,
    chunks: Option<usize>,
    document: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable_pages: Vec<u32>,
    error: Option<&'a str>,
}

/// `POST /api/ingest`: answers 200 if any file was stored, and 422 if none was.
pub(super) async fn ingest(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    parts: Result<Parts, MultipartRejection>,
) -> Result<impl IntoResponse, Problem> {
    let _place = app.place().ok_or_else(busy)?;
    check_length(&headers, app.max_bytes)?;
    let parts = parts.map_err(|_| not_multipart(&headers))?;
    let received =
        tokio::time::timeout(longest(app.max_bytes), receive(parts, app.uploads.path(), app.max_files)).await;
    let uploads = received.unwrap_or(Err(Refusal::TooSlow)).map_err(|refusal| problem(&refusal, &app))?;
    if uploads.is_empty() {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "there is no file in the request; send each as a part named `files`",
        ));
    }
    let outcomes = ingest_all(&app, caller.library(), &uploads).await;
    let answer = answer(&uploads, &outcomes);
    let status = if answer.status == "failed" { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, Json(answer)).into_response())
}

/// Ingests the files. Each waits for a permit, which the documents of all requests share.
async fn ingest_all(app: &App, tenant: &str, uploads: &[Upload]) -> HashMap<PathBuf, Outcome> {
    let sources = uploads.iter().enumerate().map(|(at, upload)| upload.source(tenant).with_index(at)).collect();
    let mut outcomes = HashMap::new();
    let on_document = |source: &Source, outcome: &Result<Ingested, IngestError>| {
        outcomes.insert(source.path.clone(), outcome.as_ref().cloned().map_err(|error| one_line(error)));
    };
    // The outcomes contain the documents that failed.
    let _totals = ragtrace_examples::ingestion(&app.ingestion(tenant), sources, app.jobs, on_document).await;
    outcomes
}

fn answer<'a>(uploads: &'a [Upload], outcomes: &'a HashMap<PathBuf, Outcome>) -> Answer<'a> {
    let files: Vec<_> = uploads.iter().map(|upload| file_answer(upload, outcomes.get(upload.path()))).collect();
    let stored = files.iter().filter(|file| file.document.is_some()).count();
    Answer {
        status: match stored {
            0 => "failed",
            all if all == files.len() => "completed",
            _ => "partial",
        },
        chunks_created: files.iter().filter_map(|file| file.chunks).sum(),
        trace_id: RequestContext::current().map(|context| Text(context.trace_id())),
        files,
    }
}

fn file_answer<'a>(upload: &'a Upload, outcome: Option<&'a Outcome>) -> FileAnswer<'a> {
    let file =
        FileAnswer { name: &upload.label, format: upload.format(), bytes: upload.bytes, ..FileAnswer::default() };
    match outcome {
        Some(Ok(ingested)) => FileAnswer {
            status: "stored",
            pages: Some(ingested.pages),
            chunks: Some(ingested.stored.chunks),
            document: Some(&ingested.document),
            unreadable_pages: lossy_pages(&ingested.losses),
            ..file
        },
        Some(Err(error)) => FileAnswer { status: "failed", error: Some(error), ..file },
        None => FileAnswer { status: "failed", error: Some("it was not worked on; send it again"), ..file },
    }
}

/// Returns the longest time in which a request may arrive. The slowest connection that is served
/// has 64 KiB per second.
fn longest(max_bytes: usize) -> Duration {
    Duration::from_mins(1) + Duration::from_secs((max_bytes >> 16) as u64)
}

/// Refuses a request whose declared length is too large, before it is read.
fn check_length(headers: &HeaderMap, max_bytes: usize) -> Result<(), Problem> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > max_bytes as u64) { Err(too_large(max_bytes)) } else { Ok(()) }
}

fn too_large(max_bytes: usize) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the request is larger than {max_bytes} bytes; send fewer or smaller files"),
    )
}

fn not_multipart(headers: &HeaderMap) -> Problem {
    let media_type = headers.get(header::CONTENT_TYPE).map(|value| value.as_bytes().to_ascii_lowercase());
    if media_type.is_some_and(|media_type| media_type.starts_with(b"multipart/form-data")) {
        return Problem::new(
            StatusCode::BAD_REQUEST,
            "the header `Content-Type` names no boundary; let the client set it",
        );
    }
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send the files as `multipart/form-data`")
}

fn problem(refusal: &Refusal, app: &App) -> Problem {
    match refusal {
        Refusal::TooLarge => too_large(app.max_bytes),
        Refusal::TooManyFiles(most) => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("there are more than {most} files in the request; send them in several"),
        ),
        Refusal::TooSlow => Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "the request does not go on, or too slowly; send it again, or fewer files at once",
        ),
        Refusal::LongHead => Problem::new(
            StatusCode::BAD_REQUEST,
            format!(
                "the headers of a part, or what is before it, are longer than {PART_HEAD} bytes; send the file alone"
            ),
        ),
        Refusal::Broken(error) => Problem::new(
            StatusCode::BAD_REQUEST,
            format!("the request is cut off or malformed; send it again: {}", error.body_text()),
        ),
        Refusal::Disk(error) => {
            eprintln!("error: an upload cannot be written: {error}");
            Problem::new(StatusCode::INSUFFICIENT_STORAGE, "the files cannot be stored for now; try again later")
        }
    }
}
