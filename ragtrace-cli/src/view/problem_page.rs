//! The page of a problem, and the one on which a visitor signs in.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{DOCTYPE, Markup, html};

use super::layout::{self, Head, keys, top};
use super::problem::Problem;
use super::theme::Theme;

/// Returns the page of a problem. It tells nothing about the store.
pub(super) fn respond(problem: &Problem, theme: Theme) -> Response {
    let title = problem.title();
    let is_sign_in = problem.status == StatusCode::UNAUTHORIZED;
    let is_refused = is_sign_in || problem.status == StatusCode::MISDIRECTED_REQUEST;
    let scripts: &[&str] = if is_sign_in { &["sign_in.js"] } else { &[] };
    let head = Head { title, theme, scripts, styles: &[] };
    layout::respond(html! {
        (DOCTYPE)
        html lang="en" data-theme=(theme.as_str()) {
            (head.markup(None))
            body {
                a.skip href="#main" { "Skip to the content" }
                @if !is_refused { (top(None, None)) }
                main #main.problem tabindex="-1" {
                    h1 { (title) }
                    @if is_sign_in { (sign_in(&problem.detail)) } @else {
                        p.detail { (sentence(&problem.detail)) }
                        @if let Some(advice) = problem.advice { p { (advice) } }
                        p.status { "Status " (problem.status.as_u16()) }
                    }
                }
                @if !is_refused { (keys(&[])) }
            }
        }
    })
}

fn sign_in(why: &str) -> Markup {
    html! {
        p.detail { (sentence(why)) }
        form #sign-in {
            label for="token" { "Token" }
            input #token type="password" name="token" autocomplete="current-password" required spellcheck="false";
            button type="submit" { "Sign in" }
            p #sign-in-message role="alert" {}
        }
        noscript { p { "Signing in needs JavaScript. A program sends the token as " code { "Authorization: Bearer" } "." } }
    }
}

/// Returns a fragment as a sentence.
fn sentence(fragment: &str) -> String {
    let mut rest = fragment.chars();
    let first = rest.next().into_iter().flat_map(char::to_uppercase);
    let end = if fragment.ends_with(['.', '!', '?']) { "" } else { "." };
    first.chain(rest).chain(end.chars()).collect()
}
