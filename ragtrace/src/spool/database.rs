//! The file of a slot, which stores the batches of each sink.
//!
//! It has four tables. `batches` has a row for each batch, by sink and sequence number; `chunks`
//! has its bytes in pieces, because pieces of one size fill a `redb` file better than values of any
//! size. `undecided` has the records that the sampler holds, by trace. `meta` has the version.
//! Changes that belong together are made in one transaction.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use ragtrace_core::guard::{contain, dispose};
use redb::{Builder, Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use uuid::Uuid;

use super::{codec, replace};
use crate::TraceId;
use crate::sink::Batch;

/// By sink and sequence number: the batch's id, its number of records, its bytes, and the time of
/// storing (microseconds since 1970).
const BATCHES: TableDefinition<'_, (&str, u64), (u128, u64, u64, i64)> = TableDefinition::new("batches");
/// By sequence number and position: a piece of a batch.
const CHUNKS: TableDefinition<'_, (u64, u32), &[u8]> = TableDefinition::new("chunks");
/// By trace and a unique number: some records of a trace that the sampler holds, encoded as a
/// batch.
const UNDECIDED: TableDefinition<'_, (u128, u128), &[u8]> = TableDefinition::new("undecided");
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// The size of a piece in bytes. With its overhead, it fills sixteen pages.
const PIECE: usize = 65_000;
/// The maximum number of bytes that `redb` keeps in memory.
const CACHE: usize = 4 << 20;

/// The facts about a stored batch that are known without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BatchMeta {
    pub(super) id: Uuid,
    pub(super) records: u64,
    /// The bytes that it takes in the file, see [`footprint`].
    pub(super) bytes: u64,
    /// The time of storing, in microseconds since 1970.
    pub(super) stored_at: i64,
}

/// Returns the bytes that a batch of this length takes in the file: pieces that do not share a page
/// take a power of two.
pub(super) fn footprint(bytes: usize) -> u64 {
    const PAGE: usize = 4_096;
    const AROUND: usize = 128;
    let table_size = |length: usize| ((length + AROUND).div_ceil(PAGE).next_power_of_two() * PAGE) as u64;
    let (whole, rest) = (bytes / PIECE, bytes % PIECE);
    whole as u64 * table_size(PIECE) + if rest > 0 { table_size(rest) } else { 0 }
}

/// An error of the file.
#[derive(Debug)]
pub(super) enum SpoolError {
    /// The file cannot be understood, and has to be set aside.
    Corrupt(String),
    /// The disk failed, perhaps only for now.
    Disk(String),
}

impl std::fmt::Display for SpoolError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Corrupt(why) | Self::Disk(why) => f.write_str(why),
        }
    }
}

impl<E: Into<redb::Error>> From<E> for SpoolError {
    fn from(error: E) -> Self {
        let error = error.into();
        match &error {
            redb::Error::Corrupted(_)
            | redb::Error::UpgradeRequired(_)
            | redb::Error::RepairAborted
            | redb::Error::TableTypeMismatch { .. }
            | redb::Error::TypeDefinitionChanged { .. } => Self::Corrupt(error.to_string()),
            // A truncated file ends before its last part is read.
            redb::Error::Io(io) if matches!(io.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) => {
                Self::Corrupt(error.to_string())
            }
            _ => Self::Disk(error.to_string()),
        }
    }
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
    builder
}

/// Returns `true` if there is no file, or one that was never written completely: `redb` writes the
/// first bytes, which identify its files, after the rest of a new file is on disk.
fn is_unborn(path: &Path) -> io::Result<bool> {
    /// The first page has the header of a new file, without those first bytes.
    const FIRST_PAGE: usize = 4_096;
    const MAGIC: usize = 9;
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        opened => opened?,
    };
    let (mut bytes, mut position) = (vec![0; 1 << 16], 0);
    loop {
        let read = file.read(&mut bytes)?;
        if read == 0 {
            return Ok(true);
        }
        let is_header = |at: usize| (MAGIC..FIRST_PAGE).contains(&at);
        if (position..).zip(&bytes[..read]).any(|(at, byte)| *byte != 0 && !is_header(at)) {
            return Ok(false);
        }
        position += read;
    }
}

