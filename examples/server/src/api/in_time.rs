//! Limits the time of a small request.

use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;

/// The longest time until a request is answered, unless it sends files. The answer of a stream
/// begins at once, so streams may last longer.
const TIME: Duration = Duration::from_secs(30);

/// Refuses a request that is not complete in time.
pub(super) async fn check(request: Request, next: Next) -> Response {
    tokio::time::timeout(TIME, next.run(request)).await.unwrap_or_else(|_elapsed| {
        Problem::new(StatusCode::REQUEST_TIMEOUT, "the request does not come to its end; send it again").into_response()
    })
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, Bytes};
    use axum::middleware::from_fn;
    use axum::routing::post;
    use futures_util::stream;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_end_is_refused() {
        let router = Router::new().route("/", post(|_: Bytes| async {})).layer(from_fn(check));
        let body = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let request = Request::post("/").body(body).expect("a request");
        let response = router.oneshot(request).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
    }
}
