//! The sink that writes to PostgreSQL.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ragtrace::sink::{Batch, BatchLimits, Delivered, SinkError};
use ragtrace::{Level, Sink};
use sqlx::Connection;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::fault::{Stale, stale_after, while_writing};
use super::location::PgLocation;
use super::retain::retain;
use super::session::{Session, Use};
use super::{connect, days, schema, write};
use crate::fault::{Cause, Fault};
use crate::retention::{BackgroundRetention, Retention};
use crate::tables::{InstanceRow, Refused};

/// The longest time that a batch may take. The server cancels a slow statement earlier; this limit
/// is for a server that does not answer at all.
const BATCH_TIMEOUT: Duration = Duration::from_secs(45);

/// A sink that writes records to PostgreSQL, into tables of its own schema.
///
/// ```
/// use ragtrace_store::PostgresSink;
///
/// let sink = PostgresSink::new("postgres://ragtrace@db.example/telemetry?sslmode=verify-full").schema("ragtrace");
/// ```
///
/// The schema and its tables are created when the first batch arrives. The role has to own the
/// schema, or be allowed to create it. If it may not, run `ragtrace migrate` beforehand under a
/// role that may; that role then owns the tables.
///
/// The URL has libpq's form, `sslmode` and `sslrootcert` included.
///
/// A pooler such as `PgBouncer` may stand before the server, in session or transaction mode.
/// Without a pooler, add `statement-cache-capacity=100` to the URL so that the server parses each
/// statement only once per connection. Never set it with a pooler in transaction mode: records
/// would be lost.
#[derive(Debug)]
pub struct PostgresSink {
    name: Cow<'static, str>,
    level: Option<Level>,
    writer: Arc<Writer>,
    in_flight: usize,
    retention: Option<Retention>,
    background: BackgroundRetention,
}

impl PostgresSink {
    /// Creates a sink that writes to the database at `url`.
    ///
    /// The URL has libpq's form; the additional parameter `schema` names the schema, as
    /// [`schema`](Self::schema) does. Nothing is connected before the first batch. A malformed URL
    /// parks the sink.
    pub fn new(url: impl Into<String>) -> Self {
        let writer = Arc::new(Writer::new(PgLocation::from_url(&url.into())));
        Self {
            name: Cow::Borrowed("postgres"),
            level: None,
            writer,
            in_flight: 4,
            retention: None,
            background: BackgroundRetention::default(),
        }
    }

    /// Sets the sink's name. The default is `postgres`.
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

    /// Sets the schema that holds the tables. The default, also for an empty name, is `ragtrace`.
    ///
    /// A name that PostgreSQL does not accept, such as one longer than 63 bytes, parks the sink.
    pub fn schema(self, schema: impl Into<String>) -> Self {
        let location = self.writer.location.clone().schema(schema);
        Self { writer: Arc::new(Writer::new(location)), ..self }
    }

    /// Sets the maximum number of batches that are written at the same time, each over its own
    /// connection. The default is 4, the minimum 1.
    pub fn connections(mut self, connections: usize) -> Self {
        self.in_flight = connections.max(1);
        self
    }

    /// Enables retention by the given rules, as a background job at most once an hour.
    ///
    /// The job uses a connection of its own, and no delivery waits for it. If several processes
    /// enable it, one of them runs it at a time. The role has to own the tables.
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = Some(retention);
        self
    }
}

impl Sink for PostgresSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn level(&self) -> Option<Level> {
        self.level
    }

    /// Returns limits of 10,000 records, up to which `COPY` gains from size, 16 MiB, and 250 ms,
    /// which is how long a reader waits for new rows.
    fn limits(&self) -> BatchLimits {
        let limits = BatchLimits::default().with_records(10_000).with_bytes(16 << 20);
        limits.with_age(Duration::from_millis(250)).with_in_flight(self.in_flight)
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        let (writer, batch) = (Arc::clone(&self.writer), batch.clone());
        let refused = match tokio::spawn(async move { writer.deliver(&batch).await }).await {
            Ok(delivered) => delivered?,
            Err(stopped) => return Err(SinkError::retry(format!("the write was stopped: {stopped}"))),
        };
        if let Some(retention) = self.retention {
            let location = self.writer.location.clone();
            self.background.when_due(|| async move { retain(&location, &retention, &mut |_| {}).await });
        }
        // The store's own rules refused these records, not the database. So their number says
        // nothing about the configuration, and must not park the sink.
        Ok(Delivered::unsent(refused))
    }

    /// Connects, and creates the tables and the first partitions if they are missing.
    async fn check(&self) -> Result<String, SinkError> {
        let location = &self.writer.location;
        connect::migrate(location).await?;
        let subject = schema::subject(&location.schema_name()?);
        Ok(format!("{subject} can be written, and its tables are of this version"))
    }

    async fn close(&self) {
        self.background.stop().await;
        self.writer.close().await;
    }
}

