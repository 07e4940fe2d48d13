//! Visitors: who they are, what they read, and what they may do.
//!
//! Without tokens everybody who can connect is the same visitor. With tokens a visitor is known by
//! a cookie, which holds a random id and is given for a token, or by the token itself in
//! `Authorization: Bearer`, for programs. Sessions are in memory: they end with the viewer, after
//! half a day, or by signing out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use ragtrace_store::LogStore;

use super::Viewer;
use super::problem::{Problem, wants_json};
use super::tokens::{Hash, Tokens, random};

/// The life of a session.
pub(super) const LIFE: Duration = Duration::from_hours(12);
/// The largest number of sessions. The oldest ends in favour of a new one.
const SESSIONS: usize = 10_000;
/// The header in which a page repeats its token, which a page of another site does not know.
const CSRF: &str = "x-csrf-token";
/// The cookie that holds the choice of light or dark, which is not a secret.
const THEME: &str = "ragtrace_theme";

/// A visitor's session, and the store as the visitor reads it.
#[derive(Clone)]
pub(crate) struct Session {
    visitor: Visitor,
    store: LogStore,
    may_write: bool,
    source_url: Option<Arc<str>>,
    theme: Theme,
    wants_json: bool,
}

impl Session {
    /// Returns the store as this visitor reads it.
    pub(crate) fn store(&self) -> &LogStore {
        &self.store
    }

    /// Returns `true` if the visitor may add scores.
    pub(crate) fn may_write(&self) -> bool {
        self.may_write
    }

    /// Returns the token that the page has to send with a request that writes.
    pub(crate) fn csrf(&self) -> Option<&str> {
        self.visitor.csrf.as_deref()
    }

    /// Returns the PostgreSQL role that limits the visitor.
    pub(crate) fn role(&self) -> Option<&str> {
        self.visitor.role.as_deref()
    }

    /// Returns `true` if the visitor has signed in with a token and can sign out.
    pub(crate) fn is_signed_in(&self) -> bool {
        self.visitor.is_signed_in
    }

    /// Returns the pattern of links to source lines.
    pub(super) fn source_url(&self) -> Option<&str> {
        self.source_url.as_deref()
    }

    pub(crate) fn theme(&self) -> Theme {
        self.theme
    }

    /// Returns `true` if the request is for JSON: its path ends in `.json`, or it says so.
    pub(crate) fn wants_json(&self) -> bool {
        self.wants_json
    }
}

/// A visitor, without the store.
#[derive(Clone)]
pub(super) struct Visitor {
    pub(super) role: Option<Arc<str>>,
    /// `None` for a program with a token: no page can send that token.
    csrf: Option<Arc<str>>,
    is_signed_in: bool,
}

/// The sessions, and the tokens that begin them.
pub(super) struct Sessions {
    /// `None` if everybody may read.
    tokens: Option<Tokens>,
    cookie: String,
    /// The token of every page, if there are no sessions.
    csrf: Arc<str>,
    open: Mutex<HashMap<Hash, Open>>,
}

#[derive(Clone)]
struct Open {
    visitor: Visitor,
    begun: Instant,
}

impl Sessions {
    /// Creates the sessions of a viewer at a port.
    pub(super) fn new(tokens: Option<Tokens>, port: u16) -> Self {
        // Without randomness the page's token is empty, which no header can repeat.
        let csrf = random().unwrap_or_default().into();
        Self { tokens, cookie: format!("ragtrace_{port}"), csrf, open: Mutex::default() }
    }

    /// Returns the roles of all tokens.
    pub(super) fn roles(&self) -> Vec<Arc<str>> {
        self.tokens.as_ref().map(Tokens::roles).unwrap_or_default()
    }

    /// Begins a session for a token, and returns the value of `Set-Cookie`, or `None` if the token
    /// is not known.
    pub(super) fn begin(&self, token: &str) -> Result<Option<String>, getrandom::Error> {
        let Some(role) = self.tokens.as_ref().and_then(|tokens| tokens.role_of(token)) else { return Ok(None) };
        let (id, csrf) = (random()?, random()?);
        let visitor = Visitor { role, csrf: Some(csrf.into()), is_signed_in: true };
        let mut open = self.lock();
        open.retain(|_, open| open.begun.elapsed() < LIFE);
        if open.len() >= SESSIONS {
            let oldest = open.iter().max_by_key(|(_, open)| open.begun.elapsed()).map(|(id, _)| *id);
            oldest.map(|id| open.remove(&id));
        }
        open.insert(Hash::of(&id), Open { visitor, begun: Instant::now() });
        Ok(Some(self.set_cookie(&id, LIFE.as_secs())))
    }

    /// Ends the session of a request, and returns the value of `Set-Cookie` that removes its cookie.
    pub(super) fn end(&self, headers: &HeaderMap) -> String {
        if let Some(id) = cookie(headers, &self.cookie) {
            self.lock().remove(&Hash::of(id));
        }
        self.set_cookie("", 0)
    }