/// The open file.
#[derive(Debug)]
pub(super) struct SpoolFile {
    database: Database,
}

/// The batches in a file, by sink and sequence number.
pub(super) type Contents = BTreeMap<String, BTreeMap<u64, BatchMeta>>;

impl SpoolFile {
    /// Opens or creates the file, and returns it with its contents.
    pub(super) fn open(path: &Path) -> Result<(Self, Contents), SpoolError> {
        unless_it_panics(|| {
            if is_unborn(path)? {
                Self::make(path)?;
            }
            let file = Self { database: builder().open(path)? };
            file.prepare()?;
            let contents = file.contents()?;
            Ok((file, contents))
        })
    }

    /// Creates the file next to its final path and moves it there once it is complete, so that a
    /// process that ends in between leaves no incomplete file.
    fn make(path: &Path) -> Result<(), SpoolError> {
        Self::replace(path, |_| Ok(()))
    }

    /// Creates a file, fills it with `fill`, and replaces the existing file with it, which has to
    /// be closed by then. A file keeps the bytes of removed batches; a new file has none of them.
    pub(super) fn replace(path: &Path, fill: impl FnOnce(&Self) -> Result<(), SpoolError>) -> Result<(), SpoolError> {
        replace::remove_unfinished(path)?;
        let filled = unless_it_panics(|| {
            let made = Self { database: builder().create(replace::beside(path))? };
            made.prepare()?;
            fill(&made)?;
            made.database.close()?;
            Ok(replace::put_in_place(path)?)
        });
        if filled.is_err() {
            let _ = replace::remove_unfinished(path);
        }
        filled
    }

    /// Runs `work` in a transaction, which is committed as a whole or not at all.
    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&mut SpoolTransaction<'_>) -> Result<T, SpoolError>,
    ) -> Result<T, SpoolError> {
        unless_it_panics(|| {
            let transaction = self.database.begin_write()?;
            let output = SpoolTransaction::with(&transaction, work)?;
            transaction.commit()?;
            Ok(output)
        })
    }

    /// Reads one batch from the disk.
    pub(super) fn read(&self, sequence: u64) -> Result<Batch, SpoolError> {
        codec::decode(&self.bytes(sequence)?).map_err(SpoolError::Corrupt)
    }

    /// Reads the bytes of one batch.
    pub(super) fn bytes(&self, sequence: u64) -> Result<Vec<u8>, SpoolError> {
        unless_it_panics(|| {
            let chunks = self.database.begin_read()?.open_table(CHUNKS)?;
            let mut bytes = Vec::new();
            for piece in chunks.range((sequence, 0)..=(sequence, u32::MAX))? {
                bytes.extend_from_slice(piece?.1.value());
            }
            Ok(bytes)
        })
    }

    /// Returns the traces with undecided records, and the bytes of each.
    pub(super) fn undecided(&self) -> Result<BTreeMap<TraceId, u64>, SpoolError> {
        unless_it_panics(|| {
            let table = self.database.begin_read()?.open_table(UNDECIDED)?;
            let mut traces = BTreeMap::new();
            for row in table.iter()? {
                let (key, bytes) = row?;
                if let Some(trace_id) = TraceId::from_u128(key.value().0) {
                    *traces.entry(trace_id).or_default() += bytes.value().len() as u64;
                }
            }
            Ok(traces)
        })
    }

    /// Returns the undecided records of one trace, by the numbers of their rows.
    pub(super) fn undecided_of(&self, trace_id: TraceId) -> Result<Vec<(u128, Vec<u8>)>, SpoolError> {
        unless_it_panics(|| {
            let table = self.database.begin_read()?.open_table(UNDECIDED)?;
            let trace_id = trace_id.as_u128();
            let rows = table.range((trace_id, 0)..=(trace_id, u128::MAX))?;
            rows.map(|row| row.map(|(key, bytes)| (key.value().1, bytes.value().to_vec())).map_err(SpoolError::from))
                .collect()
        })
    }

    fn prepare(&self) -> Result<(), SpoolError> {
        let transaction = self.database.begin_write()?;
        {
            let mut meta = transaction.open_table(META)?;
            let version = meta.get("version")?.map(|version| version.value());
            match version {
                None => drop(meta.insert("version", codec::VERSION)?),
                Some(codec::VERSION) => {}
                Some(other) => {
                    let reads = codec::VERSION;
                    return Err(SpoolError::Corrupt(format!("its format is {other}, and this version reads {reads}")));
                }
            }
            transaction.open_table(BATCHES)?;
            transaction.open_table(CHUNKS)?;
            transaction.open_table(UNDECIDED)?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Returns the batches in the file.
    pub(super) fn contents(&self) -> Result<Contents, SpoolError> {
        unless_it_panics(|| {
            let batches = self.database.begin_read()?.open_table(BATCHES)?;
            let mut contents = Contents::new();
            for row in batches.iter()? {
                let (key, value) = row?;
                let (sink, sequence) = key.value();
                let (id, records, bytes, stored_at) = value.value();
                let meta = BatchMeta { id: Uuid::from_u128(id), records, bytes, stored_at };
                contents.entry(sink.to_owned()).or_default().insert(sequence, meta);
            }
            Ok(contents)
        })
    }
}

/// Runs `work` and turns a panic into an error, because `redb` may panic on a damaged file in spite
/// of its checks. A transaction that panics is not committed.
fn unless_it_panics<T>(work: impl FnOnce() -> Result<T, SpoolError>) -> Result<T, SpoolError> {
    contain(work).unwrap_or_else(|payload| {
        dispose(payload);
        Err(SpoolError::Corrupt("reading it panicked".to_owned()))
    })
}

/// An open transaction.
pub(super) struct SpoolTransaction<'a> {
    batches: redb::Table<'a, (&'static str, u64), (u128, u64, u64, i64)>,
    chunks: redb::Table<'a, (u64, u32), &'static [u8]>,
    undecided: redb::Table<'a, (u128, u128), &'static [u8]>,
}

