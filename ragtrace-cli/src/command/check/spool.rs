//! Reads the account of processes from their spool's folder.

use std::path::Path;

use ragtrace::Timestamp;
use ragtrace::spool::{self, DeadLetters, SlotSink, SpoolSlot};

use super::finding::Finding;
use super::limits::{Limits, Waiting};

/// Checks the spool in `folder`, without disturbing the processes that use it.
pub(super) fn check(folder: &Path, limits: &Limits) -> Vec<Finding> {
    let subject = format!("spool {}", folder.display());
    let unreadable = |error: std::io::Error| vec![Finding::wrong(&subject, format!("it cannot be read: {error}"))];
    let slots = match spool::survey(folder) {
        Ok(slots) => slots,
        Err(error) => return unreadable(error),
    };
    let letters = match DeadLetters::new(folder).read() {
        Ok(letters) => letters.len() as u64,
        Err(error) => return unreadable(error),
    };
    let mut wrong = limits.exceeded(&Waiting { dead_letters: letters, ..Waiting::default() });
    wrong.extend(slots.iter().flat_map(|slot| of_slot(slot, limits)));
    if !wrong.is_empty() {
        return wrong.into_iter().map(|why| Finding::wrong(&subject, why)).collect();
    }
    let records: u64 = slots.iter().flat_map(sinks).map(|sink| sink.records).sum();
    let live = slots.iter().filter(|slot| slot.is_live).count();
    vec![Finding::fine(subject, format!("{records} records wait, {live} processes use it"))]
}

fn sinks(slot: &SpoolSlot) -> impl Iterator<Item = &SlotSink> {
    slot.account.iter().flat_map(|account| &account.sinks)
}

fn of_slot(slot: &SpoolSlot, limits: &Limits) -> Vec<String> {
    let name = slot.folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut wrong = Vec::new();
    if let Some(why) = slot.account.as_ref().and_then(|account| account.trouble.as_deref()).filter(|_| slot.is_live) {
        wrong.push(format!("{name}: its process cannot use the disk: {why}"));
    }
    for file in &slot.set_aside {
        let path = file.path.display();
        wrong.push(format!("{name}: a damaged file was set aside, whose records were not delivered: `{path}`"));
    }
    for sink in sinks(slot) {
        let age = sink.oldest.map(|oldest| Timestamp::now().since(oldest));
        let waiting = Waiting { age, records: sink.records, spooled: sink.records, ..Waiting::default() };
        let left = if slot.is_live { "" } else { " (its process has ended: start a program that uses this folder)" };
        wrong.extend(limits.exceeded(&waiting).iter().map(|why| format!("{name}, sink {}: {why}{left}", sink.name)));
    }
    if slot.account.is_none() && !slot.is_live && slot.file_bytes.is_some() {
        let bytes = slot.file_bytes.unwrap_or_default();
        wrong.push(format!(
            "{name}: {bytes} bytes of an ended process without an account: start a program that uses this folder"
        ));
    }
    wrong
}
