//! The stage of a request, named after its method and the route that matched it.
//!
//! All parts of a name come from a fixed set, so that callers cannot choose it: the patterns of
//! routes, and the known methods or `HTTP`. The number of routes is bounded, because each stays in
//! memory, and so is that of the names of a route, of which there are at most ten. Beyond the
//! bound, and where no route matched, the name is the method alone.

use http::request::Parts;
use ragtrace_core::__private::CatalogEntry;
use ragtrace_core::{intern_in, intern_listed};

use super::fields::{LONGEST_TEXT, known_method};
use super::settings::Settings;

/// Returns the route that matched a request: axum's, or the one that the application's closure
/// returns.
pub(super) fn of<'a>(settings: &Settings, parts: &'a Parts) -> Option<&'a str> {
    matched_path(parts).or_else(|| settings.route(parts)).filter(|route| !route.is_empty())
}

/// Returns the stage of a request.
pub(super) fn stage(settings: &Settings, parts: &Parts, route: Option<&str>) -> &'static CatalogEntry {
    let method = match known_method(&parts.method) {
        // OpenTelemetry names such requests in the same way.
        "_OTHER" => "HTTP",
        method => method,
    };
    route
        .map(|route| &route[..route.floor_char_boundary(LONGEST_TEXT)])
        .and_then(|route| with_name(method, route, |name| intern_in(route, name, &settings.template)))
        .unwrap_or_else(|| intern_listed(method, &settings.template))
}

/// Passes the name of a stage to `look`, without an allocation if the name has a usual length.
fn with_name<T>(method: &str, route: &str, look: impl FnOnce(&str) -> T) -> T {
    let mut name = [b' '; 128];
    let (start, end) = (method.len() + 1, method.len() + 1 + route.len());
    let is_short = end <= name.len();
    if is_short {
        name[..method.len()].copy_from_slice(method.as_bytes());
        name[start..end].copy_from_slice(route.as_bytes());
    }
    match str::from_utf8(&name[..end.min(name.len())]) {
        Ok(name) if is_short => look(name),
        _ => look(&[method, " ", route].concat()),
    }
}

#[cfg(feature = "axum")]
fn matched_path(parts: &Parts) -> Option<&str> {
    parts.extensions.get::<axum::extract::MatchedPath>().map(axum::extract::MatchedPath::as_str)
}

#[cfg(not(feature = "axum"))]
fn matched_path(_: &Parts) -> Option<&str> {
    None
}
