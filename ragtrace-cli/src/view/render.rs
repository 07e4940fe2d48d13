//! Writes problems as a page or as JSON, whichever the request wants.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::format::wants_json;
use super::problem::Problem;
use super::problem_page;
use super::theme::Theme;

/// Writes problems, and refusals of axum's own, as a page or as problem details.
pub(super) async fn render(request: Request, next: Next) -> Response {
    let is_json = wants_json(request.uri(), request.headers().get(header::ACCEPT)) || *request.method() == Method::POST;
    let theme = Theme::of(request.headers());
    let mut response = next.run(request).await;
    let status = response.status();
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if status.is_client_error() || status.is_server_error() => {
            Problem::new(status, "the request cannot be answered")
        }
        None => return response,
    };
    let mut written = if is_json { details(&problem) } else { problem_page::respond(&problem, theme) };
    *written.status_mut() = status;
    for name in [header::ALLOW, header::SET_COOKIE] {
        if let Some(value) = response.headers_mut().remove(&name) {
            written.headers_mut().insert(name, value);
        }
    }
    if let Some(retry) = problem.retry {
        written.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(u16::from(retry)));
    }
    if status == StatusCode::UNAUTHORIZED {
        written.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    written
}

fn details(problem: &Problem) -> Response {
    let body = json!({
        "type": "about:blank", "title": problem.title(), "status": problem.status.as_u16(), "detail": problem.detail,
        "advice": problem.advice,
    });
    ([(header::CONTENT_TYPE, "application/problem+json")], Json(body).into_response().into_body()).into_response()
}
