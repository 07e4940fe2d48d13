//! The identities of users: tokens, and the sessions of browsers.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, header};
use ragtrace::Secret;
use uuid::Uuid;

use crate::settings::Settings;

/// The cookie that contains a session's id.
pub(crate) const COOKIE: &str = "ragtrace_session";
/// The length of a session.
pub(crate) const SESSION: Duration = Duration::from_hours(12);
/// The largest number of sessions of one identity. The oldest of its own ends for a new one.
const SESSIONS: usize = 100;

/// A user, and the tenant whose documents and traces they may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) tenant: String,
    pub(crate) user: String,
}

/// The identities of all users.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    tokens: Vec<(Secret<String>, Identity)>,
    sessions: Mutex<VecDeque<Session>>,
}

#[derive(Debug)]
struct Session {
    id: Secret<String>,
    identity: Identity,
    until: Instant,
}

impl Identities {
    /// Reads the tokens from the command line and from their file.
    pub(crate) fn of(settings: &Settings) -> Result<Self, IdentityError> {
        let mut tokens = Vec::new();
        for (at, text) in settings.tokens.iter().enumerate() {
            tokens.push(parse(text.expose()).ok_or_else(|| IdentityError::Malformed(format!("--token {}", at + 1)))?);
        }
        if let Some(path) = &settings.tokens_file {
            tokens.extend(read(path)?);
        }
        Ok(Self { tokens, sessions: Mutex::default() })
    }

    /// Returns `false` if everybody may use the service.
    pub(crate) fn are_required(&self) -> bool {
        !self.tokens.is_empty()
    }

    /// Returns the identity of a token.
    pub(crate) fn of_token(&self, token: &str) -> Option<&Identity> {
        find(&self.tokens, |(known, _)| known.expose(), token).map(|(_, identity)| identity)
    }

    /// Returns the identity of a request's sender, by its token or its session.
    pub(crate) fn of_request(&self, headers: &HeaderMap) -> Option<Identity> {
        if let Some(token) = bearer(headers) {
            return self.of_token(token).cloned();
        }
        let id = cookie(headers)?;
        let now = Instant::now();
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let session = find(&*sessions, |session| session.id.expose(), id)?;
        (session.until > now).then(|| session.identity.clone())
    }

    /// Begins a session and returns its id.
    pub(crate) fn begin_session(&self, identity: Identity) -> String {
        let (id, now) = (Uuid::new_v4().simple().to_string(), Instant::now());
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        // The sessions are in the order of their ends.
        while sessions.front().is_some_and(|session| session.until <= now) {
            sessions.pop_front();
        }
        let theirs = || sessions.iter().enumerate().filter(|(_, session)| session.identity == identity);
        if theirs().count() >= SESSIONS
            && let Some((oldest, _)) = theirs().next()
        {
            sessions.remove(oldest);
        }
        sessions.push_back(Session { id: Secret::new(id.clone()), identity, until: now + SESSION });
        id
    }

    /// Ends the session of a request, if it has one.
    pub(crate) fn end_session(&self, headers: &HeaderMap) {
        if let Some(id) = cookie(headers) {
            let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            sessions.retain(|session| !is_same(session.id.expose(), id));
        }
    }
}

/// Finds a secret in a time that does not reveal where it differs from which of the others.
fn find<T>(all: impl IntoIterator<Item = T>, secret: impl Fn(&T) -> &str, wanted: &str) -> Option<T> {
    all.into_iter().fold(None, |found, one| if is_same(secret(&one), wanted) { Some(one) } else { found })
}

fn is_same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies.flat_map(|value| value.split(';')).find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// Parses `TOKEN=TENANT/USER`. The token may contain any character, even `=`.
fn parse(text: &str) -> Option<(Secret<String>, Identity)> {
    let (token, who) = text.trim().rsplit_once('=')?;
    let (tenant, user) = who.split_once('/')?;
    let is_name = |name: &str| !name.is_empty() && name.len() <= 200 && !name.chars().any(char::is_control);
    let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    let identity = Identity { tenant: tenant.to_owned(), user: user.to_owned() };
    (is_token && is_name(tenant) && is_name(user)).then(|| (Secret::new(token.to_owned()), identity))
}

fn read(path: &Path) -> Result<Vec<(Secret<String>, Identity)>, IdentityError> {
    let place = path.display();
    let text = std::fs::read_to_string(path).map_err(|cause| IdentityError::Unreadable(place.to_string(), cause))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    let malformed = |at: usize| IdentityError::Malformed(format!("line {} of {place}", at + 1));
    let tokens: Vec<_> = lines.map(|(at, line)| parse(line).ok_or_else(|| malformed(at))).collect::<Result<_, _>>()?;
    // A file that was emptied by mistake must not open the service to everybody.
    if tokens.is_empty() { Err(IdentityError::Empty(place.to_string())) } else { Ok(tokens) }
}

/// The error of tokens that cannot be used. Its message never shows a token.
#[derive(Debug)]
pub(crate) enum IdentityError {
    Malformed(String),
    Unreadable(String, std::io::Error),
    Empty(String),
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(place) => {
                write!(f, "{place} is not of the form TOKEN=TENANT/USER; give a token without spaces, and both names")
            }
            Self::Unreadable(path, _) => write!(f, "the tokens at {path} cannot be read; check the path"),
            Self::Empty(path) => write!(f, "there is no token in {path}; write lines of the form TOKEN=TENANT/USER"),
        }
    }
}

impl Error for IdentityError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unreadable(_, cause) => Some(cause),
            Self::Malformed(_) | Self::Empty(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_may_have_any_sign_and_names_must_be_there() {
        let (token, identity) = parse("a=b/c==acme/alice").expect("well-formed");
        assert_eq!((token.expose().as_str(), identity.tenant.as_str()), ("a=b/c=", "acme"));
        for text in ["", "token", "token=acme", "=acme/alice", "token=/alice", "token=acme/", "to ken=acme/alice"] {
            assert!(parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn the_oldest_session_of_somebody_ends_for_a_new_one_and_no_other() {
        let identities = Identities::default();
        let bob = Identity { tenant: "globex".to_owned(), user: "bob".to_owned() };
        let bobs = identities.begin_session(bob.clone());
        let identity = Identity { tenant: "acme".to_owned(), user: "alice".to_owned() };
        let headers = |id: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, format!("a=b; {COOKIE}={id}").parse().expect("a header"));
            headers
        };
        let ids: Vec<_> = (0..=SESSIONS).map(|_| identities.begin_session(identity.clone())).collect();
        assert_eq!(identities.of_request(&headers(&bobs)), Some(bob));
        assert_eq!(identities.of_request(&headers(&ids[0])), None);
        assert_eq!(identities.of_request(&headers(&ids[1])), Some(identity.clone()));
        identities.end_session(&headers(&ids[1]));
        assert_eq!(identities.of_request(&headers(&ids[1])), None);
        assert_eq!(identities.of_request(&headers(&ids[2])), Some(identity));
    }
}
