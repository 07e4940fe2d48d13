//! Visitors: who they are, what they read, and what they may do.
//!
//! Without tokens everybody who can connect is the same visitor. With tokens a visitor is known by
//! a cookie, which holds a random id and is given for a token, or by the token itself in
//! `Authorization: Bearer`, for programs. Sessions are in memory: they end with the viewer, after
//! half a day, or by signing out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, StatusCode, header};

use super::cookie::cookie;
use super::problem::Problem;
use super::tokens::{Hash, Tokens, random};

/// The life of a session.
pub(super) const LIFE: Duration = Duration::from_hours(12);
/// The largest number of sessions. The oldest ends in favour of a new one.
const SESSIONS: usize = 10_000;
/// The header in which a page repeats its token, which a page of another site does not know.
const CSRF: &str = "x-csrf-token";

/// A visitor, without the store.
#[derive(Clone)]
pub(super) struct Visitor {
    pub(super) role: Option<Arc<str>>,
    /// `None` for a program with a token: no page can send that token.
    pub(super) csrf: Option<Arc<str>>,
    pub(super) is_signed_in: bool,
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

    /// Ends the session of a request, and returns the value of `Set-Cookie` that removes its
    /// cookie.
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
