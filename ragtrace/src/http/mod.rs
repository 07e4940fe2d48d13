//! HTTP: a tower layer that makes each request a trace, and headers that carry a trace to other
//! services.
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
//! [`TraceLayer`] works with axum, hyper, tonic and any other [`tower_service::Service`] that takes
//! requests of the crate `http`. [`inject`] and [`Injector`] set the headers that carry the current
//! trace on outgoing requests, and [`extract`] reads them where there is no layer.
//!
//! # Requests
//!
//! A request is a stage of kind `pipeline`, and the root of all stages that run in it in this
//! process. It leaves two records:
//!
//! | message | when | level |
//! | --- | --- | --- |
//! | `http_request_received` | the request arrived | info |
//! | `http_response_sent` | the response was sent to its end | info; error if the response is an error of the server, which makes the run a failed one |
//! | `http_request_failed` | the service returned an error, the service panicked, or the response's body failed or was shorter than its `Content-Length` | error |
//! | `http_request_cancelled` | the service's future or the response's body was dropped before its end | warn |
//!
//! Errors of the server are the 5xx statuses, and gRPC's `UNKNOWN`, `DEADLINE_EXCEEDED`,
//! `UNIMPLEMENTED`, `INTERNAL`, `UNAVAILABLE` and `DATA_LOSS`, whose names become the error's type.
//! A 4xx status is an error of the caller, and the request completes.
//!
//! **Name.** `METHOD route`, with the route that axum matched (feature `axum`) or that
//! [`TraceLayer::route`] returns; without a route, only the method. The path is never part of the
//! name, because callers choose it. A method that neither RFC 9110 nor RFC 5789 defines is named
//! `HTTP`. The names are added to the catalog ([`stages`](crate::stages)) as requests arrive, at
//! most ten for each route. After 1,024 routes, further requests are named by the method alone;
//! their records still contain the route.
//!
//! **Fields.** `context` has OpenTelemetry's names: `http.request.method`, `http.route`,
//! `url.path`, `url.scheme`, `server.address`, `server.port`, `network.protocol.version`,
//! `user_agent.original`, `http.response.status_code`, and for gRPC `rpc.system.name`,
//! `rpc.method`, `rpc.status_code`. `metrics` has `duration_ms` until the end of the response's
//! body, `head_ms` until the response's head, `http.request.body.size` as given by the request, and
//! `http.response.body.size`, the number of bytes sent. Queries, other headers and the client's
//! address are recorded only if the application asks for them, and bodies never.
//!
//! **Context.** The service's call, the polls of its future and of the response's body, and their
//! drops run in the request's context: [`RequestContext::current`](crate::RequestContext::current)
//! returns it there, and the request's span is the parent of stages. The ids come from the headers
//! as [`extract`] reads them, and user and tenant from [`TraceLayer::identify`]. Tasks that the
//! service spawns have the context only if it is passed to them ([`spawn`](crate::spawn)).
//!
//! **Responses** get the headers `X-Trace-ID` and `Server-Timing`, which a page of another origin
//! may read only if the application allows that origin. Ids are read and returned, and the context
//! is set, even if no telemetry is installed; then nothing is recorded.
//!
//! # Guarantees
//!
//! - A request has exactly one start record and one end record, however it ends, and also if two
//!   layers wrap the service: the outer one records the request.
//! - The response's body is complete when it reports its end, even if it does so only when it is
//!   dropped; after its trailers; when as many bytes were sent as its length says; or at once if
//!   the message has no body (`HEAD`, 1xx, 204, 304, `CONNECT`). A client that leaves a stream of
//!   events (`text/event-stream`) ends it without cancelling the request.
//! - The request, its body and the response's body pass through unchanged, with their length and
//!   trailers.
//! - A panic fails the request, and then continues as without the layer.
//!
//! # Limits
//!
//! - *Cancelled* does not always mean that the client left. A timeout outside of the layer drops
//!   the future too. Over HTTP/1, a client that leaves while its request's body is unread is not
//!   noticed: the handler runs to its end, and the response counts as *sent*.
//! - tonic enforces its deadlines (`grpc-timeout`, `Server::timeout`) outside of its layers: a call
//!   that exceeds one is *cancelled* and has no `rpc.status_code`, whatever status the client gets.
//! - *Sent* means that the response was handed to the server. Whether it reached the client is not
//!   known.
//! - The record of an error has its sources if the error is a `Box` or an `Arc` of `dyn Error`, or
//!   a type of `std::io`, `http`, axum (feature `axum`) or anyhow (feature `anyhow`). Of other
//!   types only the text is recorded, because the bound is `Display`: boxed errors do not implement
//!   `Error`. To record the sources, convert the error into a box with `map_err` inside of the
//!   layer.
//! - Code that runs after an upgrade (101, `CONNECT`) is not part of the request's duration, and
//!   runs in a task of its own. Pass the context to it:
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
//! # Order of layers
//!
//! A layer that is added with `Router::layer` runs after axum's routing, so the route is known. Add
//! the layer last, so that it is around the other layers of the router: layers outside of it (a
//! timeout, a limit) are neither measured nor recorded, and their responses have no trace. Layers
//! that turn errors into responses, or that catch panics, belong inside, so that their response is
//! recorded.
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
//! hyper and tonic do not match routes; there, [`TraceLayer::route`] names them:
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
