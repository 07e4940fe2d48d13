//! The service: a route for each kind of answer, and a gRPC service beside them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::{Stream, StreamExt, stream};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use ragtrace::http::TraceLayer;
use ragtrace::traced_stage;
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// One notification per request, that its handler has begun. A client that is to leave waits for
/// it, since otherwise the server might never see the request.
pub(crate) type Begun = Arc<[Notify]>;

/// A service on loopback.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    pub(crate) begun: Begun,
}

impl Service {
    pub(crate) async fn start(requests: usize) -> Self {
        let begun: Begun = (0..requests).map(|_| Notify::new()).collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let app = routes(Arc::clone(&begun)).layer(TraceLayer::new());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, begun }
    }
}

fn routes(begun: Begun) -> Router {
    Router::new()
        .route("/text/{number}", get(text))
        .route("/empty/{number}", get(empty))
        .route("/unchanged/{number}", get(unchanged))
        .route("/stream/{number}", get(streamed))
        .route("/sized/{number}", get(sized))
        .route("/echo/{number}", post(echo))
        .route("/endless/{number}", get(endless))
        .route("/silent/{number}", get(silent))
        .route("/events/{number}", get(events))
        .route("/error/{number}", get(error))
        .route("/panic/{number}", get(panics))
        .route("/broken/{number}", get(broken))
        .route_service(
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            TraceServiceServer::new(Collector),
        )
        .with_state(begun)
}

/// Waits, as every handler does first, so that others run in between.
#[traced_stage(fields(number))]
async fn handling(number: u32) {
    tokio::task::yield_now().await;
    tokio::time::sleep(std::time::Duration::from_millis(u64::from(number % 3))).await;
}

async fn text(Path(number): Path<u32>) -> String {
    handling(number).await;
    format!("the text of {number}")
}

async fn empty(Path(number): Path<u32>) -> StatusCode {
    handling(number).await;
    StatusCode::NO_CONTENT
}

async fn unchanged(Path(number): Path<u32>) -> impl IntoResponse {
    handling(number).await;
    (StatusCode::NOT_MODIFIED, [(header::ETAG, "\"1\"")])
}

/// Returns five chunks of one kilobyte, and lets others run before each.
fn chunks() -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::iter(0..5).then(|_| async {
        tokio::task::yield_now().await;
        Ok(Bytes::from_static(&[b'x'; 1_024]))
    })
}

async fn streamed(Path(number): Path<u32>) -> Body {
    handling(number).await;
    Body::from_stream(chunks())
}

async fn sized(Path(number): Path<u32>) -> impl IntoResponse {
    handling(number).await;
    ([(header::CONTENT_LENGTH, "5120")], Body::from_stream(chunks()))
}

async fn echo(State(begun): State<Begun>, Path(number): Path<u32>, body: Body) -> Response {
    handling(number).await;
    begun[number as usize].notify_one();
    match axum::body::to_bytes(body, 1 << 20).await {
        Ok(bytes) => bytes.into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

/// Returns a body with one chunk that never ends.
fn first_only(bytes: &'static [u8]) -> Body {
    let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(bytes))]);
    Body::from_stream(first.chain(stream::pending()))
}

async fn endless(Path(number): Path<u32>) -> Body {
    handling(number).await;
    first_only(b"the first of many")
}

async fn silent(State(begun): State<Begun>, Path(number): Path<u32>) {
    handling(number).await;
    begun[number as usize].notify_one();
    std::future::pending::<()>().await;
}

async fn events(Path(number): Path<u32>) -> impl IntoResponse {
    handling(number).await;
    ([(header::CONTENT_TYPE, "text/event-stream")], first_only(b"data: first\n\n"))
}

async fn error(Path(number): Path<u32>) -> StatusCode {
    handling(number).await;
    StatusCode::INTERNAL_SERVER_ERROR
}

async fn panics(Path(number): Path<u32>) -> StatusCode {
    handling(number).await;
    panic!("as it was asked to");
}

async fn broken(Path(number): Path<u32>) -> Body {
    handling(number).await;
    let failure = std::io::Error::other("the disk is gone");
    Body::from_stream(stream::iter([Ok(Bytes::from_static(b"half of it")), Err(failure)]))
}

/// Answers as the metadata `answer` of a call asks.
struct Collector;

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        call: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        let text = |name| call.metadata().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        handling(text("number").parse().expect("each call says its number")).await;
        match text("answer") {
            "refused" => Err(tonic::Status::invalid_argument("not what was agreed")),
            "unavailable" => Err(tonic::Status::unavailable("later")),
            _ => Ok(tonic::Response::new(ExportTraceServiceResponse::default())),
        }
    }
}
