//! A lock-free table in front of the interned descriptors.
//!
//! A name is looked up once a request, and a name in the table is found without a lock that all
//! threads share. A descriptor can be in one of a few slots that its name's hash determines. If
//! other descriptors occupy all of them, it is looked up under the lock each time.

use std::sync::OnceLock;

use super::StageDescriptor;
use super::section::CatalogEntry;

/// The number of slots: twice the number of names or groups that the bound allows, because most
/// routes are requested with one or two methods.
const PLACES: usize = 2_048;
/// The number of slots that a descriptor can be in.
const TRIES: usize = 8;

static TABLE: [OnceLock<&'static CatalogEntry>; PLACES] = [const { OnceLock::new() }; PLACES];

/// Returns the descriptor named `name` that is otherwise like `template`, if the table contains it.
pub(super) fn find(name: &str, template: &StageDescriptor) -> Option<&'static CatalogEntry> {
    let is_it = |entry: &&'static CatalogEntry| {
        let stage = entry.get();
        stage.name() == name
            && stage.fields().as_ptr() == template.fields().as_ptr()
            && stage.target() == template.target()
    };
    places(name, template).map_while(|place| place.get().copied()).find(is_it)
}

/// Puts a descriptor into the first free one of its slots, if any is free.
pub(super) fn keep(entry: &'static CatalogEntry) {
    let stage = entry.get();
    for place in places(stage.name(), stage) {
        // If the slot already held another descriptor, the next slot is tried.
        if std::ptr::eq(*place.get_or_init(|| entry), entry) {
            break;
        }
    }
}

/// Returns the slots that a descriptor can be in, in the order in which they are tried.
fn places(name: &str, stage: &StageDescriptor) -> impl Iterator<Item = &'static OnceLock<&'static CatalogEntry>> {
    let first = hash(name.as_bytes(), stage.fields().as_ptr().addr() as u64);
    (0..TRIES as u64).filter_map(move |step| {
        let at = usize::try_from(first.wrapping_add(step) % PLACES as u64).ok()?;
        TABLE.get(at)
    })
}

/// Hashes a name, eight bytes at a time, with the multiplier of Fibonacci hashing (2^64 divided by
/// the golden ratio: Knuth, The Art of Computer Programming, volume 3, section 6.4). Names that
/// collide are still found.
fn hash(name: &[u8], seed: u64) -> u64 {
    let spread = |state: u64, word: u64| {
        let state = (state ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        state ^ state >> 32
    };
    let (words, rest) = name.as_chunks::<8>();
    let state = words.iter().fold(seed, |state, word| spread(state, u64::from_le_bytes(*word)));
    spread(state, rest.iter().fold(name.len() as u64, |word, byte| word << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::FieldDescriptor;

    #[test]
    fn a_descriptor_is_found_by_name_target_and_fields_once_it_is_kept() {
        static FIELDS: [FieldDescriptor; 1] = [FieldDescriptor::start("one")];
        let template = StageDescriptor::new("", "lookup").with_fields(&FIELDS);
        let entry: &'static CatalogEntry = Box::leak(Box::new(CatalogEntry::new(template.with_name("GET /kept"))));
        let is_found = |name: &str, template: &StageDescriptor| {
            find(name, template).is_some_and(|found| std::ptr::eq(found, entry))
        };
        assert!(!is_found("GET /kept", &template));
        keep(entry);
        keep(entry);
        assert!(is_found("GET /kept", &template));
        assert!(!is_found("GET /kept/", &template));
        assert!(!is_found("GET /kept", &StageDescriptor::new("", "lookup")));
        assert!(!is_found("GET /kept", &StageDescriptor::new("", "elsewhere").with_fields(&FIELDS)));
    }

    #[test]
    fn names_that_differ_anywhere_have_other_places_mostly() {
        let mut places: Vec<u64> =
            (0..1_000_u64).map(|number| hash(format!("GET /items/{number:b}").as_bytes(), 0) % PLACES as u64).collect();
        places.sort_unstable();
        places.dedup();
        // 1,000 names placed in 2,048 slots at random occupy 791 on average.
        assert!(places.len() > 700, "{}", places.len());
        assert_ne!(hash(b"GET", 0), hash(b"GET\0", 0));
    }
}