    /// Returns the visitor that a request comes from.
    pub(super) fn visitor(&self, headers: &HeaderMap) -> Result<Visitor, Problem> {
        let Some(tokens) = &self.tokens else {
            return Ok(Visitor { role: None, csrf: Some(Arc::clone(&self.csrf)), is_signed_in: false });
        };
        if let Some(token) = bearer(headers) {
            let role = tokens.role_of(token).ok_or_else(|| unauthorized("the token is not known"))?;
            return Ok(Visitor { role, csrf: None, is_signed_in: false });
        }
        let Some(id) = cookie(headers, &self.cookie) else { return Err(unauthorized("a token is needed")) };
        let open = self.lock().get(&Hash::of(id)).cloned();
        let open = open.filter(|open| open.begun.elapsed() < LIFE);
        open.map(|open| open.visitor).ok_or_else(|| unauthorized("the session has ended: a token is needed"))
    }

    fn set_cookie(&self, id: &str, seconds: u64) -> String {
        format!("{}={id}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict", self.cookie)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Hash, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Visitor {
    /// Checks the token that a page sends with a request that writes.
    pub(super) fn check_csrf(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let Some(expected) = &self.csrf else { return Ok(()) };
        let given = headers.get(CSRF).and_then(|token| token.to_str().ok()).unwrap_or_default();
        if !given.is_empty() && Hash::of(given).is(&Hash::of(expected)) {
            return Ok(());
        }
        Err(Problem::new(StatusCode::FORBIDDEN, "the request has no valid `X-CSRF-Token`")
            .advice("Reload the page and try again."))
    }
}

fn unauthorized(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, detail)
}

/// Returns the token of `Authorization: Bearer`, or an empty one if the header is of another kind.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().unwrap_or_default();
    let is_bearer = value.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer "));
    Some(if is_bearer { value[7..].trim() } else { "" })
}

/// Returns the value of a cookie.
fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|all| all.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(given, _)| *given == name).map(|(_, value)| value)
}

/// The colours that a visitor wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    /// Those of the system.
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        match cookie(headers, THEME) {
            Some("light") => Self::Light,
            Some("dark") => Self::Dark,
            _ => Self::System,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl FromRequestParts<Arc<Viewer>> for Session {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, viewer: &Arc<Viewer>) -> Result<Self, Problem> {
        let visitor = viewer.sessions.visitor(&parts.headers)?;
        let store = viewer.stores.open(visitor.role.clone()).await?;
        let theme = Theme::of(&parts.headers);
        let wants_json = wants_json(&parts.uri, parts.headers.get(header::ACCEPT));
        let source_url = viewer.source_url.clone();
        Ok(Self { visitor, store, may_write: viewer.may_write, source_url, theme, wants_json })
    }
}

impl FromRequestParts<Arc<Viewer>> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, viewer: &Arc<Viewer>) -> Result<Self, Problem> {
        viewer.sessions.visitor(&parts.headers)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).expect("a value"))).collect()
    }

    #[test]
    fn a_token_begins_a_session_that_its_cookie_continues_until_it_is_ended() {
        let (tokens, token) = Tokens::generate().expect("randomness");
        let sessions = Sessions::new(Some(tokens), 7667);
        assert_eq!(sessions.begin("0123456789abcdef"), Ok(None));
        let set = sessions.begin(&token).expect("randomness").expect("known");
        assert!(set.ends_with("; HttpOnly; SameSite=Strict") && !set.contains(&token), "{set}");
        let pair = set.split(';').next().expect("a pair");
        let with_cookie = headers(&[(header::COOKIE, &format!("a=b; {pair}; c"))]);
        let visitor = sessions.visitor(&with_cookie).expect("known");
        assert!(visitor.is_signed_in && visitor.role.is_none());
        assert!(visitor.check_csrf(&HeaderMap::new()).is_err());
        let csrf = visitor.csrf.clone().expect("a token");
        assert!(visitor.check_csrf(&headers(&[(header::HeaderName::from_static(CSRF), &csrf)])).is_ok());
        assert!(sessions.end(&with_cookie).contains("Max-Age=0"));
        assert!(sessions.visitor(&with_cookie).is_err());
    }

    #[test]
    fn a_program_sends_the_token_itself() {
        let (tokens, token) = Tokens::generate().expect("randomness");
        let sessions = Sessions::new(Some(tokens), 7667);
        let with = |value: String| sessions.visitor(&headers(&[(header::AUTHORIZATION, &value)]));
        assert!(with(format!("Bearer {token}")).is_ok_and(|visitor| visitor.check_csrf(&HeaderMap::new()).is_ok()));
        assert!(with(format!("bearer  {token} ")).is_ok());
        for other in ["Bearer ", "Bearer", "Basic dXNlcjpwYXNz", "", "Béarer 0123456789abcdef"] {
            let problem = with(other.to_owned()).map(drop).expect_err(other);
            assert_eq!(problem.status, StatusCode::UNAUTHORIZED);
        }
        assert!(with(token).is_err());
        assert!(sessions.visitor(&headers(&[(header::COOKIE, "ragtrace_7667=")])).is_err());
    }
}
