//! A fast hasher for keys that cannot be chosen from outside, such as random ids and the process's
//! own addresses.

use std::hash::{BuildHasherDefault, Hasher};

/// Multiplies by a constant that spreads also consecutive numbers over the upper bits (Fibonacci
/// hashing; the constant is 2^64 divided by the golden ratio: Knuth, The Art of Computer
/// Programming, volume 3, section 6.4).
#[inline]
pub(crate) const fn spread(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A builder of [`FastHasher`]s.
pub(crate) type FastHash = BuildHasherDefault<FastHasher>;

/// A hasher that mixes one number after the other into its state.
#[derive(Debug, Default)]
pub(crate) struct FastHasher(u64);

impl Hasher for FastHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        let spread = spread(self.0 ^ number);
        self.0 = spread ^ spread >> 32;
    }

    #[inline]
    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    #[inline]
    fn write_i64(&mut self, number: i64) {
        self.write_u64(number.cast_unsigned());
    }

    #[inline]
    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
}
