//! A request and its response as one run of a stage, which spans the service's call, its future and
//! the body of the response.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use ragtrace_core::stage::{Ending, ManualRun};
use ragtrace_core::{RequestContext, guard};

use super::failure;
use super::fields::{at, content_length, header_text};
use super::grpc::{self, GrpcStatus};
use super::request_fields::RequestFields;
use super::settings::Settings;
use super::{headers, identity, route};

/// An extension that marks a request with a run, so that a second layer around the service does not
/// start another one.
#[derive(Clone, Copy, Debug)]
struct Traced;

/// The media type of server-sent events.
const EVENT_STREAM: &[u8] = b"text/event-stream";

/// A request that is being answered. If it is dropped before its end, the request is cancelled.
pub(super) struct Exchange {
    run: ManualRun,
    settings: Arc<Settings>,
    facts: Facts,
}

/// The facts about a request that its end record contains.
struct Facts {
    method: AnsweredMethod,
    request_size: Option<u64>,
    answer: Option<Answer>,
}

/// The methods whose responses differ from those of others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AnsweredMethod {
    Head,
    Connect,
    Other,
}

/// A response whose head has been returned.
struct Answer {
    status: StatusCode,
    /// Set for a gRPC response.
    grpc: Option<GrpcAnswer>,
    head: Duration,
    /// The number of bytes of the body that have been passed on.
    sent: u64,
    length: Length,
    is_event_stream: bool,
    /// The recorded headers, each with the layer's index of its field.
    headers: Vec<(u16, String)>,
}

#[derive(Default)]
struct GrpcAnswer {
    status: Option<GrpcStatus>,
}

/// The length of a body.
#[derive(Clone, Copy)]
enum Length {
    /// The message has no body, whatever the service returned, or an empty one.
    NoBody,
    Exact(u64),
    Unknown,
}

/// The size of a response's body as known before it is polled.
pub(super) struct BodyHint {
    pub(super) exact: Option<u64>,
    pub(super) is_empty: bool,
}

impl Exchange {
    /// Begins the run of a request, unless the request is skipped or already has one.
    pub(super) fn begin(settings: &Arc<Settings>, parts: &mut Parts) -> Option<Self> {
        if parts.extensions.get::<Traced>().is_some() || settings.skips(parts) {
            return None;
        }
        let context = identity::context(settings, parts);
        let route = route::of(settings, parts);
        let stage = route::stage(settings, parts, route);
        let fields = RequestFields { settings, route, client_address: settings.client_address(parts) };
        let run = ManualRun::begin(stage, &context, |buffer| fields.write(parts, buffer));
        let method = match parts.method {
            Method::HEAD => AnsweredMethod::Head,
            Method::CONNECT => AnsweredMethod::Connect,
            _ => AnsweredMethod::Other,
        };
        let request_size = content_length(&parts.headers);
        parts.extensions.insert(Traced);
        let facts = Facts { method, request_size, answer: None };
        Some(Self { run, settings: Arc::clone(settings), facts })
    }

    /// Does a part of the request's work in its context. A panic fails the request and continues.
    pub(super) fn within<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let entered = self.run.enter();
        match guard::contain(work) {
            Ok(output) => {
                entered.pause();
                output
            }
            Err(payload) => {
                drop(entered);
                self.run.fail_by_panic(&*payload, |ending| self.facts.describe(ending));
                std::panic::resume_unwind(payload)
            }
        }
    }

    /// Records the head of the response, and adds the headers that name its trace.
    pub(super) fn answer(&mut self, status: StatusCode, headers: &mut HeaderMap, hint: &BodyHint) {
        if self.run.is_active() {
            let answer = self.read_head(status, headers, hint);
            self.facts.answer = Some(answer);
        }
        if let Some(context) = self.run.context() {
            headers::answer(headers, &context, self.settings.has_server_timing);
        }
    }

    fn read_head(&self, status: StatusCode, headers: &HeaderMap, hint: &BodyHint) -> Answer {
        let content_type = headers.get(header::CONTENT_TYPE);
        let grpc = content_type.and_then(|content_type| grpc_answer(content_type, headers));
        let media_type = content_type.and_then(|value| value.as_bytes().get(..EVENT_STREAM.len()));
        let is_event_stream = media_type.is_some_and(|media_type| media_type.eq_ignore_ascii_case(EVENT_STREAM));
        let first = usize::from(at::HEADERS) + self.settings.request_headers.len();
        let recorded = (first..).map_while(|index| u16::try_from(index).ok()).zip(&self.settings.response_headers);
        let headers_of = recorded.filter_map(|(index, name)| Some((index, header_text(headers, name)?))).collect();
        let length = match content_length(headers).or(hint.exact) {
            _ if hint.is_empty || self.facts.method.answers_without_body(status) => Length::NoBody,
            Some(length) => Length::Exact(length),
            None => Length::Unknown,
        };
        Answer { status, grpc, head: self.run.elapsed(), sent: 0, length, is_event_stream, headers: headers_of }
    }

    /// Counts bytes of the response's body.
    pub(super) fn add_sent(&mut self, bytes: usize) {
        if let Some(answer) = &mut self.facts.answer {
            answer.sent = answer.sent.saturating_add(bytes as u64);
        }
    }

    /// Reads the trailers of the response, which end the request.
    pub(super) fn end_by_trailers(&mut self, trailers: &HeaderMap) {
        if let Some(Answer { grpc: Some(grpc), .. }) = &mut self.facts.answer
            && let Some(status) = GrpcStatus::read(trailers)
        {
            grpc.status = Some(status);
        }
        self.end_by_answer();
    }

    /// Ends the request because the response's body has ended. The request fails if the body is
    /// shorter than promised, because the client sees an error then.
    pub(super) fn end_by_answer(&mut self) {
        let facts = &mut self.facts;
        if let Some(Answer { grpc: Some(grpc), .. }) = &mut facts.answer {
            grpc.status.get_or_insert_with(GrpcStatus::missing);
        }
        self.run.end(|ending| {
            facts.describe(ending);
            let failure = facts.answer.as_ref().and_then(Answer::failure);
            match (failure, facts.answer.as_ref().and_then(Answer::missing)) {
                (Some(failure), None) => {
                    ending.fail(failure);
                    ending.answered();
                }
                (failure, Some(missing)) => ending.fail(failure.unwrap_or(missing)),
                (None, None) => {}
            }
        });
    }

    /// Ends the request with an error of the service or of the response's body.
    pub(super) fn end_by_error<E: Display + 'static>(&mut self, error: &E) {
        let facts = &self.facts;
        self.run.end(|ending| {
            facts.describe(ending);
            ending.fail(failure::of_error(error));
        });
    }

    /// Returns `true` if the request has not ended.
    pub(super) fn is_open(&self) -> bool {
        self.run.is_active()
    }

    /// Ends the request, unless it has ended, because the service's future or the response's body
    /// was dropped. The body may have been at its end.
    pub(super) fn end_by_drop(&mut self, is_at_end: bool) {
        if !self.run.is_active() {
            return;
        }
        if is_at_end || self.facts.answer.as_ref().is_some_and(Answer::is_complete) {
            return self.end_by_answer();
        }
        let facts = &self.facts;
        self.run.end(|ending| {
            facts.describe(ending);
            // A response that is an error fails the request, even if the client did not read all of
            // it.
            match facts.answer.as_ref().and_then(Answer::failure) {
                Some(failure) => ending.fail(failure),
                None => ending.cancel(),
            }
        });
    }
}

