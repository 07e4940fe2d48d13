//! The stage of a request: its method and the route that matched it.
//!
//! A name is of what the program's text lists: a route's pattern and one of the methods that are
//! known, among which whoever asks chooses, or `HTTP`. Routes have a bound, since each stays in
//! memory, and so have their names, of which a route has ten at most; past it, as where no route
//! matched, the name is the method alone.

use http::request::Parts;
use ragtrace_core::__private::CatalogEntry;
use ragtrace_core::{intern_in, intern_listed};

use super::fields::{LONGEST_TEXT, known_method};
use super::settings::Settings;

/// Returns the route that matched a request: that of axum, else that of the application's own
/// router.
pub(super) fn of<'a>(settings: &Settings, parts: &'a Parts) -> Option<&'a str> {
    matched_path(parts).or_else(|| settings.route(parts)).filter(|route| !route.is_empty())
}

/// Returns the stage of a request.
pub(super) fn stage(settings: &Settings, parts: &Parts, route: Option<&str>) -> &'static CatalogEntry {
    let method = match known_method(&parts.method) {
        // As OpenTelemetry names such requests.
        "_OTHER" => "HTTP",
        method => method,
    };
    route
        .map(|route| &route[..route.floor_char_boundary(LONGEST_TEXT)])
        .and_then(|route| with_name(method, route, |name| intern_in(route, name, &settings.template)))
        .unwrap_or_else(|| intern_listed(method, &settings.template))
}

/// Hands over a stage's name, without an allocation where it is of usual length.
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