impl SpoolTransaction<'_> {
    fn with<T>(
        transaction: &WriteTransaction,
        work: impl FnOnce(&mut SpoolTransaction<'_>) -> Result<T, SpoolError>,
    ) -> Result<T, SpoolError> {
        let (batches, chunks) = (transaction.open_table(BATCHES)?, transaction.open_table(CHUNKS)?);
        work(&mut SpoolTransaction { batches, chunks, undecided: transaction.open_table(UNDECIDED)? })
    }

    /// Adds a batch.
    pub(super) fn insert(
        &mut self,
        sink: &str,
        sequence: u64,
        meta: &BatchMeta,
        bytes: &[u8],
    ) -> Result<(), SpoolError> {
        let row = (meta.id.as_u128(), meta.records, meta.bytes, meta.stored_at);
        self.batches.insert((sink, sequence), row)?;
        for (position, piece) in (0..).zip(bytes.chunks(PIECE)) {
            self.chunks.insert((sequence, position), piece)?;
        }
        Ok(())
    }

    /// Removes a batch.
    pub(super) fn remove(&mut self, sink: &str, sequence: u64) -> Result<(), SpoolError> {
        self.batches.remove((sink, sequence))?;
        self.chunks.retain_in((sequence, 0)..=(sequence, u32::MAX), |_, _| false)?;
        Ok(())
    }

    /// Adds undecided records of a trace.
    pub(super) fn insert_undecided(&mut self, trace_id: TraceId, row: u128, bytes: &[u8]) -> Result<(), SpoolError> {
        self.undecided.insert((trace_id.as_u128(), row), bytes)?;
        Ok(())
    }

    /// Removes all undecided records of a trace.
    pub(super) fn remove_undecided(&mut self, trace_id: TraceId) -> Result<(), SpoolError> {
        let trace_id = trace_id.as_u128();
        self.undecided.retain_in((trace_id, 0)..=(trace_id, u128::MAX), |_, _| false)?;
        Ok(())
    }
}
