//! gRPC: tonic's services and clients, and answers that tonic does not make.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use ragtrace::http::TraceLayer;
use ragtrace::{Event, traced_stage};
use ragtrace_tests_http::{Protocol, Request as Recorded, Requests, served};
use tonic::service::Routes;
use tonic::{Code, Status};
use tower::ServiceBuilder;

struct Collector(Code);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        _: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, Status> {
        collect(self.0).await
    }
}

#[traced_stage("collecting")]
async fn collect(code: Code) -> Result<tonic::Response<ExportTraceServiceResponse>, Status> {
    match code {
        Code::Ok => Ok(tonic::Response::new(ExportTraceServiceResponse::default())),
        code => Err(Status::new(code, "no, 100 % not\u{7}")),
    }
}

/// Calls a tonic service that answers with `code`, and returns what the client got and what was
/// recorded.
fn call(code: Code, layer: TraceLayer) -> (Result<(), Status>, Requests) {
    let routes = Routes::new(TraceServiceServer::new(Collector(code))).into_axum_router();
    served(ServiceBuilder::new().layer(layer).service(routes), async |server| {
        let endpoint = tonic::transport::Endpoint::new(format!("http://{}", server.address())).expect("an address");
        let mut client = TraceServiceClient::new(endpoint.connect().await.expect("a connection"));
        client.export(ExportTraceServiceRequest::default()).await.map(|_| ())
    })
}

#[test]
fn a_call_that_succeeds_completes_the_request_by_its_trailers() {
    let (result, requests) = call(Code::Ok, TraceLayer::new());
    assert!(result.is_ok());
    let request = requests.one();
    assert_eq!(
        (request.ended.event(), &*request.message(), request.status()),
        (Event::Completed, "http_response_sent", Some(200))
    );
    for (name, value) in [
        ("rpc.system.name", "grpc"),
        ("rpc.method", "opentelemetry.proto.collector.trace.v1.TraceService/Export"),
        ("rpc.status_code", "OK"),
    ] {
        assert_eq!(request.text(name).as_deref(), Some(value));
    }
    assert_eq!(request.stage(), "POST", "the path is whatever the caller says");
    let inner = requests.captured().stage("collecting").completed();
    assert_eq!(inner.one().parent_span_id(), request.ended.span_id());
}

#[test]
fn a_call_fails_by_the_codes_that_are_the_server_s_fault() {
    let codes = [
        (Code::Unknown, "UNKNOWN", true),
        (Code::DeadlineExceeded, "DEADLINE_EXCEEDED", true),
        (Code::Unimplemented, "UNIMPLEMENTED", true),
        (Code::Internal, "INTERNAL", true),
        (Code::Unavailable, "UNAVAILABLE", true),
        (Code::DataLoss, "DATA_LOSS", true),
        (Code::Cancelled, "CANCELLED", false),
        (Code::InvalidArgument, "INVALID_ARGUMENT", false),
        (Code::NotFound, "NOT_FOUND", false),
        (Code::AlreadyExists, "ALREADY_EXISTS", false),
        (Code::PermissionDenied, "PERMISSION_DENIED", false),
        (Code::ResourceExhausted, "RESOURCE_EXHAUSTED", false),
        (Code::FailedPrecondition, "FAILED_PRECONDITION", false),
        (Code::Aborted, "ABORTED", false),
        (Code::OutOfRange, "OUT_OF_RANGE", false),
        (Code::Unauthenticated, "UNAUTHENTICATED", false),
    ];
    for (code, name, is_failure) in codes {
        let (result, requests) = call(code, TraceLayer::new());
        assert_eq!(result.expect_err("an error").code(), code);
        let request = requests.one();
        assert_eq!(request.text("rpc.status_code").as_deref(), Some(name));
        let event = if is_failure { Event::Failed } else { Event::Completed };
        assert_eq!((request.ended.event(), &*request.message()), (event, "http_response_sent"), "{name}");
        assert_eq!(request.error_type(), is_failure.then_some(name));
        if let Some(error) = request.ended.error() {
            assert_eq!(error.message(), "no, 100 % not\u{7}");
        }
    }
}