/// The state that deliveries share.
#[derive(Debug)]
struct Writer {
    location: PgLocation,
    /// Connections that are not in use. This is not a pool, since a pool may hand out a connection
    /// whose transaction was cancelled while it began, and takes long to report why it cannot
    /// connect.
    idle: Mutex<Vec<PgConnection>>,
    known: Mutex<KnownSchema>,
}

/// Facts about the schema that need not be queried again.
#[derive(Debug, Default)]
struct KnownSchema {
    /// The days whose partitions exist, counted from 1970.
    days: BTreeSet<i64>,
    has_catalog: bool,
    /// The processes whose batches this sink has written. They are marked as ended when it closes.
    instances: BTreeSet<Uuid>,
}

impl Writer {
    fn new(location: PgLocation) -> Self {
        Self { location, idle: Mutex::default(), known: Mutex::default() }
    }

    async fn deliver(&self, batch: &Batch) -> Result<Vec<Refused>, Fault> {
        match tokio::time::timeout(BATCH_TIMEOUT, self.attempt(batch)).await {
            Ok(written) => written,
            Err(_) => Err(Fault::new(Cause::Transient, "PostgreSQL does not answer")),
        }
    }

    /// Attempts to write a batch. A connection that failed is closed by being dropped.
    async fn attempt(&self, batch: &Batch) -> Result<Vec<Refused>, Fault> {
        let session = self.location.session(Use::Writing)?;
        let at_hand = lock(&self.idle).pop();
        let was_idle = at_hand.is_some();
        let mut connection = match at_hand {
            Some(connection) => connection,
            None => self.location.connect().await?,
        };
        let written = self.write(&mut connection, &session, batch).await.map_err(while_writing);
        match &written {
            Ok(_) => {
                lock(&self.known).instances.extend(InstanceRow::all_of(batch).iter().map(|process| process.instance));
                lock(&self.idle).push(connection);
            }
            Err(fault) => self.forget(fault, was_idle),
        }
        written
    }

    async fn write(
        &self,
        connection: &mut PgConnection,
        session: &Session,
        batch: &Batch,
    ) -> Result<Vec<Refused>, sqlx::Error> {
        self.make_days(connection, session, batch).await?;
        let has_catalog = lock(&self.known).has_catalog;
        if let (Some(process), false) = (batch.origin(), has_catalog) {
            write::catalog(connection, session, process.service().unwrap_or_default()).await?;
            lock(&self.known).has_catalog = true;
        }
        write::batch(connection, session, batch).await
    }

    /// Creates the partitions for the batch's rows and for the coming days.
    async fn make_days(
        &self,
        connection: &mut PgConnection,
        session: &Session,
        batch: &Batch,
    ) -> Result<(), sqlx::Error> {
        let mut wanted = write::days_of(batch.records());
        wanted.extend(days::coming());
        let missing: Vec<i64> = wanted.difference(&lock(&self.known).days).copied().collect();
        for day in missing {
            schema::make_day(connection, session, day).await?;
            lock(&self.known).days.insert(day);
        }
        Ok(())
    }

    /// Forgets the cached state that a fault makes out of date.
    fn forget(&self, fault: &Fault, was_idle: bool) {
        match stale_after(fault) {
            // Retention has dropped a day, or the server was replaced by another one.
            Stale::Tables => {
                lock(&self.known).days.clear();
                lock(&self.known).has_catalog = false;
                lock(&self.idle).clear();
            }
            // If the server has cut one connection, it has usually cut the others too.
            Stale::Connections if was_idle => lock(&self.idle).clear(),
            Stale::Connections | Stale::Nothing => {}
        }
    }

    async fn close(&self) {
        let instances: Vec<Uuid> = std::mem::take(&mut lock(&self.known).instances).into_iter().collect();
        let mut connections = std::mem::take(&mut *lock(&self.idle));
        if let (Some(connection), Ok(session)) = (connections.first_mut(), self.location.session(Use::Writing)) {
            // If this fails, the processes count as lost after a while, since they send nothing
            // more.
            let _ = write::ended(connection, &session, &instances).await;
        }
        for connection in connections {
            let _ = connection.close().await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
