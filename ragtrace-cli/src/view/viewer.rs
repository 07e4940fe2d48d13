//! The state that all requests share: the store, the sessions, and the settings.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::ending::Ending;
use super::hosts::Hosts;
use super::sessions::Sessions;
use super::stores::Stores;
use super::tokens::Tokens;
use crate::output::{Failure, tell};

/// The largest number of pages that follow new records at once.
const STREAMS: usize = 64;

/// The state that all requests share.
pub(crate) struct Viewer {
    pub(super) stores: Stores,
    pub(super) sessions: Sessions,
    pub(super) hosts: Hosts,
    pub(super) may_write: bool,
    pub(super) source_url: Option<Arc<str>>,
    /// The places for pages that follow new records.
    pub(super) streams: Arc<Semaphore>,
    pub(super) ending: Ending,
}

/// The settings of a viewer.
pub(crate) struct Settings {
    /// The URL of the store.
    pub(crate) store: String,
    /// The tokens that visitors need, or `None` if everybody who can connect may read.
    pub(crate) tokens: Option<Tokens>,
    pub(crate) hosts: Hosts,
    /// The port, which is part of the cookie's name: browsers do not tell the ports of a host
    /// apart.
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
