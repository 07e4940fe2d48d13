//! The client: sends a request of each kind, and leaves early if the kind says so.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use ragtrace::{SpanId, TraceId};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};

use crate::kind::Kind;
use crate::service::{Begun, Service};

type Body = BoxBody<Bytes, Infallible>;

/// Returns the trace that a request claims to belong to.
pub(crate) fn trace_of(number: u32) -> TraceId {
    format!("{:032x}", 0x0af7_6519_16cd_43dd_0000_0000_0000_0000_u128 + u128::from(number)).parse().expect("an id")
}

/// Returns the span that a request claims to be sent by.
pub(crate) fn span_of(number: u32) -> SpanId {
    format!("{:016x}", 0xb7ad_6b71_0000_0000_u64 + u64::from(number)).parse().expect("an id")
}

/// Returns the id of a request.
pub(crate) fn request_of(number: u32) -> String {
    format!("request-{number}")
}

fn traceparent_of(number: u32) -> String {
    format!("00-{}-{}-01", trace_of(number).to_string().replace('-', ""), span_of(number))
}

/// A client with one connection of HTTP/2, one for gRPC, and one of HTTP/1 per request.
pub(crate) struct Client {
    address: SocketAddr,
    begun: Begun,
    http2: http2::SendRequest<Body>,
    channel: Channel,
}

impl Client {
    pub(crate) async fn connect(service: &Service) -> Self {
        let stream = TcpStream::connect(service.address).await.expect("the service listens");
        let (http2, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("it speaks HTTP/2");
        tokio::spawn(connection);
        let endpoint = Endpoint::from_shared(format!("http://{}", service.address)).expect("a valid address");
        let channel = endpoint.connect().await.expect("it speaks gRPC");
        Self { address: service.address, begun: service.begun.clone(), http2, channel }
    }

    /// Sends the request `number`, and returns when the client is done with it.
    ///
    /// # Panics
    ///
    /// Panics if the answer is not one of that kind.
    pub(crate) async fn send(&self, kind: Kind, number: u32) {
        match kind {
            Kind::Text => self.expect_body(kind, number, &format!("the text of {number}")).await,
            Kind::Streamed | Kind::StreamedWithLength => self.expect_body(kind, number, &"x".repeat(5_120)).await,
            Kind::Upload => self.expect_body(kind, number, &upload_of(number)).await,
            Kind::Head => self.expect_status(kind, number, StatusCode::OK).await,
            Kind::Empty => self.expect_status(kind, number, StatusCode::NO_CONTENT).await,
            Kind::NotModified => self.expect_status(kind, number, StatusCode::NOT_MODIFIED).await,
            Kind::ServerError => self.expect_status(kind, number, StatusCode::INTERNAL_SERVER_ERROR).await,
            Kind::NotFound => self.expect_status(kind, number, StatusCode::NOT_FOUND).await,
            Kind::WrongMethod => self.expect_status(kind, number, StatusCode::METHOD_NOT_ALLOWED).await,
            Kind::Panic => self.expect_no_answer(kind, number).await,
            Kind::BodyError => self.expect_broken_body(kind, number).await,
            Kind::UploadCutOff | Kind::LeftBeforeHead => self.leave_before_head(kind, number).await,
            Kind::DownloadLeft | Kind::EventsLeft => self.leave_body(kind, number).await,
            Kind::Http2Text => self.expect_http2(kind, number, &format!("the text of {number}")).await,
            Kind::Http2Head => self.expect_http2(kind, number, "").await,
            Kind::Http2Streamed => self.expect_http2(kind, number, &"x".repeat(5_120)).await,
            Kind::Http2Upload => self.expect_http2(kind, number, &upload_of(number)).await,
            Kind::Http2Reset => self.reset_body(kind, number).await,
            Kind::Http2ResetBeforeHead => self.reset_before_head(kind, number).await,
            Kind::Grpc => self.call(number, "fine", None).await,
            Kind::GrpcRefused => self.call(number, "refused", Some(tonic::Code::InvalidArgument)).await,
            Kind::GrpcUnavailable => self.call(number, "unavailable", Some(tonic::Code::Unavailable)).await,
        }
    }

    /// Sends a request over a new connection. Ending the task makes the client leave.
    async fn start(
        &self,
        kind: Kind,
        number: u32,
    ) -> (impl Future<Output = hyper::Result<Response<Incoming>>>, JoinHandle<()>) {
        let stream = TcpStream::connect(self.address).await.expect("the service listens");
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("it speaks HTTP/1");
        let connection = tokio::spawn(async move {
            // Some kinds end the connection with an error, and check the request's error instead.
            let _ = connection.await;
        });
        let request = request(kind, number);
        (async move { sender.send_request(request).await }, connection)
    }

    async fn expect_body(&self, kind: Kind, number: u32, expected: &str) {
        let (answer, _connection) = self.start(kind, number).await;
        let answer = answer.await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{kind:?} {number}");
        assert_eq!(text_of(answer).await, expected, "{kind:?} {number}");
    }

    async fn expect_status(&self, kind: Kind, number: u32, status: StatusCode) {
        let (answer, _connection) = self.start(kind, number).await;
        let answer = answer.await.expect("an answer");
        assert_eq!(answer.status(), status, "{kind:?} {number}");
        assert_eq!(text_of(answer).await, "", "{kind:?} {number}");
    }

    async fn expect_no_answer(&self, kind: Kind, number: u32) {
        let (answer, _connection) = self.start(kind, number).await;
        answer.await.expect_err("a panic ends the connection");
    }

    async fn expect_broken_body(&self, kind: Kind, number: u32) {
        let (answer, _connection) = self.start(kind, number).await;
        // The head may be lost with the connection too.
        if let Ok(answer) = answer.await {
            answer.collect().await.expect_err("the body breaks off");
        }
    }

    /// Closes the connection after the handler has begun.
    async fn leave_before_head(&self, kind: Kind, number: u32) {
        let (answer, connection) = self.start(kind, number).await;
        tokio::select! {
            _ = answer => panic!("{kind:?} {number} is not answered"),
            () = self.begun[number as usize].notified() => connection.abort(),
        }
    }

    /// Closes the connection after the first part of the body.
    async fn leave_body(&self, kind: Kind, number: u32) {
        let (answer, connection) = self.start(kind, number).await;
        let mut answer = answer.await.expect("an answer");
        answer.frame().await.expect("a first part").expect("that arrives");
        connection.abort();
    }

    async fn start_http2(&self, kind: Kind, number: u32) -> hyper::Result<Response<Incoming>> {
        let mut sender = self.http2.clone();
        sender.ready().await?;
        sender.send_request(request(kind, number)).await
    }

    async fn expect_http2(&self, kind: Kind, number: u32, expected: &str) {
        let answer = self.start_http2(kind, number).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{kind:?} {number}");
        assert_eq!(text_of(answer).await, expected, "{kind:?} {number}");
    }

    /// Drops the answer after the first part of the body, which resets the stream.
    async fn reset_body(&self, kind: Kind, number: u32) {
        let mut answer = self.start_http2(kind, number).await.expect("an answer");
        answer.frame().await.expect("a first part").expect("that arrives");
    }

    async fn reset_before_head(&self, kind: Kind, number: u32) {
        tokio::select! {
            _ = self.start_http2(kind, number) => panic!("{kind:?} {number} is not answered"),
            () = self.begun[number as usize].notified() => {}
        }
    }

    async fn call(&self, number: u32, answer: &str, expected: Option<tonic::Code>) {
        let mut call = tonic::Request::new(ExportTraceServiceRequest::default());
        let mut set = |name: &'static str, value: String| {
            call.metadata_mut().insert(name, value.parse().expect("plain text"));
        };
        set("number", number.to_string());
        set("answer", answer.to_owned());
        set("traceparent", traceparent_of(number));
        set("x-request-id", request_of(number));
        let outcome = TraceServiceClient::new(self.channel.clone()).export(call).await;
        assert_eq!(outcome.err().map(|status| status.code()), expected, "call {number}");
    }
}

