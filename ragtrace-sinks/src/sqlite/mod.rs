//! Records into a SQLite file.
//!
//! **Exactly once.** A batch's id goes into a ledger in the transaction that writes its rows, so a batch that is
//! delivered again (its answer was lost, the process restarted) is acknowledged and writes nothing. A record keeps
//! its id over every retry and makes one row, whichever batch it comes in.
//!
//! **Several processes may share a file**, on one machine. The file is in WAL mode: readers never wait for the
//! writer, nor the writer for them; writers take turns of a few milliseconds. Networked file systems have no shared
//! memory for that and are not supported (<https://www.sqlite.org/wal.html>, section 1).
//!
//! **What it does not do:** it never retries by itself and keeps no queue. What stands in the way becomes a verdict
//! for the pipeline: busy, a full disk and I/O errors pass, so `retry`; what somebody has to mend (a folder that is
//! missing or not writable, a file that is not a database, is damaged or belongs to a newer version) parks the sink
//! by `park`, and the next probe opens the file anew; data that SQLite refuses is `rejected`.

pub(crate) mod fault;
pub(crate) mod open;
mod write;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ragtrace::Sink;
use ragtrace::sink::{Batch, Delivered, SinkError};
use sqlx::{Connection, SqliteConnection};
use tokio::sync::Mutex;
use uuid::Uuid;

use fault::Cause;
pub(crate) use fault::Fault;

use crate::retention::{Retention, Upkeep, sqlite};
use crate::tables::Process;

/// Writes records to a SQLite file, which it creates when the first batch arrives.
///
/// ```
/// use ragtrace_sinks::{SqliteSink, Synchronous};
///
/// let sink = SqliteSink::new("ragtrace.db").synchronous(Synchronous::Full);
/// ```
#[derive(Debug)]
pub struct SqliteSink {
    path: PathBuf,
    synchronous: Synchronous,
    writer: Mutex<Writer>,
    retention: Option<Retention>,
    upkeep: Upkeep,
}

/// When a delivered batch is safe on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Synchronous {
    /// When SQLite next moves its log into the file. A process that dies loses nothing; a power failure may lose the
    /// batches of the last moments. They are in the ledger only if their rows are too. The default.
    #[default]
    Normal,
    /// Before the batch is acknowledged: one `fsync` a batch, and a power failure loses nothing that was.
    Full,
}

/// The one connection that writes, while it is healthy.
#[derive(Debug, Default)]
struct Writer {
    connection: Option<open::Opened>,
    /// The processes whose records went through here, which end when this sink does.
    instances: BTreeSet<Uuid>,
}

impl SqliteSink {
    /// A sink into the file at `path`. Nothing is opened before the first batch; its folder has to exist by then.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            synchronous: Synchronous::default(),
            writer: Mutex::default(),
            retention: None,
            upkeep: Upkeep::default(),
        }
    }

    /// Has retention run beside the deliveries, once an hour at most and over a connection of its own. A delivery waits
    /// for one of its steps at most, which are milliseconds.
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = Some(retention);
        self
    }

    /// Sets when a delivered batch is safe on the disk.
    pub fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    async fn write(&self, writer: &mut Writer, batch: &Batch) -> Result<(), Fault> {
        let mut opened = self.healthy(writer.connection.take()).await?;
        let mut written = write::batch(&mut opened.connection, batch).await;
        if let (Ok(()), false, Some(process)) = (&written, opened.has_catalog, batch.origin()) {
            written = write::catalog(&mut opened.connection, process.service().unwrap_or_default()).await;
            opened.has_catalog = written.is_ok();
        }
        // A connection that failed for any other reason than its data is let go of; the next attempt opens a new one.
        // So does a cancelled delivery, which never gets here: dropping the connection rolls back.
        if written.as_ref().err().is_none_or(|fault| fault.cause() == Cause::Data) {
            writer.connection = Some(opened);
        }
        written
    }

    /// The connection at hand, unless its file was deleted or replaced: SQLite would go on writing to a file that
    /// nobody can find.
    async fn healthy(&self, at_hand: Option<open::Opened>) -> Result<open::Opened, Fault> {
        match at_hand {
            Some(opened) if opened.is_still_at(&self.path) => return Ok(opened),
            Some(moved) => close(moved.connection).await,
            None => {}
        }
        open::for_writing(&self.path, self.synchronous).await
    }
}

impl Sink for SqliteSink {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        let mut writer = self.writer.lock().await;
        self.write(&mut writer, batch).await.map_err(Fault::into_verdict)?;
        writer.instances.extend(Process::all_of(batch).iter().map(|process| process.instance));
        if let Some(retention) = self.retention {
            let path = self.path.clone();
            self.upkeep.when_due(|| async move { sqlite::retain(&path, &retention, &mut |_| {}).await });
        }
        Ok(Delivered::all())
    }

    async fn close(&self) {
        self.upkeep.stop().await;
        let mut writer = self.writer.lock().await;
        let instances = std::mem::take(&mut writer.instances);
        if let Some(mut opened) = writer.connection.take() {
            // A process that cannot be marked as ended shows as lost later, by its silence.
            let _ = write::ended(&mut opened.connection, &instances).await;
            close(opened.connection).await;
        }
    }
}

/// Closes, which moves SQLite's log into the file. An error there loses nothing: the log is read at the next opening.
async fn close(connection: SqliteConnection) {
    let _ = connection.close().await;
}
