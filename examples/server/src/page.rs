//! The web page, whose files are part of the program.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::app::App;

/// A file of the page.
struct Asset {
    path: &'static str,
    media_type: &'static str,
    bytes: &'static [u8],
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Creates the asset of a file in the folder `page`.
macro_rules! asset {
    ($media_type:expr, $file:literal) => {
        asset!($media_type, $file, concat!("/assets/", $file))
    };
    ($media_type:expr, $file:literal, $path:expr) => {
        Asset { path: $path, media_type: $media_type, bytes: include_bytes!(concat!("page/", $file)) }
    };
}

const ASSETS: [Asset; 22] = [
    asset!(HTML, "index.html", "/"),
    asset!(CSS, "style.css"),
    asset!(SVG, "icon.svg"),
    asset!(SCRIPT, "api.js"),
    asset!(SCRIPT, "app.js"),
    asset!(SCRIPT, "ask.js"),
    asset!(SCRIPT, "batch.js"),
    asset!(SCRIPT, "document_row.js"),
    asset!(SCRIPT, "document_spans.js"),
    asset!(SCRIPT, "documents.js"),
    asset!(SCRIPT, "dom.js"),
    asset!(SCRIPT, "feedback.js"),
    asset!(SCRIPT, "format.js"),
    asset!(SCRIPT, "live.js"),
    asset!(SCRIPT, "logs.js"),
    asset!(SCRIPT, "passage.js"),
    asset!(SCRIPT, "session.js"),
    asset!(SCRIPT, "sse.js"),
    asset!(SCRIPT, "streamed_text.js"),
    asset!(SCRIPT, "trace.js"),
    asset!(SCRIPT, "trace_view.js"),
    asset!(SCRIPT, "waterfall.js"),
];

/// Allows only what the service itself serves, and no scripts or styles inside the page, so that
/// text from a document or an answer stays text.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Returns a route for each file.
pub(crate) fn routes() -> Router<Arc<App>> {
    ASSETS.iter().fold(Router::new(), |router, asset| {
        let tag = tag(asset.bytes);
        router.route(asset.path, get(move |headers: HeaderMap| async move { answer(asset, &tag, &headers) }))
    })
}

/// Returns a file, or 304 if the browser has it already. A file only changes with the program.
fn answer(asset: &'static Asset, tag: &str, headers: &HeaderMap) -> Response {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).unwrap_or_default();
    let is_known = known.split(',').any(|known| known.trim().trim_start_matches("W/") == tag);
    let common = [
        (header::ETAG, tag),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_TYPE, asset.media_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    if is_known { (StatusCode::NOT_MODIFIED, common).into_response() } else { (common, asset.bytes).into_response() }
}

fn tag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

/// Adds the headers that every answer has.
pub(crate) async fn with_common_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_the_page_is_served() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/page");
        let files = std::fs::read_dir(folder).expect("the folder of the page");
        let mut files: Vec<_> =
            files.map(|file| file.expect("a file").file_name().into_string().expect("UTF-8")).collect();
        let served = ASSETS.iter().map(|asset| asset.path.rsplit('/').next().filter(|name| !name.is_empty()));
        let mut served: Vec<_> = served.map(|name| name.unwrap_or("index.html").to_owned()).collect();
        files.sort();
        served.sort();
        assert_eq!(served, files);
    }
}
