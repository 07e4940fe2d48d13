//! A service with axum: a trace for each request, and a shutdown that loses nothing.

use std::fmt;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{get, post};
use ragtrace::http::TraceLayer;
use ragtrace::traced_stage;
use ragtrace_sinks::SqliteSink;

/// The time that open requests have to end after the signal. Docker kills a process 10 s after the
/// signal, and Kubernetes 30 s, and the telemetry has to be delivered by then.
const GRACE: Duration = Duration::from_secs(5);

/// Answers a question. The stages that it calls are children of the request's own stage, and have
/// its ids and its user.
async fn ask(Path(collection): Path<String>, question: String) -> Result<String, (StatusCode, String)> {
    let hits = search(&collection, &question, 3).await.map_err(|error| (error.status(), format!("{error}\n")))?;
    Ok(generate(&question, &hits).await)
}

#[traced_stage("retrieval", kind = retrieve, fields(collection, top_k))]
async fn search(collection: &str, question: &str, top_k: usize) -> Result<Vec<String>, SearchError> {
    match collection {
        "manuals" => Ok(question.split(' ').take(top_k).map(|word| format!("a page about {word}")).collect()),
        "archive" => Err(SearchError::Unavailable),
        _ => Err(SearchError::Unknown),
    }
}

#[traced_stage("answer", kind = generate, fields(model = "echo", input_count = hits.len()))]
async fn generate(question: &str, hits: &[String]) -> String {
    format!("{question}? See {}.\n", hits.join(" and "))
}

#[derive(Debug)]
enum SearchError {
    Unknown,
    Unavailable,
}

impl SearchError {
    /// Returns the status of the response. A status of 4xx is an error of the caller, and the
    /// request completes; one of 5xx fails the request.
    fn status(&self) -> StatusCode {
        match self {
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl fmt::Display for SearchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "there is no such collection",
            Self::Unavailable => "the index is down",
        })
    }
}

impl std::error::Error for SearchError {}

/// Returns the user whose token the request has. A token can be verified, while anybody can send
/// `X-User-ID`.
fn user_of(headers: &HeaderMap) -> Option<&'static str> {
    match headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")? {
        "token-of-alice" => Some("alice"),
        _ => None,
    }
}

async fn serve(address: &str) -> io::Result<()> {
    let trace = TraceLayer::new()
        .request_type("ask")
        .identify(|parts, context| match user_of(&parts.headers) {
            Some(user) => context.with_user_id(user),
            None => context,
        })
        // A load balancer calls this route every second.
        .skip(|parts| parts.uri.path() == "/healthz");
    let routes = Router::new()
        .route("/collections/{collection}/ask", post(ask))
        .route("/healthz", get(async || "well\n"))
        // The layer is added after the routes, so that it knows the matched route, which names the
        // request's stage.
        .layer(trace);
    let listener = tokio::net::TcpListener::bind(address).await?;
    eprintln!("listening on http://{}", listener.local_addr()?);
    let requests = axum::serve(listener, routes).with_graceful_shutdown(stop_signal());
    // A client that never finishes its request would keep the server from ending.
    let too_long = async {
        stop_signal().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = requests => served,
        () = too_long => Ok(()),
    }
}

/// Waits for Ctrl-C, or for SIGTERM, with which systemd, Docker and Kubernetes stop a service.
async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => (),
                _ = terminate.recv() => (),
            }
            return;
        }
    }
    // If the signal cannot be received, the server runs until the process is killed.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telemetry = ragtrace::builder().service("rag-api").sink(SqliteSink::new("ragtrace.db")).from_env().install()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let outcome = runtime.block_on(serve(&address));
    // The runtime is dropped first, so that requests that this cancels are recorded too.
    drop(runtime);
    eprintln!("{}", telemetry.shutdown_blocking(Duration::from_secs(4)));
    Ok(outcome?)
}
