//! The web viewer: pages about what is in a store, for people.
//!
//! **Everything comes from the program itself.** Pages are written on the server; scripts and
//! styles are part of the binary, and a page loads nothing from elsewhere. Lists and links work
//! without scripts, which add the keyboard, charts that load after their list, and the live page.
//!
//! **Recorded text is hostile.** It is escaped where it is written ([`maud`] does it by type), cut
//! at a length ([`show`]), and characters that hide or reorder text are shown as escapes. The
//! content security policy forbids inline scripts and styles, so text that still got through would
//! do nothing. This has a price: no `style` attribute works, so sizes and positions are SVG
//! attributes.
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
//! A handler takes `State<Arc<Viewer>>` if it needs more than the store, a
//! [`Session`](session::Session), which holds the visitor's store, and
//! [`Params`](params::Params), the query. It returns `Result<Response, Problem>`:
//!
//! ```ignore
//! async fn page(session: Session, params: Params) -> Result<Response, Problem> {
//!     let rows = session.store().stages().await?;
//!     let page = Page::new("Stages", Tab::Stages).script("stages.js").style("stages.css");
//!     Ok(page.respond(&session, html! { … }))
//! }
//! ```
//!
//! The page's routes are a function `routes() -> Router<Arc<Viewer>>`, merged in `router`. A
//! request that writes takes a `Visitor` too and calls its `check_csrf`; `api.js` sends what it
//! needs.
//!
//! A [`Problem`](problem::Problem) becomes a page or problem details in JSON, whichever the request
//! wants. Scripts and styles are files in `assets/`, listed in [`assets`]. [`show`] writes times,
//! durations and texts.

mod assets;
mod chart;
mod connections;
mod cookie;
mod costs;
mod ending;
mod errors;
mod find;
mod format;
mod hosts;
mod layout;
mod list;
mod live;
mod params;
mod period;
mod problem;
mod problem_page;
mod render;
mod router;
mod scores;
mod security;
mod server;
mod session;
mod sessions;
mod show;
mod sign_in;
mod source;
mod stages;
mod stores;
mod theme;
mod tokens;
mod trace;
mod traces;
mod viewer;

pub(crate) use ending::Ending;
pub(crate) use hosts::{Hosts, parse as parse_host};
pub(crate) use server::serve;
pub(crate) use source::parse as parse_source_url;
pub(crate) use tokens::Tokens;
pub(crate) use viewer::{Settings, Viewer};
