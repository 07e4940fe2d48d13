//! HTTP: a tower layer that makes each request a trace, and headers that carry a trace on.
//!
//! ```
//! use axum::{Router, routing::get};
//! use ragtrace::{http::TraceLayer, traced_stage};
//!
//! #[traced_stage(kind = retrieve, fields(query))]
//! async fn search(query: &str) -> Vec<String> {
//!     vec![query.to_owned()]
//! }
//!
//! let app: Router = Router::new()
//!     .route("/search/{query}", get(async |path: axum::extract::Path<String>| search(&path).await.concat()))
//!     .layer(TraceLayer::new().skip(|parts| parts.uri.path() == "/healthz"));
//! ```
//!
//! [`TraceLayer`] is for axum, hyper and tonic, and for whatever else is a
//! [`tower_service::Service`] of `http`'s requests. [`inject`] and [`Injector`] put the current
//! trace on outgoing requests, and [`extract`] reads it where no layer does.
//!
//! # A request
//!
//! A request is a stage of kind `pipeline`, the root of whatever stages run in it in this process.
//! It leaves two records:
//!
//! | message | when | level |
//! | --- | --- | --- |
//! | `http_request_received` | it came | info |
//! | `http_response_sent` | its answer has gone to its end | info; error (and the status of the run is failed) where the server is to blame |
//! | `http_request_failed` | the service returned an error, something panicked, or the answer's body broke or was shorter than its `Content-Length` | error |
//! | `http_request_cancelled` | its future or its answer's body was dropped before its end | warn |
//!
//! The server is to blame for a 5xx, and for gRPC's `UNKNOWN`, `DEADLINE_EXCEEDED`,
//! `UNIMPLEMENTED`, `INTERNAL`, `UNAVAILABLE` and `DATA_LOSS`, whose names are the error's type
//! then. A 4xx is the caller's affair and completes.
//!
//! **Name.** `METHOD route`, with the route that axum matched (feature `axum`), else the one that
//! [`TraceLayer::route`] gives; without any, the method alone. The path is in no name, since
//! whoever asks chooses it. A method that RFC 9110 and RFC 5789 do not define is named `HTTP`.
//! Names join the catalog ([`stages`](crate::stages)) as they come, of each route at most ten; past
//! 1,024 routes the method alone names a request, and the route is in its records all the same.
//!
//! **Fields.** `context` has OpenTelemetry's names: `http.request.method`, `http.route`,
//! `url.path`, `url.scheme`, `server.address`, `server.port`, `network.protocol.version`,
//! `user_agent.original`, `http.response.status_code`, and for gRPC `rpc.system.name`,
//! `rpc.method`, `rpc.status_code`. `metrics` has `duration_ms` to the end of the answer's body,
//! `head_ms` to its head, `http.request.body.size` as the request says it, and
//! `http.response.body.size`, the bytes that have gone. Queries, other headers and the caller's
//! address are recorded where the application asks for them, bodies never.
//!
//! **Context.** The service's call, the polls of its future and of its answer's body, and what
//! these drop run in the request's context:
//! [`RequestContext::current`](crate::RequestContext::current) is the request's there, and its span
//! is the parent of stages. Ids come from the headers as [`extract`] reads them, user and tenant
//! from [`TraceLayer::identify`]. Tasks that the service spawns have the context if it says so
//! ([`spawn`](crate::spawn)).
//!
//! **Answers** get `X-Trace-ID` and `Server-Timing`, which a page of another origin may read only
//! where the application answers other origins anyway. All of it also holds where no telemetry is
//! installed: ids are read and sent back, and the context is there, but nothing is recorded.
//!
//! # What it promises
//!
//! - A request has exactly one record of its start and one of its end, however it ends, also if a
//!   layer stands around another one: the outer one is the request's.
//! - The answer's body has its end when it says so, also if it says so when it is dropped, or at
//!   its trailers, or when as many bytes have gone as its length has, or when the message has no
//!   body at all (`HEAD`, 1xx, 204, 304, `CONNECT`). Whoever leaves a stream of events
//!   (`text/event-stream`) ends it, and nobody cancelled anything.
//! - The request, its body and the answer's body go through unchanged, with their length and
//!   trailers.
//! - No panic is caught: it fails the request and goes on.
//!
//! # What it does not
//!
//! - *Cancelled* claims no client. A future is dropped by a timeout outside of the layer, too, and
//!   over HTTP/1 a client that leaves while the request's body lies unread is not noticed: the
//!   handler runs on, and its answer is *sent*.
//! - tonic keeps its deadlines (`grpc-timeout`, `Server::timeout`) outside of its layers: a call
//!   that is too late is *cancelled*, and has no `rpc.status_code`, whatever status the client
//!   gets.
//! - *Sent* is what was handed to the server. What the network made of it nobody knows.
//! - An error of the service or of a body has its sources in the record if it is a `Box` or an
//!   `Arc` of `dyn Error`, or one of `std::io`, `http`, axum (feature `axum`) or anyhow (feature
//!   `anyhow`). Of another type it has its text alone: the bound is `Display`, since boxes are no
//!   `Error`. Inside of the layer, `map_err` into a box gives the sources.
//! - What runs after an upgrade (101, `CONNECT`) is not of the request's duration, and runs in a
//!   task of its own. Take the context along:
//!
//! ```
//! # use axum::{extract::WebSocketUpgrade, extract::ws::WebSocket, response::Response};
//! use ragtrace::RequestContext;
//!
//! async fn upgrade(socket: WebSocketUpgrade) -> Response {
//!     let context = RequestContext::current().unwrap_or_default();
//!     socket.on_upgrade(async move |socket| context.scope(chat(socket)).await)
//! }
//!
//! async fn chat(socket: WebSocket) { /* stages here are the request's */ }
//! ```
//!
//! # Where it goes
//!
//! `Router::layer` runs behind axum's routing, so that the route is known. Put it last, around the
//! other layers of the router: what runs outside of it (a timeout, a limit) is neither measured nor
//! recorded, and its answers have no trace. A layer that answers in the place of an error, or that
//! catches panics, belongs inside, so that its answer is what is recorded.
//!
//! ```
//! # use axum::{Router, middleware, extract::Request, response::Response, routing::get};
//! # use ragtrace::http::TraceLayer;
//! # async fn limit(request: Request, next: middleware::Next) -> Response { next.run(request).await }
//! let app: Router = Router::new()
//!     .route("/", get(async || "hello"))
//!     .layer(middleware::from_fn(limit))
//!     .layer(TraceLayer::new());
//! ```
//!
//! With hyper or tonic alone nobody matches routes; [`TraceLayer::route`] names them:
//!
//! ```
//! # use ragtrace::http::TraceLayer;
//! const GREETER: &str = "/greeter.Greeter/";
//!
//! let layer = TraceLayer::new().route(|parts| parts.uri.path().starts_with(GREETER).then_some(GREETER));
//! ```

mod body;
mod exchange;
mod failure;
mod fields;
mod future;
mod grpc;
mod headers;
mod identity;
mod inject;
mod layer;
mod request_fields;
mod route;
mod service;
mod settings;
mod text;

pub use body::ResponseBody;
pub use future::ResponseFuture;
pub use headers::extract;
pub use inject::{Injector, inject};
pub use layer::TraceLayer;
pub use service::Trace;
