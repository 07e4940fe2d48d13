//! The account of a slot: what its process has on disk, in a small file that anybody may read while
//! the process has the database open.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Instant;

use ragtrace_core::Timestamp;
use serde_json::{Value as Json, json};

use super::database::{BatchMeta, Contents};
use super::replace;
use crate::json_members::{Json as Read, Members};

/// The name of the file in its slot.
const NAME: &str = "account.json";
/// The version of the format.
const VERSION: u64 = 1;

/// The account of a slot, as its process wrote it last.
///
/// A process writes it at its start, about a second after a change, and at its end. One that was
/// killed may have stored or delivered batches within that second.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlotAccount {
    /// The time at which the account was written.
    pub at: Timestamp,
    /// The number of the process.
    pub pid: u32,
    /// The name of the process's host, if it has one.
    pub host: Option<String>,
    /// The time at which the process opened the spool.
    pub started_at: Timestamp,
    /// The batches of each sink, in the order of the sinks' names; sinks without batches are
    /// missing.
    pub sinks: Vec<SlotSink>,
    /// The number of traces whose records a sampler holds on disk.
    pub undecided_traces: u64,
    /// The reason for which the process cannot use the disk now.
    pub trouble: Option<String>,
}

/// The batches in a slot that wait for one sink.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlotSink {
    /// The name of the sink.
    pub name: String,
    /// The number of batches.
    pub batches: u64,
    /// The number of records in them.
    pub records: u64,
    /// The bytes that they take on disk.
    pub bytes: u64,
    /// The time at which the oldest batch was stored.
    pub oldest: Option<Timestamp>,
}

impl SlotAccount {
    /// Reads the account of the slot in `folder`. Returns `None` if there is none that can be read.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        let text = fs::read_to_string(folder.join(NAME)).ok()?;
        let members = Members::of(&text).ok()?;
        (members.unsigned("version")? == VERSION).then_some(())?;
        let sink = |json| match json {
            Read::Nested(text) => Members::of(text).ok().and_then(|members| sink(&members)),
            _ => None,
        };
        Some(Self {
            at: members.parsed("at")?,
            pid: u32::try_from(members.unsigned("pid")?).ok()?,
            host: members.text("host").map(str::to_owned),
            started_at: members.parsed("started_at")?,
            sinks: members.list("sinks").ok()?.into_iter().map(sink).collect::<Option<_>>()?,
            undecided_traces: members.unsigned("undecided_traces")?,
            trouble: members.text("trouble").map(str::to_owned),
        })
    }

    /// Writes the account of the slot in `folder`. A reader sees this one or the one before.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let path = folder.join(NAME);
        fs::write(replace::beside(&path), self.to_json().to_string())?;
        fs::rename(replace::beside(&path), path)
    }

    fn to_json(&self) -> Json {
        let sink = |sink: &SlotSink| {
            json!({
                "name": sink.name, "batches": sink.batches, "records": sink.records, "bytes": sink.bytes,
                "oldest": sink.oldest.map(|at| at.to_string()),
            })
        };
        json!({
            "version": VERSION, "at": self.at.to_string(), "pid": self.pid, "host": self.host,
            "started_at": self.started_at.to_string(), "sinks": self.sinks.iter().map(sink).collect::<Vec<_>>(),
            "undecided_traces": self.undecided_traces, "trouble": self.trouble,
        })
    }

    /// Returns `true` if both say the same of the disk.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let same_time = Self { at: other.at, ..self.clone() };
        same_time == *other
    }
}

fn sink(members: &Members<'_>) -> Option<SlotSink> {
    Some(SlotSink {
        name: members.text("name")?.to_owned(),
        batches: members.unsigned("batches")?,
        records: members.unsigned("records")?,
        bytes: members.unsigned("bytes")?,
        oldest: members.parsed("oldest"),
    })
}

/// Removes the account of the slot in `folder`, whose batches are gone.
pub(super) fn remove(folder: &Path) {
    // A file that stays says when it was written.
    let _ = fs::remove_file(folder.join(NAME));
}

/// Corrects the account of an ended process's slot after its file was rewritten.
pub(super) fn correct(folder: &Path, contents: &Contents, undecided_traces: u64) {
    let Some(account) = SlotAccount::read(folder) else { return };
    let of_sink = |(name, batches): (&String, &BTreeMap<u64, BatchMeta>)| {
        let oldest = batches.values().map(|meta| meta.stored_at).min()?;
        Some(SlotSink {
            name: name.clone(),
            batches: batches.len() as u64,
            records: batches.values().map(|meta| meta.records).sum(),
            bytes: batches.values().map(|meta| meta.bytes).sum(),
            oldest: Some(Timestamp::from_micros(oldest)),
        })
    };
    let sinks = contents.iter().filter_map(of_sink).collect();
    let _ = SlotAccount { at: Timestamp::now(), sinks, undecided_traces, ..account }.write(folder);
}

/// The account that the spool's thread keeps.
#[derive(Debug)]
pub(super) struct AccountKeeper {
    pub(super) host: Option<String>,
    pub(super) started_at: Timestamp,
    pub(super) written: Option<(SlotAccount, Instant)>,
    /// Set if something may have changed since.
    pub(super) is_stale: bool,
}

impl Default for AccountKeeper {
    fn default() -> Self {
        let host = hostname::get().ok().and_then(|name| name.into_string().ok());
        Self { host, started_at: Timestamp::now(), written: None, is_stale: true }
    }
}
