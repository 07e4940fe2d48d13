//! The viewer's own files: scripts, styles and the icon.
//!
//! They are part of the binary. Their addresses contain a hash of all of them, so a browser may
//! keep them for ever, and loads all anew after an upgrade. Modules import each other by relative
//! addresses, which stay below the same hash.

use std::fmt::Write;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

use super::problem::Problem;
use super::viewer::Viewer;

/// The style sheets of every page.
pub(super) const STYLES: [&str; 4] = ["colours.css", "base.css", "controls.css", "table.css"];
/// The scripts of every page.
pub(super) const SCRIPTS: [&str; 1] = ["app.js"];

struct Asset {
    name: &'static str,
    text: &'static str,
}

/// Lists files of the folder `assets`.
macro_rules! assets {
    ($($name:literal),* $(,)?) => {
        &[$(Asset { name: $name, text: include_str!(concat!("assets/", $name)) }),*]
    };
}

const ASSETS: &[Asset] = assets![
    "api.js",
    "app.js",
    "base.css",
    "chart.css",
    "charts.js",
    "colours.css",
    "compare.css",
    "compare.js",
    "controls.css",
    "icon.svg",
    "keys.js",
    "live.css",
    "live.js",
    "parts.js",
    "rows.js",
    "sign_in.js",
    "stage.css",
    "table.css",
    "theme.js",
    "times.js",
    "token.js",
    "trace.css",
    "trace.js",
    "trace_copy.js",
    "trace_keys.js",
    "trace_live.js",
    "trace_neighbours.js",
    "trace_panel.js",
    "trace_score.js",
    "trace_stages.js",
    "trace_toolbar.js",
    "waterfall.css",
    "waterfall.js",
    "waterfall_dom.js",
    "waterfall_format.js",
    "waterfall_keys.js",
    "waterfall_minimap.js",
    "waterfall_model.js",
    "waterfall_row.js",
    "waterfall_scale.js",
    "waterfall_search.js",
];

/// The hash of all files, which is part of their addresses.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for asset in ASSETS {
        hash.update(asset.name);
        hash.update([0]);
        hash.update(asset.text);
        hash.update([0]);
    }
    hex(&hash.finalize()[..8])
});

/// Returns the address of a file.
pub(super) fn href(name: &str) -> String {
    format!("/assets/{}/{name}", *VERSION)
}

pub(super) fn routes() -> Router<Arc<Viewer>> {
    Router::new().route("/assets/{version}/{name}", get(answer))
}

async fn answer(Path((version, name)): Path<(String, String)>, headers: HeaderMap) -> Result<Response, Problem> {
    let asset = ASSETS.iter().find(|asset| asset.name == name);
    let asset = asset.ok_or_else(|| Problem::not_found("there is no such file"))?;
    // A page of another version of the program is still open in the browser, and gets what there
    // is now, but does not keep it.
    let keep = if version == *VERSION { "public, max-age=31536000, immutable" } else { "no-cache" };
    let tag = format!("\"{}\"", hex(&Sha256::digest(asset.text)[..8]));
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).unwrap_or_default();
    let is_known =
        known.split(',').map(|known| known.trim().trim_start_matches("W/")).any(|known| known == tag || known == "*");
    let common =
        [(header::ETAG, tag.as_str()), (header::CACHE_CONTROL, keep), (header::CONTENT_TYPE, media_type(asset.name))];
    if is_known {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    Ok((common, asset.text).into_response())
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_served() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/view/assets");
        let files = std::fs::read_dir(folder).expect("the folder");
        let files: BTreeSet<_> =
            files.map(|file| file.expect("a file").file_name().into_string().expect("UTF-8")).collect();
        let served: BTreeSet<_> = ASSETS.iter().map(|asset| asset.name.to_owned()).collect();
        assert_eq!(served, files);
    }

    #[test]
    fn a_module_imports_only_files_that_are_there() {
        for asset in ASSETS.iter().filter(|asset| media_type(asset.name).starts_with("text/javascript")) {
            for line in asset.text.lines().filter(|line| line.starts_with("import ") || line.starts_with("} from ")) {
                let Some((_, from)) = line.split_once("\"./") else { panic!("{}: {line}", asset.name) };
                let name = from.split('"').next().unwrap_or_default();
                assert!(ASSETS.iter().any(|asset| asset.name == name), "{} imports {name}", asset.name);
            }
        }
    }
}
