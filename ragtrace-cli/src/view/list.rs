//! Parts that all lists share: their JSON, the links to other pages, and the filters in use.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::params::Params;
use super::show;

/// The name of the parameter that holds the position at which a page begins.
pub(crate) const AFTER: &str = "after";

/// Answers with JSON documents as one array, as `ragtrace … --format json` writes it. The header
/// `Link` names the next page.
pub(crate) fn json(documents: impl Iterator<Item = String>, next: Option<&str>) -> Response {
    let mut body = "[".to_owned();
    for (at, document) in documents.enumerate() {
        body.extend([if at == 0 { "" } else { ",\n " }, &document]);
    }
    body.push_str("]\n");
    let mut response = document(body);
    if let Some(link) = next.and_then(|next| HeaderValue::from_str(&format!("<{next}>; rel=\"next\"")).ok()) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// Answers with one JSON document.
pub(crate) fn document(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Returns the links below a list: back to its first page, the next page, and the same as JSON.
pub(crate) fn pager(params: &Params, path: &str, shown: usize, next: Option<&str>) -> Markup {
    let is_later = params.get(AFTER).is_some();
    let json = params.with("format", Some("json")).href(path);
    html! {
        div.pager {
            @if is_later { a rel="prev" href=(params.with(AFTER, None).href(path)) { "← Newest" } }
            span { (show::count(shown as u64)) @if shown == 1 { " row" } @else { " rows" } }
            @if let Some(next) = next { a rel="next" href=(next) { "Older →" } }
            a href=(json) { "JSON" }
        }
    }
}

/// Returns the filters in use, each with a link that removes it.
pub(crate) fn chips(params: &Params, path: &str, hidden: &[&str]) -> Markup {
    let mut used = params.iter().filter(|(name, _)| *name != AFTER && !hidden.contains(name)).peekable();
    if used.peek().is_none() {
        return html! {};
    }
    html! {
        ul.chips aria-label="Filters in use" {
            @for (name, value) in used {
                li {
                    span { (show::short(name, 24)) ": " b { (show::short(value, 80)) } }
                    a href=(params.without(&[name, AFTER]).href(path)) aria-label={ "Remove the filter " (show::short(name, 24)) } { "×" }
                }
            }
            li.all { a href=(path) { "Clear all" } }
        }
    }
}

/// Returns a recorded value that links to the list narrowed to it.
pub(crate) fn only(params: &Params, path: &str, (name, value): (&str, &str), most: usize) -> Markup {
    let shown = show::short(value, most);
    if params.get(name) == Some(value) || value.len() > 1_024 {
        return html! { (show::text(value, most)) };
    }
    let href = params.without(&[AFTER]).with(name, Some(value)).href(path);
    html! { a.only href=(href) title={ "Only " (name) " " (show::short(value, 200)) } { (shown) } }
}
