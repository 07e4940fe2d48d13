//! The hash of interned names, which are looked up once a request: eight bytes at a time. Each map has a seed of its own, so
//! that names which somebody chooses do not meet on purpose.

use std::hash::{BuildHasher, Hasher};

use crate::id;

/// Makes hashers with one random seed.
#[derive(Clone, Copy, Debug)]
pub(super) struct NameHash(u64);

impl Default for NameHash {
    fn default() -> Self {
        Self(id::random())
    }
}

impl BuildHasher for NameHash {
    type Hasher = NameHasher;

    #[inline]
    fn build_hasher(&self) -> NameHasher {
        NameHasher { state: self.0, seed: self.0 | 1 }
    }
}

/// Folds the product of each word and the seed into one number.
#[derive(Debug)]
pub(super) struct NameHasher {
    state: u64,
    seed: u64,
}

impl Hasher for NameHasher {
    #[inline]
    fn finish(&self) -> u64 {
        self.state
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        let rest = rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        // The length tells a text from one with zeros behind it.
        self.write_u64(rest ^ (bytes.len() as u64) << 56);
    }

    #[inline]
    fn write_u8(&mut self, number: u8) {
        self.write_u64(number.into());
    }

    #[inline]
    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the halves of a product")]
    fn write_u64(&mut self, word: u64) {
        // An odd constant (SplitMix64's increment), so that a word that is the state does not make a zero of it for good.
        let product = u128::from(self.state ^ word) * u128::from(self.seed ^ 0x9e37_79b9_7f4a_7c15);
        self.state = (product as u64 ^ (product >> 64) as u64).wrapping_add(self.seed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_anywhere_have_other_hashes() {
        let hash = NameHash::default();
        let names: Vec<String> = (0..512).map(|number| format!("GET /items/{number:b}")).collect();
        let mut hashes: Vec<u64> = names.iter().map(|name| hash.hash_one((name.as_str(), "target", 7_usize))).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), names.len());
        assert_eq!(hash.hash_one("GET /items"), hash.hash_one(String::from("GET /items")));
        assert_ne!(hash.hash_one("GET"), hash.hash_one("GET\0"));
    }
}
