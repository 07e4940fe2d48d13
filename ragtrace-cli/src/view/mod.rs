//! The web viewer: pages about what is in a store, for people.
//!
//! **Everything comes from the program itself.** Pages are written on the server; scripts and styles
//! are part of the binary, and a page loads nothing from elsewhere. Lists and links work without
//! scripts, which add the keyboard, charts that load after their list, and the live page.
//!
//! **Recorded text is hostile.** It is escaped where it is written ([`maud`] does it by type), cut at
//! a length ([`show`]), and characters that hide or reorder text are shown as escapes. The content
//! security policy forbids inline scripts and styles, so text that still got through would do
//! nothing. This has a price: no `style` attribute works, so sizes and positions are SVG attributes.
//!
//! **A visitor sees what the visitor's token allows.** Without tokens the viewer answers only on
//! this machine, and only under its own host names ([`hosts`]), since a page of any site can make a
//! browser send requests here. With tokens, each visitor reads through the connection of the token
//! ([`stores`]), so PostgreSQL's row-level security decides what a tenant sees.
//!
//! **Reading changes nothing.** The only request that writes adds a score, and it needs
//! `--allow-writes`, JSON, a token of the page, and the page's own origin.
//!
//! **One visitor does not stop another.** Connections, requests, times and the length of every list
//! have a limit; a page that takes too long is an answer that says so.
//!
//! # Adding a page
//!
//! A handler takes `State<Arc<Viewer>>` if it needs more than the store, a [`Session`] (which holds
//! the visitor's store), and [`Params`] (the query). It returns `Result<Response, Problem>`:
//!
//! ```ignore
//! async fn page(session: Session, params: Params) -> Result<Response, Problem> {
//!     let rows = session.store().stages().await?;
//!     let page = Page::new("Stages", Tab::Stages).script("stages.js").style("stages.css");
//!     Ok(page.respond(&session, html! { … }))
//! }
//! ```
//!
//! The page's routes are a function `routes() -> Router<Arc<Viewer>>`, merged in [`router`]. A request
//! that writes takes a `Visitor` too and calls its `check_csrf`; `api.js` sends what it needs.
//!
//! A [`Problem`] becomes a page or problem details in JSON, whichever the request wants. Scripts and
//! styles are files in `assets/`, listed in [`assets`]. `show` writes times, durations and texts.

mod assets;
mod chart;
mod connections;
mod costs;
mod ending;
mod errors;
mod find;
mod hosts;
mod layout;
mod list;
mod live;
mod params;
mod period;
mod problem;
mod scores;
mod security;
mod server;
mod session;
mod show;
mod sign_in;
mod source;
mod stages;
mod stores;
mod tokens;
mod trace;
mod traces;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use tokio::sync::Semaphore;

use crate::output::{Failure, tell};
use problem::Problem;
use session::Sessions;
use stores::Stores;

pub(crate) use ending::Ending;
pub(crate) use hosts::{Hosts, parse as parse_host};
pub(crate) use server::serve;
pub(crate) use source::parse as parse_source_url;
pub(crate) use tokens::Tokens;

/// The largest body of a request, in bytes.
const BODY: usize = 64 << 10;
/// The longest time for an answer. Statements have limits of their own, and a page may need several.
const ANSWER: Duration = Duration::from_secs(20);

/// The largest number of pages that follow new records at once.
const STREAMS: usize = 64;

/// The state that all requests share.
pub(crate) struct Viewer {
    stores: Stores,
    sessions: Sessions,
    hosts: Hosts,
    may_write: bool,
    source_url: Option<Arc<str>>,
    /// The places for pages that follow new records.
    streams: Arc<Semaphore>,
    ending: Ending,
}

/// The settings of a viewer.
pub(crate) struct Settings {
    /// The URL of the store.
    pub(crate) store: String,
    /// The tokens that visitors need, or `None` if everybody who can connect may read.
    pub(crate) tokens: Option<Tokens>,
    pub(crate) hosts: Hosts,
    /// The port, which is part of the cookie's name: browsers do not tell the ports of a host apart.
    pub(crate) port: u16,
    pub(crate) may_write: bool,
    /// The pattern of links to source lines.
    pub(crate) source_url: Option<String>,
}

impl Viewer {
    pub(crate) fn new(settings: Settings, ending: Ending) -> Self {
        let Settings { store, tokens, hosts, port, may_write, source_url } = settings;
        Self {
            stores: Stores::new(store),
            sessions: Sessions::new(tokens, port),
            hosts,
            may_write,
            source_url: source_url.map(Arc::from),
            streams: Arc::new(Semaphore::new(STREAMS)),
            ending,
        }
    }

    /// Opens the store as every visitor will, so that mistakes are told when the viewer starts. A
    /// database that cannot be reached just now is no mistake.
    pub(crate) async fn check(&self) -> Result<(), Failure> {
        for role in std::iter::once(None).chain(self.sessions.roles().into_iter().map(Some)) {
            match self.stores.open(role.clone()).await {
                Err(error) if error.is_retryable() => {
                    tell(format_args!("{}; pages say so until it answers", Failure::from(error)));
                    break;
                }
                Err(error) => return Err(Failure::from(error)),
                Ok(_) => (),
            }
        }
        Ok(())
    }
}

/// Returns all routes. The checks are the outermost layers, so they hold for every path and method.
pub(crate) fn router(viewer: &Arc<Viewer>) -> Router {
    Router::new()
        .merge(traces::routes())
        .merge(trace::routes())
        .merge(stages::routes())
        .merge(costs::routes())
        .merge(errors::routes())
        .merge(scores::routes())
        .merge(live::routes())
        .merge(find::routes())
        .merge(sign_in::routes())
        .fallback(|| async { Problem::not_found("there is no such page") })
        .method_not_allowed_fallback(|| async { Problem::method() })
        .layer(DefaultBodyLimit::max(BODY))
        .layer(from_fn(security::in_time))
        .merge(assets::routes())
        .layer(from_fn(security::same_origin))
        .layer(from_fn(security::bounded))
        .layer(from_fn_with_state(Arc::clone(viewer), security::own_host))
        .layer(from_fn(problem::render))
        .layer(from_fn(security::headers))
        .with_state(Arc::clone(viewer))
}
