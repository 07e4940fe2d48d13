//! A path that is open for reading, whatever file is there.
//!
//! Readers leave nothing behind: they create and change no files, so they lock nobody out, and can
//! read where they may not write. Therefore they take part in SQLite's locks only if `-wal` and
//! `-shm` already exist. If they do not, nobody is writing, and the file is read as it is. A writer
//! may start meanwhile, so the files are examined again after reading, and read again if they have
//! changed.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::database::{SqliteStore, has_locks, is_undisturbed};
use crate::error::StoreError;
use crate::fault::{Cause, Fault};
use crate::read::{Tail, TailCursor, TailPoint};
use crate::sqlite::files::{Files, subject};

/// The longest time spent on one query while others replace the file or write to it, including the
/// time to open it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);
/// The number of attempts to open a file that keeps changing.
const ATTEMPTS: usize = 50;
/// The pause between two attempts. A writer opens or closes a file in less.
const PAUSE: Duration = Duration::from_millis(10);

/// A path that is open for reading. Clones share its connections.
#[derive(Clone, Debug)]
pub(crate) struct SqliteFile {
    files: Files,
    open: Arc<Mutex<SqliteStore>>,
}

impl SqliteFile {
    /// Opens the file at `path` for reading.
    pub(crate) async fn open(path: &Path) -> Result<Self, StoreError> {
        let files = Files::existing(path)?;
        let store = open(&files).await?;
        Ok(Self { files, open: Arc::new(Mutex::new(store)) })
    }

    /// Returns the open store. It is opened again if other files are at the path now, or others
    /// have written to them. Connections to a replaced file are closed.
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
        // The old store closes when the last query on it ends.
        drop(before);
        Ok(fresh)
    }

    /// Returns `true` if the answer comes from one state of the files. Otherwise the query has to
    /// be repeated.
    pub(crate) fn is_settled<T>(&self, store: &SqliteStore, answer: &Result<T, StoreError>) -> bool {
        // SQLite's locks vouch for the answer even if the file was replaced afterwards.
        store.is_of(&self.files.states()) || (answer.is_ok() && store.has_locks())
    }

    fn current(&self) -> SqliteStore {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the rows written since a cursor. A file that was moved away is read to its end
    /// first, and then its replacement from the beginning.
    pub(crate) async fn tail(&self, cursor: Option<TailCursor>) -> Result<Tail, StoreError> {
        let asked = Instant::now();
        while asked.elapsed() <= PATIENCE {
            let current = self.current();
            if let Some(TailCursor(TailPoint::Row { file, .. })) = &cursor
                && *file == current.file
                // A file that is still in place is opened again: without locks, connections that
                // were opened before another process wrote may show old pages.
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

    /// Waits before a query is repeated.
    pub(crate) async fn pause(&self) {
        tokio::time::sleep(PAUSE).await;
    }

    /// Returns the error of a file that changed for too long.
    pub(crate) fn unsettled(&self) -> StoreError {
        changing(&self.files).into()
    }
}

/// Opens the files as soon as they stay unchanged for a moment.
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
            // Companions that vanished and came back between two looks appear unchanged.
            Err(fault) if is_undisturbed && (attempt > 2 || fault.cause() != Cause::Operator) => return Err(fault),
            _ => tokio::time::sleep(PAUSE).await,
        }
        Files::existing(&files.path)?;
    }
    Err(changing(files))
}

/// Returns the fault of a file that changed for too long.
fn changing(files: &Files) -> Fault {
    let message =
        format!("{} keeps changing, as programs that write to it start and stop: try again", subject(&files.path));
    Fault::new(Cause::Transient, message)
}