impl Facts {
    /// Records the fields of the response.
    fn describe(&self, ending: &mut Ending<'_>) {
        if let Some(answer) = &self.answer {
            ending.set(at::STATUS, &answer.status.as_u16());
            if let Some(GrpcStatus { name, .. }) = answer.grpc.as_ref().and_then(|grpc| grpc.status.as_ref()) {
                ending.set(at::RPC_STATUS, *name);
            }
            ending.set(at::HEAD_MS, &milliseconds(answer.head));
            ending.set(at::RESPONSE_SIZE, &answer.sent);
            for (index, text) in &answer.headers {
                ending.set(*index, text.as_str());
            }
        }
        ending.set(at::REQUEST_SIZE, &self.request_size);
    }
}

/// Reads the head of a response with this content type, if it is a gRPC response.
fn grpc_answer(content_type: &HeaderValue, headers: &HeaderMap) -> Option<GrpcAnswer> {
    if grpc::is_grpc(content_type) {
        return Some(GrpcAnswer { status: GrpcStatus::read(headers) });
    }
    // In gRPC-Web, the trailers are part of the body. Only a call that failed before its body began
    // has the status in the head.
    let status = if grpc::is_grpc_web(content_type) { GrpcStatus::read(headers) } else { None };
    status.map(|status| GrpcAnswer { status: Some(status) })
}

/// Returns a time in milliseconds, rounded to microseconds, because the clock is not more accurate.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

impl AnsweredMethod {
    /// Returns `true` if a response with this status has no body (RFC 9110, sections 6.4.1 and
    /// 9.3.6).
    fn answers_without_body(self, status: StatusCode) -> bool {
        match self {
            Self::Head => true,
            Self::Connect if status.is_success() => true,
            _ => status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED),
        }
    }
}

impl Answer {
    /// Returns `true` if a body that is dropped now was complete for its reader. A stream of events
    /// ends when its reader leaves.
    fn is_complete(&self) -> bool {
        match self.length {
            Length::NoBody => true,
            // The status of a gRPC call follows the last byte.
            _ if matches!(self.grpc, Some(GrpcAnswer { status: None })) => false,
            Length::Exact(length) => self.sent >= length,
            Length::Unknown => self.is_event_stream,
        }
    }

    /// Returns a failure if the body, which has ended, is shorter than the response said.
    fn missing(&self) -> Option<Box<ragtrace_core::Failure>> {
        match self.length {
            Length::Exact(length) if self.sent < length => Some(failure::of_length(self.sent, length)),
            _ => None,
        }
    }

    /// Returns a failure if the response is an error of the server.
    fn failure(&self) -> Option<Box<ragtrace_core::Failure>> {
        let of_call = || self.grpc.as_ref()?.status.as_ref().filter(|status| status.is_server_error());
        if self.status.is_server_error() {
            return Some(failure::of_status(self.status));
        }
        of_call().map(failure::of_grpc)
    }
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let context: Option<RequestContext> = self.run.context();
        f.debug_struct("Exchange").field("context", &context).finish_non_exhaustive()
    }
}
