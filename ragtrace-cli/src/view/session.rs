//! The visitor of a request, and the store as the visitor reads it.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use ragtrace_store::LogStore;

use super::format::wants_json;
use super::problem::Problem;
pub(super) use super::sessions::Visitor;
use super::theme::Theme;
use super::viewer::Viewer;

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
