//! The connections to the store: one for the viewer's own, and one for each role of a token.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use ragtrace_store::{self as store, LogStore, StoreError};
use tokio::sync::Mutex;

/// The largest number of roles whose connections are open. The one that was used longest ago is
/// closed in favour of another; requests that still read through it keep it until they are
/// answered.
const ROLES: usize = 16;

/// The store, as it is read by the viewer's own connection and by roles.
pub(super) struct Stores {
    url: String,
    open: Mutex<HashMap<Option<Arc<str>>, Open>>,
}

struct Open {
    store: LogStore,
    used: Instant,
}

impl Stores {
    pub(super) fn new(url: String) -> Self {
        Self { url, open: Mutex::default() }
    }

    /// Returns the store's URL, which may contain a password.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Returns the store as `role` reads it, or as the viewer's own connection does. It is opened
    /// if it is not open yet.
    pub(super) async fn open(&self, role: Option<Arc<str>>) -> Result<LogStore, StoreError> {
        if let Some(open) = self.open.lock().await.get_mut(&role) {
            open.used = Instant::now();
            return Ok(open.store.clone());
        }
        // Not under the lock: a database that cannot be reached takes seconds to say so, and must
        // not make other roles wait. The store is then opened twice at times, and kept once.
        let store = match &role {
            None => store::open(&self.url).await?,
            Some(role) => store::open_as(&self.url, role).await?,
        };
        let mut open = self.open.lock().await;
        let used = Instant::now();
        let kept = open.entry(role).and_modify(|open| open.used = used).or_insert(Open { store, used }).store.clone();
        if open.len() > ROLES + 1 {
            let oldest = open.iter().filter(|(role, _)| role.is_some()).max_by_key(|(_, open)| open.used.elapsed());
            let oldest = oldest.map(|(role, _)| role.clone());
            oldest.map(|role| open.remove(&role));
        }
        Ok(kept)
    }
}
