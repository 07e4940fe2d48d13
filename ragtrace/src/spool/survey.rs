//! A survey of a spool's folder: its slots, and what each has on disk.

use std::io;
use std::path::{Path, PathBuf};

use super::account::SlotAccount;
use super::slot::{self, FileSetAside};

/// A slot of a spool's folder, which belongs to one process.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolSlot {
    /// The folder of the slot.
    pub folder: PathBuf,
    /// Set if a running process has the slot. Otherwise the next process that starts with this
    /// folder takes over the batches.
    pub is_live: bool,
    /// The account of the batches; `None` if there are none, or if a process of an earlier version
    /// of this library had the slot.
    pub account: Option<SlotAccount>,
    /// The length of the slot's file in bytes, or `None` if it has none.
    pub file_bytes: Option<u64>,
    /// The damaged files that were set aside, the oldest first.
    pub set_aside: Vec<FileSetAside>,
}

/// Returns the slots of the spool in `folder` that have anything in them or a running process, in
/// the order of their numbers.
///
/// No database is opened, so a running process is not disturbed. What dead letters there are, says
/// [`DeadLetters`](super::DeadLetters).
///
/// # Errors
///
/// Returns an error if the folder is missing or cannot be read.
///
/// ```no_run
/// for slot in ragtrace::spool::survey("/var/spool/rag-api")? {
///     println!("{}: {:?}", slot.folder.display(), slot.account);
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn survey(folder: impl AsRef<Path>) -> io::Result<Vec<SpoolSlot>> {
    let mut slots = Vec::new();
    for folder in slot::folders(folder.as_ref())? {
        let file_bytes = slot::database_of(&folder).metadata().ok().map(|file| file.len());
        let slot = SpoolSlot {
            is_live: slot::is_locked(&folder),
            account: SlotAccount::read(&folder),
            file_bytes,
            set_aside: slot::set_aside_in(&folder),
            folder,
        };
        if slot.is_live || slot.file_bytes.is_some() || !slot.set_aside.is_empty() {
            slots.push(slot);
        }
    }
    slots.sort_by_key(|slot| number_of(&slot.folder));
    Ok(slots)
}

/// Returns the number in the name of a slot's folder.
fn number_of(folder: &Path) -> Option<u64> {
    folder.file_name()?.to_str()?.strip_prefix("slot-")?.parse().ok()
}
