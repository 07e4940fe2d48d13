//! Descriptors of stages whose names are made at run time: a route, a job's type.
//!
//! A descriptor is never freed, so their number and their length have bounds: a name that whoever
//! calls the program can choose must not fill its memory. Names beyond the bound are the caller's
//! to replace by one that has fewer values.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::{OnceLock, PoisonError, RwLock};

use super::StageDescriptor;
use super::lookup;
use super::section::CatalogEntry;

/// The most names, or groups of names, that a process interns.
const MAX_INTERNED: usize = 1_024;
/// The longest interned name, in bytes; a longer one is cut, at a character's end, and ends in `…`.
const MAX_INTERNED_NAME: usize = 200;

static INTERNED: RwLock<Option<Interned>> = RwLock::new(None);

/// Name, target, and where the declared fields lie.
type Key<'a> = (&'a str, &'static str, usize);

fn key<'a>(name: &'a str, template: &StageDescriptor) -> Key<'a> {
    (name, template.target(), template.fields().as_ptr().addr())
}

#[derive(Default)]
struct Interned {
    entries: HashMap<Key<'static>, &'static CatalogEntry>,
    /// The groups of names, whose number has the bound.
    groups: HashSet<Key<'static>>,
}

/// A name as it is known: its entry, or why there is none.
enum Known {
    Entry(&'static CatalogEntry),
    /// It is not there, and there is no room for it.
    Refused,
    Absent,
}

/// Hears of each stage that is made.
static WATCHER: OnceLock<fn(&'static StageDescriptor)> = OnceLock::new();

/// Calls `watcher` for each stage whose name is interned from now on, on the thread that is the
/// first to have it. There is one watcher in a process, the first.
pub fn watch_interned(watcher: fn(&'static StageDescriptor)) {
    WATCHER.get_or_init(|| watcher);
}

/// Returns the descriptor of this name that is like `template` besides, which is made the first
/// time, or `None` if there are `MAX_INTERNED` others.
///
/// Kind and place are those of the first time with this target and these declared fields.
pub fn intern(name: &str, template: &StageDescriptor) -> Option<&'static CatalogEntry> {
    intern_in(name, name, template)
}

/// Does as [`intern`] for one of the few names that are made of `group`, such as those of a route
/// with each method of HTTP. It is the group that counts for the bound, so that whoever chooses
/// among its names takes no other's room.
pub fn intern_in(group: &str, name: &str, template: &StageDescriptor) -> Option<&'static CatalogEntry> {
    let (group, name) = (bounded(group), bounded(name));
    // Past the bound as well nobody waits for the others.
    match known(&group, &name, template) {
        Known::Entry(entry) => return Some(entry),
        Known::Refused => return None,
        Known::Absent => {}
    }
    let mut guard = INTERNED.write().unwrap_or_else(PoisonError::into_inner);
    let interned = guard.get_or_insert_default();
    // Another thread may have made it meanwhile.
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

/// Does as [`intern`] for a name that the program's text lists, such as a method of HTTP. It does
/// not count for the bound, so that there is one to fall back to.
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

/// Returns every interned descriptor, in no order; of those that differ in their fields alone, the
/// one that has most.
pub(super) fn all() -> Vec<&'static StageDescriptor> {
    let interned = INTERNED.read().unwrap_or_else(PoisonError::into_inner);
    let mut all: Vec<_> =
        interned.iter().flat_map(|interned| interned.entries.values()).map(|entry| entry.get()).collect();
    all.sort_by_key(|stage| (stage.name(), stage.target(), Reverse(stage.fields().len())));
    all.dedup_by_key(|stage| (stage.name(), stage.target()));
    all
}

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