#[test]
fn a_method_that_is_not_there_is_unimplemented() {
    let routes = Routes::new(TraceServiceServer::new(Collector(Code::Ok))).into_axum_router();
    let service = ServiceBuilder::new().layer(TraceLayer::new()).service(routes);
    let ((), requests) = served(service, async |server| {
        let mut request = server.request("POST", "/no.Such/Method");
        request.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
        server.send(Protocol::Http2, request).await;
    });
    assert_eq!((requests.one().ended.event(), requests.one().error_type()), (Event::Failed, Some("UNIMPLEMENTED")));
}

#[test]
fn a_service_of_tonic_s_is_a_route_of_axum_s_and_of_the_application_s_own() {
    let routes = Routes::new(TraceServiceServer::new(Collector(Code::Ok))).into_axum_router();
    let ((), requests) = served(routes.layer(TraceLayer::new()), async |server| {
        let endpoint = tonic::transport::Endpoint::new(format!("http://{}", server.address())).expect("an address");
        let mut client = TraceServiceClient::new(endpoint.connect().await.expect("a connection"));
        client.export(ExportTraceServiceRequest::default()).await.expect("an answer");
    });
    assert!(requests.one().stage().starts_with("POST /opentelemetry.proto.collector.trace.v1.TraceService/{"));
    let layer = TraceLayer::new().route(|parts| {
        let service = "/opentelemetry.proto.collector.trace.v1.TraceService/";
        parts.uri.path().starts_with(service).then_some(service)
    });
    let (_, requests) = call(Code::Ok, layer);
    assert_eq!(requests.one().stage(), "POST /opentelemetry.proto.collector.trace.v1.TraceService/");
}

#[test]
fn a_deadline_that_passes_at_the_client_cancels_the_request() {
    struct Slow;
    #[tonic::async_trait]
    impl TraceService for Slow {
        async fn export(
            &self,
            _: tonic::Request<ExportTraceServiceRequest>,
        ) -> Result<tonic::Response<ExportTraceServiceResponse>, Status> {
            std::future::pending().await
        }
    }
    let routes = Routes::new(TraceServiceServer::new(Slow)).into_axum_router();
    let ((), requests) = served(ServiceBuilder::new().layer(TraceLayer::new()).service(routes), async |server| {
        let endpoint = tonic::transport::Endpoint::new(format!("http://{}", server.address())).expect("an address");
        let endpoint = endpoint.timeout(Duration::from_millis(50));
        let mut client = TraceServiceClient::new(endpoint.connect().await.expect("a connection"));
        client.export(ExportTraceServiceRequest::default()).await.expect_err("it is too late");
    });
    assert_eq!((requests.one().ended.event(), requests.one().status()), (Event::Cancelled, None));
}

#[test]
fn tonic_s_own_server_takes_the_layer() {
    let layered = tonic::transport::Server::builder()
        .layer(TraceLayer::new())
        .add_service(TraceServiceServer::new(Collector(Code::Ok)));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let trace_id = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let incoming = tonic::transport::server::TcpIncoming::from(listener);
        let server = layered.serve_with_incoming_shutdown(incoming, async { drop(stopped.await) });
        let server = tokio::spawn(server);
        let endpoint = tonic::transport::Endpoint::new(format!("http://{address}")).expect("an address");
        let mut client = TraceServiceClient::new(endpoint.connect().await.expect("a connection"));
        let response = client.export(ExportTraceServiceRequest::default()).await.expect("an answer");
        let trace_id = response.metadata().get("x-trace-id").map(|id| id.to_str().expect("a text").len());
        drop((client, stop));
        server.await.expect("no panic").expect("it ends well");
        trace_id
    });
    assert_eq!(trace_id, Some(36));
}

/// Answers with these frames, as in gRPC, and returns the records after everything was read.
fn answered(head: &[(&'static str, &'static str)], frames: Vec<Frame<Bytes>>) -> Requests {
    let (head, frames) = (head.to_vec(), Arc::new(frames));
    let service = ServiceBuilder::new().layer(TraceLayer::new()).service_fn(move |_: Request<Incoming>| {
        let frames: Vec<_> = frames.iter().map(copy).collect();
        let mut response =
            Response::new(Body::new(StreamBody::new(stream::iter(frames.into_iter().map(Ok::<_, Infallible>)))));
        for (name, value) in &head {
            response.headers_mut().insert(*name, HeaderValue::from_static(value));
        }
        async move { Ok::<_, Infallible>(response) }
    });
    served(service, async |server| drop(server.send(Protocol::Http2, server.request("POST", "/a.B/C")).await)).1
}

