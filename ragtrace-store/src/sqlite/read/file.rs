//! A path that is read, whatever file is there.
//!
//! Readers leave nothing behind: they make no file and change none, so they lock nobody out, and
//! may read where they may not write. So they take part in SQLite's locks only where `-wal` and
//! `-shm` are there already. Where they are not, nobody is writing, and the file is read as it is.
//! Someone may begin to write meanwhile: what was read is looked at again, and read anew if the
//! files have changed.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::database::{SqliteStore, has_locks, is_undisturbed};
use crate::error::StoreError;
use crate::fault::{Cause, Fault};
use crate::read::{Tail, TailCursor, TailPoint};
use crate::sqlite::files::{Files, subject};

/// How long a file is asked that others exchange or write meanwhile, its openings included.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);
/// How often a file is opened that does not stay as it is.
const ATTEMPTS: usize = 50;
/// The pause between two attempts: a writer that comes or goes takes less.
const PAUSE: Duration = Duration::from_millis(10);

/// A path that is open for reading. A clone shares its connections.
#[derive(Clone, Debug)]
pub(crate) struct SqliteFile {
    files: Files,
    open: Arc<Mutex<SqliteStore>>,
}

impl SqliteFile {
    /// Opens what is at `path` for reading.
    pub(crate) async fn open(path: &Path) -> Result<Self, StoreError> {
        let files = Files::existing(path)?;
        let store = open(&files).await?;
        Ok(Self { files, open: Arc::new(Mutex::new(store)) })
    }

    /// Returns what is open, and opens it anew if other files are there now, or others have written
    /// to them. Connections to a file that is gone are closed.
    pub(crate) async fn store(&self) -> Result<SqliteStore, StoreError> {
        let store = self.current();
        if store.is_of(&self.files.states()) {
            return Ok(store);
        }
        let fresh = open(&Files::existing(&self.files.path)?).await?;
        let before = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *open, fresh.clone())
        };
        // It closes once nobody asks it any more.
        drop(before);
        Ok(fresh)
    }

    /// Returns `true` if an answer of this store's is of one moment. If it is not, ask again.
    pub(crate) fn is_settled<T>(&self, store: &SqliteStore, answer: &Result<T, StoreError>) -> bool {
        // SQLite's locks answer for what they gave, also where the file was exchanged since.
        store.is_of(&self.files.states()) || (answer.is_ok() && store.has_locks())
    }

    fn current(&self) -> SqliteStore {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns what was written since a cursor. A file that was moved away is read to its end
    /// first, and then the one that took its place from its beginning.
    pub(crate) async fn tail(&self, cursor: Option<TailCursor>) -> Result<Tail, StoreError> {
        let asked = Instant::now();
        while asked.elapsed() <= PATIENCE {
            let current = self.current();
            if let Some(TailCursor(TailPoint::Row { file, .. })) = &cursor
                && *file == current.file
                // One that is in its place is opened anew: without locks, connections from before
                // others wrote to it show some of its pages as they were.
                && !current.is_at(&self.files.states())
                && let Ok(rest) = current.tail(cursor.clone()).await
                && !rest.rows.is_empty()
            {
                return Ok(rest);
            }
            let store = self.store().await?;
            let tail = store.tail(cursor.clone()).await;
            if self.is_settled(&store, &tail) {
                return tail;
            }
            self.pause().await;
        }
        Err(self.unsettled())
    }

    /// Waits for a moment before a question is asked again.
    pub(crate) async fn pause(&self) {
        tokio::time::sleep(PAUSE).await;
    }

    /// Says that the file did not stay as it is for long enough.
    pub(crate) fn unsettled(&self) -> StoreError {
        changing(&self.files).into()
    }
}

/// Opens the files as soon as they stay as they are for a moment.
async fn open(files: &Files) -> Result<SqliteStore, Fault> {
    for attempt in 0..ATTEMPTS {
        let before = files.states();
        if !has_locks(&before) && !before.are_quiet() && attempt + 1 < ATTEMPTS {
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        let opened = SqliteStore::open(files, before).await;
        let is_undisturbed = is_undisturbed(&before, &files.states());
        match opened {
            Ok(store) if is_undisturbed => return Ok(store),
            // Companions that went and came between two looks at them are the same to look at.
            Err(fault) if is_undisturbed && (attempt > 2 || fault.cause() != Cause::Operator) => return Err(fault),
            _ => tokio::time::sleep(PAUSE).await,
        }
        Files::existing(&files.path)?;
    }
    Err(changing(files))
}

/// Says that a file did not stay as it is for long enough.
fn changing(files: &Files) -> Fault {
    let message = format!("programs come and go that write to {}: try again", subject(&files.path));
    Fault::new(Cause::Transient, message)
}
