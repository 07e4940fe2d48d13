//! Descriptors of stages whose names are created at run time, such as routes or types of jobs.
//!
//! Descriptors are never freed. Their number and the length of their names are bounded, because a
//! name may be chosen by somebody outside the program, who must not be able to fill its memory.
//! Past the bound the caller has to use a more general name.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::{OnceLock, PoisonError, RwLock};

use super::StageDescriptor;
use super::lookup;
use super::section::CatalogEntry;

/// The maximum number of names, or groups of names, that a process interns.
const MAX_INTERNED: usize = 1_024;
/// The maximum length of an interned name in bytes. A longer name is cut at the end of a character
/// and ends in `…`.
const MAX_INTERNED_NAME: usize = 200;

static INTERNED: RwLock<Option<Interned>> = RwLock::new(None);

/// Identifies a descriptor by its name, its target and the address of its declared fields.
type Key<'a> = (&'a str, &'static str, usize);

fn key<'a>(name: &'a str, template: &StageDescriptor) -> Key<'a> {
    (name, template.target(), template.fields().as_ptr().addr())
}

#[derive(Default)]
struct Interned {
    entries: HashMap<Key<'static>, &'static CatalogEntry>,
    /// The groups of names, which [`MAX_INTERNED`] bounds.
    groups: HashSet<Key<'static>>,
}

/// The result of looking up a name.
enum Known {
    Entry(&'static CatalogEntry),
    /// The name is not interned, and the bound has been reached.
    Refused,
    Absent,
}

/// The function that is called for each new stage.
static WATCHER: OnceLock<fn(&'static StageDescriptor)> = OnceLock::new();

/// Registers a function to be called for each stage that is interned from now on, on the thread
/// that interns it.
///
/// Only the first registration in a process has an effect.
pub fn watch_interned(watcher: fn(&'static StageDescriptor)) {
    WATCHER.get_or_init(|| watcher);
}

/// Returns the descriptor named `name` that is otherwise like `template`, creating it on the first
/// call, or `None` if it does not exist and `MAX_INTERNED` others do.
///
/// Kind, level and source location are those of the first call with this name, this target and
/// these declared fields.
pub fn intern(name: &str, template: &StageDescriptor) -> Option<&'static CatalogEntry> {
    intern_in(name, name, template)
}

/// Returns the descriptor named `name` as [`intern`] does, but counts its group against the bound
/// instead of its name.
///
/// A group has few names, such as a route combined with each HTTP method. Whoever chooses among the
/// names of a group takes no room from others.
pub fn intern_in(group: &str, name: &str, template: &StageDescriptor) -> Option<&'static CatalogEntry> {
    let (group, name) = (bounded(group), bounded(name));
    // Checked under the read lock first, so that threads do not wait for each other once the bound
    // is reached.
    match known(&group, &name, template) {
        Known::Entry(entry) => return Some(entry),
        Known::Refused => return None,
        Known::Absent => {}
    }
    let mut guard = INTERNED.write().unwrap_or_else(PoisonError::into_inner);
    let interned = guard.get_or_insert_default();
    // Another thread may have added it in the meantime.
    match interned.known(&key(&group, template), &key(&name, template)) {
        Known::Entry(entry) => return Some(entry),
        Known::Refused => return None,
        Known::Absent => {}
    }
    if !interned.groups.contains(&key(&group, template)) {
        interned.groups.insert(key(leaked(group), template));
    }
    let added = interned.add(leaked(name), template);
    drop(guard);
    announce(added);
    Some(added)
}

/// Returns the descriptor named `name` as [`intern`] does, for names that the program's source
/// lists, such as HTTP methods. They do not count against the bound, so that such a name can serve
/// as a fallback.
pub fn intern_listed(name: &'static str, template: &StageDescriptor) -> &'static CatalogEntry {
    if let Known::Entry(entry) = known(name, name, template) {
        return entry;
    }
    let mut guard = INTERNED.write().unwrap_or_else(PoisonError::into_inner);
    let interned = guard.get_or_insert_default();
    if let Some(entry) = interned.entries.get(&key(name, template)) {
        return entry;
    }
    let added = interned.add(name, template);
    drop(guard);
    announce(added);
    added
}

/// Looks up a name, first in the lock-free table and then under the read lock.
fn known(group: &str, name: &str, template: &StageDescriptor) -> Known {
    if let Some(entry) = lookup::find(name, template) {
        return Known::Entry(entry);
    }
    let interned = INTERNED.read().unwrap_or_else(PoisonError::into_inner);
    let known =
        interned.as_ref().map_or(Known::Absent, |interned| interned.known(&key(group, template), &key(name, template)));
    drop(interned);
    if let Known::Entry(entry) = known {
        lookup::keep(entry);
    }
    known
}

fn leaked(text: Cow<'_, str>) -> &'static str {
    Box::leak(text.into_owned().into_boxed_str())
}

/// Calls the registered watcher, if there is one.
fn announce(added: &'static CatalogEntry) {
    if let Some(watcher) = WATCHER.get() {
        watcher(added.get());
    }
}

impl Interned {
    fn known(&self, group: &Key<'_>, name: &Key<'_>) -> Known {
        match self.entries.get(name) {
            Some(entry) => Known::Entry(entry),
            None if self.groups.len() < MAX_INTERNED || self.groups.contains(group) => Known::Absent,
            None => Known::Refused,
        }
    }

    fn add(&mut self, name: &'static str, template: &StageDescriptor) -> &'static CatalogEntry {
        let entry: &'static CatalogEntry = Box::leak(Box::new(CatalogEntry::new(template.with_name(name))));
        self.entries.insert(key(name, template), entry);
        entry
    }
}

/// Returns every interned descriptor, in no particular order. If several differ only in their
/// fields, the one with the most fields is returned.
pub(super) fn all() -> Vec<&'static StageDescriptor> {
    let interned = INTERNED.read().unwrap_or_else(PoisonError::into_inner);
    let mut all: Vec<_> =
        interned.iter().flat_map(|interned| interned.entries.values()).map(|entry| entry.get()).collect();
    all.sort_by_key(|stage| (stage.name(), stage.target(), Reverse(stage.fields().len())));
    all.dedup_by_key(|stage| (stage.name(), stage.target()));
    all
}

/// Cuts a name that is longer than [`MAX_INTERNED_NAME`].
fn bounded(name: &str) -> Cow<'_, str> {
    const MARK: char = '…';
    if name.len() <= MAX_INTERNED_NAME {
        return name.into();
    }
    let end = name.floor_char_boundary(MAX_INTERNED_NAME - MARK.len_utf8());
    format!("{}{MARK}", &name[..end]).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_too_long_is_cut_at_the_end_of_a_character() {
        for name in ["é".repeat(150), "x".repeat(201), "🦀".repeat(51)] {
            let cut = bounded(&name);
            assert!(
                cut.len() <= MAX_INTERNED_NAME && cut.ends_with('…') && name.starts_with(cut.trim_end_matches('…'))
            );
        }
        assert_eq!(bounded(&"x".repeat(200)), "x".repeat(200));
    }
}
