//! A service: axum, a trace for each request, and nothing lost when it ends.

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

/// How long requests have to end after the signal. Supervisors kill what is there 10 s after it
/// (Docker) or 30 s (Kubernetes), and the telemetry is to be delivered by then.
const GRACE: Duration = Duration::from_secs(5);

/// The stages of a request are children of the request's own, and have its ids and its user.
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
    /// An answer of the 400s is the caller's doing: the request completes. One of the 500s fails
    /// it.
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

/// Returns the user whose token a request has. Anybody can send `X-User-ID`; a token is verified.
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
        // A load balancer asks every second.
        .skip(|parts| parts.uri.path() == "/healthz");
    let routes = Router::new()
        .route("/collections/{collection}/ask", post(ask))
        .route("/healthz", get(async || "well\n"))
        // Behind the routes, so that the layer knows which one was matched: it names the request's
        // stage.
        .layer(trace);
    let listener = tokio::net::TcpListener::bind(address).await?;
    eprintln!("listening on http://{}", listener.local_addr()?);
    let requests = axum::serve(listener, routes).with_graceful_shutdown(stop_signal());
    // A client that never finishes its request would be waited for for ever.
    let too_long = async {
        stop_signal().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = requests => served,
        () = too_long => Ok(()),
    }
}

/// Waits for Ctrl-C, or for SIGTERM, by which systemd, Docker and Kubernetes stop a service.
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
    // Without the signal there is nothing to wait for but the end of the process.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telemetry = ragtrace::builder().service("rag-api").sink(SqliteSink::new("ragtrace.db")).from_env().install()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let outcome = runtime.block_on(serve(&address));
    // The runtime goes first: requests that it cancels are recorded too.
    drop(runtime);
    eprintln!("{}", telemetry.shutdown_blocking(Duration::from_secs(4)));
    Ok(outcome?)
}
