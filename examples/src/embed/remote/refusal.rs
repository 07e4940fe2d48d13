//! Judges an answer that is not a success.

use std::time::{Duration, SystemTime};

use hyper::StatusCode;
use hyper::header::{HeaderMap, RETRY_AFTER};
use serde::Deserialize;

use super::client::Answer;
use crate::embed::EmbedError;
use crate::report::printable;

/// The largest part of the server's message that is shown, in characters.
const SHOWN: usize = 300;

/// The message of a service, in the form of `OpenAI` or as plain text in `error` or `message`.
#[derive(Default, Deserialize)]
struct Body {
    #[serde(default)]
    error: Option<Said>,
    #[serde(default)]
    message: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Said {
    Object {
        #[serde(default)]
        message: Option<String>,
        #[serde(default)]
        code: Option<serde_json::Value>,
        #[serde(default, rename = "type")]
        kind: Option<String>,
    },
    Text(String),
}

/// Returns the error that an answer stands for. `mask` removes secrets from the server's message.
pub(super) fn error(answer: &Answer, mask: impl Fn(&str) -> String) -> EmbedError {
    let (message, code) = said(&answer.body);
    let said = mask(&message);
    let status = answer.status;
    let advice = advice(status, &format!("{code} {message}"));
    let shown = said.chars().take(SHOWN).collect::<String>();
    let cause = if shown.is_empty() { status.to_string() } else { format!("{status}: {shown}") };
    let error = EmbedError::new(advice).because(cause);
    if may_pass(status, &code) { error.retryable(retry_after(&answer.headers, SystemTime::now())) } else { error }
}

/// Returns the server's message and its code, or the beginning of the body.
fn said(body: &[u8]) -> (String, String) {
    let Ok(Body { error, message }) = serde_json::from_slice(body) else {
        return (printable(&String::from_utf8_lossy(&body[..body.len().min(4 * SHOWN)])), String::new());
    };
    let (text, code) = match error {
        Some(Said::Object { message, code, kind }) => {
            let code = code.map(|code| code.as_str().map_or_else(|| code.to_string(), str::to_owned));
            (message, format!("{} {}", code.unwrap_or_default(), kind.unwrap_or_default()))
        }
        Some(Said::Text(text)) => (Some(text), String::new()),
        None => (message, String::new()),
    };
    (printable(&text.unwrap_or_default()), code)
}

/// Returns `true` if the same request may succeed later: the server is busy, or failed itself.
fn may_pass(status: StatusCode, code: &str) -> bool {
    // 425 and 529 are "too early" and, of several services, "overloaded".
    match status.as_u16() {
        429 => !code.contains("insufficient_quota"),
        408 | 425 | 500 | 502..=504 | 520..=529 => true,
        _ => false,
    }
}

fn advice(status: StatusCode, said: &str) -> &'static str {
    let said = said.to_ascii_lowercase();
    let too_long = [
        "context length",
        "context_length",
        "too long",
        "too many tokens",
        "maximum input",
        "max_tokens",
        "token limit",
    ];
    match status.as_u16() {
        429 if said.contains("insufficient_quota") => {
            "the account of the key has no quota left; raise it, or use another key"
        }
        429 => "the service takes no more requests for now; wait, or ask for a higher limit",
        400 | 413 | 422 if status.as_u16() == 413 || too_long.iter().any(|sign| said.contains(sign)) => {
            "the service found the texts too long; state the model's limit with --embedder-max-tokens, or ingest with a \
             smaller --chunk-size"
        }
        401 | 403 => "the service refused the key; set a valid one in the variable that --embedder-key-variable names",
        404 => "the service has no such model or address; check --embedder-url and --embedder-model",
        300..=399 => "the service is at another address; give that one as --embedder-url",
        500..=599 | 408 | 425 => "the service failed; try again later",
        _ => "the service refused the request; check --embedder-model and the other settings of the embedder",
    }
}

/// Returns the time that the server asked for, in seconds or as a date ("HTTP Semantics", RFC 9110,
/// section 10.2.3).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = value.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.or_else(|| httpdate::parse_http_date(value).ok()?.duration_since(now).ok())
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use hyper::body::Bytes;
    use hyper::header::HeaderValue;

    use super::*;

    fn of(status: u16, body: &'static str) -> EmbedError {
        let status = StatusCode::from_u16(status).expect("a status");
        error(&Answer { status, headers: HeaderMap::new(), body: Bytes::from_static(body.as_bytes()) }, |text| {
            text.replace("sk-1", "[key]")
        })
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        for status in [408, 425, 429, 500, 502, 503, 504, 529] {
            assert!(of(status, "").is_retryable(), "{status}");
        }
        for status in [301, 400, 401, 403, 404, 405, 413, 422, 501] {
            assert!(!of(status, "").is_retryable(), "{status}");
        }
        let quota = of(429, r#"{"error":{"message":"no","type":"insufficient_quota","code":"insufficient_quota"}}"#);
        assert!(!quota.is_retryable() && quota.to_string().contains("no quota"), "{quota}");
    }

    #[test]
    fn the_error_says_what_to_do_and_what_the_server_said() {
        let long = of(400, r#"{"error":{"message":"This model's maximum context length is 8192 tokens","code":null}}"#);
        assert!(long.to_string().contains("--embedder-max-tokens"), "{long}");
        let cause = long.source().expect("a cause").to_string();
        assert_eq!(cause, "400 Bad Request: This model's maximum context length is 8192 tokens");
        let key = of(401, r#"{"error":"wrong key sk-1"}"#);
        assert_eq!(key.source().expect("a cause").to_string(), "401 Unauthorized: wrong key [key]");
        assert!(of(404, "no\n route").source().expect("a cause").to_string().ends_with("no route"));
    }

    #[test]
    fn the_time_to_wait_is_in_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Fri, 27 Nov 2026 11:00:00 GMT").expect("a date");
        let asked = |value| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]);
            retry_after(&headers, now)
        };
        assert_eq!(asked("3"), Some(Duration::from_secs(3)));
        assert_eq!(asked("Fri, 27 Nov 2026 11:00:09 GMT"), Some(Duration::from_secs(9)));
        assert_eq!((asked("soon"), asked("-1")), (None, None));
    }
}
