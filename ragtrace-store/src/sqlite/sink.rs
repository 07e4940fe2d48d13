//! The sink that writes to a SQLite file.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ragtrace::sink::{Batch, Delivered, SinkError};
use ragtrace::{Level, Sink};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::connect::{Opened, Synchronous, close, for_writing};
use super::fault::while_writing;
use super::files::{absolute, subject};
use super::retain::retain;
use super::rotation::{close_in_place, let_go};
use super::{connect, write};
use crate::fault::{Cause, Fault};
use crate::retention::{BackgroundRetention, Retention};
use crate::tables::{InstanceRow, Refused};

/// A sink that writes records to a SQLite file.
///
/// ```
/// use ragtrace_store::{SqliteSink, Synchronous};
///
/// let sink = SqliteSink::new("ragtrace.db").synchronous(Synchronous::Full);
/// ```
///
/// The file and its tables are created when the first batch arrives. The file may be moved away
/// while it is being written, as log rotation does. With the next batch, which comes within a
/// minute, the sink completes the moved file from SQLite's log, and creates a new file at the path.
///
/// On Windows an open file cannot be moved, replaced or deleted, so a rotation has to end the
/// program first, or write to a path with the date in it. A path that is not Unicode is refused
/// there.
#[derive(Debug)]
pub struct SqliteSink {
    name: Cow<'static, str>,
    level: Option<Level>,
    path: PathBuf,
    synchronous: Synchronous,
    writer: Mutex<Writer>,
    retention: Option<Retention>,
    background: BackgroundRetention,
}

/// The one connection that writes, as long as it works.
#[derive(Debug, Default)]
struct Writer {
    connection: Option<Opened>,
    /// `true` if the catalog of this program's stages was updated over this connection.
    has_catalog: bool,
    /// The processes whose batches this sink has written. They are marked as ended when it closes.
    instances: BTreeSet<Uuid>,
}

impl SqliteSink {
    /// Creates a sink that writes to the file at `path`.
    ///
    /// Nothing is opened before the first batch; the folder has to exist by then. A path that does
    /// not name a file, such as `:memory:`, an empty path or a URL, parks the sink with a message.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            name: Cow::Borrowed("sqlite"),
            level: None,
            path: absolute(path.as_ref()),
            synchronous: Synchronous::default(),
            writer: Mutex::default(),
            retention: None,
            background: BackgroundRetention::default(),
        }
    }

    /// Sets the sink's name. The default is `sqlite`.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the least severe level that the sink accepts. The default is the builder's level.
    ///
    /// This setter hides [`Sink::level`], which returns the level.
    pub fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Enables retention by the given rules, as a background job at most once an hour.
    ///
    /// The job uses a connection of its own. A delivery waits for at most one of its steps, which
    /// take milliseconds.
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = Some(retention);
        self
    }

    /// Sets when a delivered batch is safe on disk. The default is [`Synchronous::Normal`].
    pub fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    async fn write(&self, writer: &mut Writer, batch: &Batch) -> Result<Vec<Refused>, Fault> {
        let mut opened = self.healthy(writer).await?;
        let mut written = write::batch(&mut opened.connection, batch).await;
        if let (Ok(_), false, Some(process)) = (&written, writer.has_catalog, batch.origin()) {
            let noted = write::catalog(&mut opened.connection, process.service().unwrap_or_default()).await;
            writer.has_catalog = noted.is_ok();
            written = noted.and(written);
        }
        let written = written.map_err(while_writing);
        if written.is_ok() && !opened.is_in_place() {
            return written_elsewhere(opened).await.and(written);
        }
        // After an error that is not about the data, the connection is closed, and the next attempt
        // opens a new one. A cancelled delivery never gets here: it drops the connection, which
        // rolls back.
        if written.as_ref().err().is_none_or(|fault| fault.cause() == Cause::Data) {
            writer.connection = Some(opened);
        } else {
            close(opened.connection).await;
        }
        written
    }

    /// Returns the present connection, or a new one if its file was moved, replaced or deleted:
    /// SQLite would continue to write to a file that nobody can find.
    async fn healthy(&self, writer: &mut Writer) -> Result<Opened, Fault> {
        match writer.connection.take() {
            Some(opened) if opened.is_in_place() => return Ok(opened),
            Some(moved) => drop(let_go(moved).await),
            None => {}
        }
        writer.has_catalog = false;
        for_writing(&self.path, self.synchronous).await
    }
}

/// Returns the outcome of a batch that was written while its file was moved, replaced or deleted.
async fn written_elsewhere(opened: Opened) -> Result<(), Fault> {
    if let_go(opened).await {
        return Ok(());
    }
    Err(Fault::new(Cause::Transient, "the file was deleted while it was being written: a new one takes its place"))
}

impl Sink for SqliteSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn level(&self) -> Option<Level> {
        self.level
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        let mut writer = self.writer.lock().await;
        let refused = self.write(&mut writer, batch).await?;
        writer.instances.extend(InstanceRow::all_of(batch).iter().map(|process| process.instance));
        if let Some(retention) = self.retention {
            let path = self.path.clone();
            self.background.when_due(|| async move { retain(&path, &retention, &mut |_| {}).await });
        }
        // The store's own rules refused these records, not the database. So their number says
        // nothing about the configuration, and must not park the sink.
        Ok(Delivered::unsent(refused))
    }

    /// Opens the file for writing, and creates it and its tables if they are missing.
    async fn check(&self) -> Result<String, SinkError> {
        connect::migrate(&self.path).await?;
        Ok(format!("{} can be written, and its tables are of this version", subject(&self.path)))
    }

    async fn close(&self) {
        self.background.stop().await;
        let mut writer = self.writer.lock().await;
        let instances = std::mem::take(&mut writer.instances);
        if let Some(mut opened) = writer.connection.take() {
            // If this fails, the processes count as lost after a while, since they send nothing
            // more.
            let _ = write::ended(&mut opened.connection, &instances).await;
            close_in_place(opened).await;
        }
    }
}
