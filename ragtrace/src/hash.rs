//! A hasher for keys that nobody from outside chooses: random ids and addresses of our own.

use std::hash::{BuildHasherDefault, Hasher};

/// One multiplication, which spreads also what is counted up to the upper bits (the constant is
/// that of Fibonacci hashing, 2^64 over the golden ratio: Knuth, The Art of Computer Programming,
/// volume 3, section 6.4).
#[inline]
pub(crate) const fn spread(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Makes [`FastHasher`]s.
pub(crate) type FastHash = BuildHasherDefault<FastHasher>;

/// Spreads numbers, one after the other.
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