fn upload_of(number: u32) -> String {
    format!("what {number} uploads; ").repeat(100)
}

/// Returns a request of a kind, in a trace of its own.
fn request(kind: Kind, number: u32) -> Request<Body> {
    let (method, route) = kind.stage().split_once(' ').unwrap_or((kind.stage(), "/nowhere/{number}"));
    let path = route.replace("{number}", &number.to_string());
    let body = match kind {
        Kind::Upload | Kind::Http2Upload => Full::new(Bytes::from(upload_of(number))).boxed(),
        Kind::UploadCutOff => {
            let half = stream::iter([Ok(Frame::data(Bytes::from_static(b"the first half, and")))]);
            BodyExt::boxed(StreamBody::new(half.chain(stream::pending())))
        }
        _ => Empty::new().boxed(),
    };
    Request::builder()
        .method(Method::from_bytes(method.as_bytes()).expect("a method"))
        // HTTP/2 has the authority here, and HTTP/1 accepts it too.
        .uri(format!("http://localhost{path}"))
        .header("host", "localhost")
        .header("traceparent", traceparent_of(number))
        .header("x-request-id", request_of(number))
        .body(body)
        .expect("a valid request")
}

async fn text_of(answer: Response<Incoming>) -> String {
    let bytes = answer.collect().await.expect("a whole body").to_bytes();
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}
