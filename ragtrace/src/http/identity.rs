//! The context of a request: made from its headers, as far as they are trusted, and from the
//! application's closure.

use http::HeaderName;
use http::request::Parts;
use ragtrace_core::{RequestContext, guard};

use super::headers;
use super::settings::Settings;

static X_USER_ID: HeaderName = HeaderName::from_static("x-user-id");
/// The maximum length of a user id in a header, in bytes.
const LONGEST_ID: usize = 256;

/// Returns the context of a request.
pub(super) fn context(settings: &Settings, parts: &Parts) -> RequestContext {
    let is_public = settings.is_public(parts);
    let context = of_headers(settings, parts, is_public);
    let Some(identify) = &settings.identify else { return context };
    guard::contain(|| identify(parts, context)).unwrap_or_else(|payload| {
        guard::dispose(payload);
        // The closure took the context and has dropped it in its panic, so it is read again.
        of_headers(settings, parts, is_public)
    })
}

fn of_headers(settings: &Settings, parts: &Parts, is_public: bool) -> RequestContext {
    let mut context = headers::read(&parts.headers, is_public);
    if let Some(request_type) = &settings.request_type {
        context = context.with_request_type(&**request_type);
    }
    let user = if settings.trusts_user_header { user(parts) } else { None };
    match user {
        Some(user) => context.with_user_id(user),
        None => context,
    }
}

/// Returns the user id in the header, if it has one of printable characters.
fn user(parts: &Parts) -> Option<&str> {
    let mut values = parts.headers.get_all(&X_USER_ID).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let user = std::str::from_utf8(value.as_bytes()).ok()?.trim();
    ((1..=LONGEST_ID).contains(&user.len()) && !user.chars().any(char::is_control)).then_some(user)
}