fn copy(frame: &Frame<Bytes>) -> Frame<Bytes> {
    match (frame.data_ref(), frame.trailers_ref()) {
        (Some(data), _) => Frame::data(data.clone()),
        (_, Some(trailers)) => Frame::trailers(trailers.clone()),
        _ => Frame::data(Bytes::new()),
    }
}

fn trailers(status: &'static str) -> Frame<Bytes> {
    Frame::trailers(
        [("grpc-status".parse().expect("a name"), HeaderValue::from_static(status))].into_iter().collect::<HeaderMap>(),
    )
}

fn outcome(request: Recorded<'_>) -> (Event, Option<String>) {
    (request.ended.event(), request.text("rpc.status_code"))
}

#[test]
fn a_stream_of_messages_ends_with_its_trailers() {
    let head = [("content-type", "application/grpc+proto")];
    let message = || Frame::data(Bytes::from_static(b"\0\0\0\0\x01x"));
    let requests = answered(&head, vec![message(), message(), trailers("0")]);
    assert_eq!(outcome(requests.one()), (Event::Completed, Some("OK".to_owned())));
    assert_eq!(requests.one().sent(), Some(12.0));
    let requests = answered(&head, vec![message(), trailers("14")]);
    assert_eq!(outcome(requests.one()), (Event::Failed, Some("UNAVAILABLE".to_owned())));
    assert_eq!((&*requests.one().message(), requests.one().sent()), ("http_response_sent", Some(6.0)));
}

#[test]
fn a_status_that_is_missing_or_unknown_is_unknown() {
    let head = [("content-type", "application/grpc")];
    for frames in [vec![], vec![Frame::data(Bytes::from_static(b"x"))], vec![trailers("99")], vec![trailers("ok")]] {
        let requests = answered(&head, frames);
        assert_eq!(outcome(requests.one()), (Event::Failed, Some("UNKNOWN".to_owned())));
    }
}

#[test]
fn a_status_in_the_head_is_the_whole_answer() {
    let requests = answered(&[("content-type", "application/grpc"), ("grpc-status", "5")], vec![]);
    assert_eq!(outcome(requests.one()), (Event::Completed, Some("NOT_FOUND".to_owned())));
}

#[test]
fn grpc_web_and_other_types_are_plain_answers() {
    for of in ["application/grpc-web+proto", "application/grpcx", "application/json"] {
        let requests = answered(&[("content-type", of)], vec![Frame::data(Bytes::from_static(b"x"))]);
        assert_eq!(outcome(requests.one()), (Event::Completed, None), "{of}");
    }
}

#[test]
fn a_call_that_is_left_in_the_middle_is_cancelled() {
    let service = ServiceBuilder::new().layer(TraceLayer::new()).service_fn(async |_: Request<Incoming>| {
        let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"\0\0\0\0\x01x"))]);
        let mut response = Response::new(Body::from_stream(first.chain(stream::pending())));
        response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
        Ok::<_, Infallible>(response)
    });
    let ((), requests) = served(service, async |server| {
        let mut connection = server.http2().await;
        let mut response = connection.sender.send_request(server.request("POST", "/a.B/C")).await.expect("a head");
        response.body_mut().frame().await.expect("a frame").expect("a message");
        drop(response);
        connection.abort().await;
    });
    assert_eq!(outcome(requests.one()), (Event::Cancelled, None));
}

#[test]
fn a_status_of_grpc_web_is_read_where_it_is_in_the_head() {
    for of in ["application/grpc-web", "application/grpc-web+proto", "application/grpc-web-text+proto"] {
        let requests = answered(&[("content-type", of), ("grpc-status", "13")], vec![]);
        assert_eq!(outcome(requests.one()), (Event::Failed, Some("INTERNAL".to_owned())), "{of}");
        assert_eq!(requests.one().message(), "http_response_sent");
        let requests = answered(&[("content-type", of), ("grpc-status", "5")], vec![]);
        assert_eq!(outcome(requests.one()), (Event::Completed, Some("NOT_FOUND".to_owned())), "{of}");
    }
    let requests = answered(&[("content-type", "application/json"), ("grpc-status", "13")], vec![]);
    assert_eq!(outcome(requests.one()), (Event::Completed, None));
}
