//! Identifiers of traces, spans and records, and their W3C text forms.
//!
//! Ids come from thread-local random numbers; a record's id is derived from one random number and
//! the record's position. No function here takes a lock, and none enters the kernel once a thread
//! has a seed. For this reason trace ids are not made by `Uuid::now_v7`, which keeps a counter
//! behind a mutex; the counter would also replace random bits that W3C Trace Context asks for.

use std::cell::Cell;
use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use uuid::Uuid;

use crate::parse::ParseError;
use crate::time::Timestamp;

/// The 128-bit id of a trace, shared by everything that belongs to one request.
///
/// New ids are version 7 UUIDs (RFC 9562, section 5.7): 48 bits of Unix milliseconds, so that they
/// sort by age, then 74 random bits. The low 56 bits are random, as W3C Trace Context level 2
/// requires for its random trace id flag, so samplers may rely on them. An id prints as a
/// hyphenated UUID; [`TraceId::to_hex`] returns the 32 digits of the W3C header.
///
/// # Examples
///
/// ```
/// use ragtrace::TraceId;
///
/// let id: TraceId = "0af7651916cd43dd8448eb211c80319c".parse()?;
/// assert_eq!(id.to_string(), "0af76519-16cd-43dd-8448-eb211c80319c");
/// # Ok::<(), ragtrace::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId(u128);

impl TraceId {
    /// Creates a new id that contains the current time.
    pub fn new() -> Self {
        Self::at(Timestamp::now())
    }

    /// Creates a new id that contains the time `now`.
    pub(crate) fn at(now: Timestamp) -> Self {
        Self(version_7(now, random(), random()))
    }

    /// Creates an id from 128 bits, or returns `None` for zero, which W3C Trace Context (section
    /// 3.2.2.3) declares invalid.
    pub fn from_u128(bits: u128) -> Option<Self> {
        (bits != 0).then_some(Self(bits))
    }

    /// Returns the id's 128 bits as an integer.
    pub fn as_u128(self) -> u128 {
        self.0
    }

    /// Returns the upper and the lower 64 bits.
    pub(crate) fn halves(self) -> (u64, u64) {
        self.as_uuid().as_u64_pair()
    }

    /// Creates an id from its upper and lower 64 bits, or returns `None` for zero.
    pub(crate) fn from_halves(high: u64, low: u64) -> Option<Self> {
        Self::from_u128(Uuid::from_u64_pair(high, low).as_u128())
    }

    /// Returns the id as a UUID.
    pub fn as_uuid(self) -> Uuid {
        Uuid::from_u128(self.0)
    }

    /// Returns the id as 32 lower-case hex digits, as in a `traceparent` header.
    pub fn to_hex(self) -> String {
        let (high, low) = self.halves();
        let mut digits = [0; 32];
        digits[..16].copy_from_slice(&digits_of(high));
        digits[16..].copy_from_slice(&digits_of(low));
        hex(&digits).to_owned()
    }

    /// Returns the id as the ASCII text of a hyphenated UUID.
    #[doc(hidden)]
    pub fn to_hyphenated(self) -> [u8; 36] {
        let (high, low) = self.halves();
        let (high, low) = (digits_of(high), digits_of(low));
        let mut text = [b'-'; 36];
        text[..8].copy_from_slice(&high[..8]);
        text[9..13].copy_from_slice(&high[8..12]);
        text[14..18].copy_from_slice(&high[12..]);
        text[19..23].copy_from_slice(&low[..4]);
        text[24..].copy_from_slice(&low[4..]);
        text
    }
}

impl Default for TraceId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(hex(&self.to_hyphenated()))
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({self})")
    }
}

impl FromStr for TraceId {
    type Err = ParseError;

    /// Parses a hyphenated UUID or 32 hex digits that are not all zero.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let well_formed = matches!(text.len(), 32 | 36);
        Uuid::try_parse(text)
            .ok()
            .filter(|_| well_formed)
            .and_then(|uuid| Self::from_u128(uuid.as_u128()))
            .ok_or_else(|| ParseError::new("a trace id (a UUID or 32 hex digits, not all zero)", text))
    }
}

/// The 64-bit id of one run of a stage. It is never zero, and prints as 16 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanId(NonZeroU64);

impl SpanId {
    /// Creates a new random id.
    #[inline]
    #[expect(clippy::new_without_default, reason = "a default value that differs each time would be surprising")]
    pub fn new() -> Self {
        Self(NonZeroU64::new(random()).unwrap_or(NonZeroU64::MIN))
    }

    /// Creates an id from 64 bits, or returns `None` for zero, which W3C Trace Context (section
    /// 3.2.2.4) declares invalid.
    #[inline]
    pub fn from_u64(bits: u64) -> Option<Self> {
        NonZeroU64::new(bits).map(Self)
    }

    /// Returns the id's 64 bits as an integer.
    #[inline]
    pub fn as_u64(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(hex(&digits_of(self.as_u64())))
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpanId({self})")
    }
}

impl FromStr for SpanId {
    type Err = ParseError;

    /// Parses 16 hex digits that are not all zero.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let digits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        digits
            .then(|| u64::from_str_radix(text, 16).ok())
            .flatten()
            .and_then(Self::from_u64)
            .ok_or_else(|| ParseError::new("a span id (16 hex digits, not all zero)", text))
    }
}

/// Returns the 16 lower-case hex digits of a number.
///
/// Each request formats several ids, and `format!` takes much longer because it handles widths and
/// signs.
pub(crate) fn digits_of(number: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    digits[..8].copy_from_slice(&digits_of_half(number >> 32));
    digits[8..].copy_from_slice(&digits_of_half(number & 0xffff_ffff));
    digits
}

/// Returns the 8 hex digits of a 32-bit number, computed all at once.
const fn digits_of_half(half: u64) -> [u8; 8] {
    // Each digit is in a byte of its own, the first digit in the highest byte.
    let pairs = (half | half << 16) & 0x0000_ffff_0000_ffff;
    let bytes = (pairs | pairs << 8) & 0x00ff_00ff_00ff_00ff;
    let nibbles = (bytes | bytes << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    // Each byte is 1 where the digit is above 9.
    let letters = ((nibbles + 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101;
    let to_letter = (b'a' - b'9' - 1) as u64;
    (nibbles + 0x3030_3030_3030_3030 + letters * to_letter).to_be_bytes()
}

/// Parses at most 16 lower-case hex digits. Returns `None` for a longer input or another byte.
#[doc(hidden)]
#[inline]
pub fn number_of(digits: &[u8]) -> Option<u64> {
    let (mut number, mut all) = (0, 0);
    for digit in digits {
        let value = NIBBLES[usize::from(*digit)];
        all |= value;
        number = number << 4 | u64::from(value & 0xf);
    }
    (digits.len() <= 16 && all < NO_DIGIT).then_some(number)
}

/// The table's value for bytes that are not digits.
const NO_DIGIT: u8 = 0x80;

/// The values of the lower-case hex digits, indexed by byte.
static NIBBLES: [u8; 256] = {
    let mut nibbles = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        nibbles[if value < 10 { b'0' + value } else { b'a' - 10 + value } as usize] = value;
        value += 1;
    }
    nibbles
};

/// Returns hex digits as a string.
pub(crate) fn hex(digits: &[u8]) -> &str {
    str::from_utf8(digits).unwrap_or_default()
}

thread_local! {
    static RANDOM: Cell<u64> = const { Cell::new(0) };
}

/// Returns 64 random bits from the thread's generator.
///
/// This is one step of `wyrand`, as implemented in the crate `fastrand`. Every stage needs a random
/// number, and keeping the state in a thread-local with a constant initializer makes the step
/// cheaper than a call to that crate.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "takes the two halves of the product")]
pub fn random() -> u64 {
    RANDOM.with(|state| {
        let before = match state.get() {
            0 => seed(),
            before => before,
        };
        let after = before.wrapping_add(0x2d35_8dcc_aa6c_78a5);
        state.set(after);
        let product = u128::from(after) * u128::from(after ^ 0x8bb8_4b93_962e_acc9);
        product as u64 ^ (product >> 64) as u64
    })
}

/// Returns a random seed, which is not zero.
#[cold]
fn seed() -> u64 {
    fastrand::u64(1..)
}

/// Reseeds the thread's generator in a forked process, so that it makes other ids than the parent
/// and its other children.
pub(crate) fn diverge(process: u64) {
    RANDOM.with(|state| state.set(mixed(state.get() ^ mixed(process) ^ Timestamp::now().as_micros().cast_unsigned())));
}

/// Builds a version 7 UUID (RFC 9562, section 5.7) from a time in milliseconds, the low 12 bits of
/// `a` and the low 62 bits of `b`.
fn version_7(now: Timestamp, a: u64, b: u64) -> u128 {
    let millis = u128::from(now.as_micros().max(0).unsigned_abs() / 1_000) & ((1 << 48) - 1);
    let (a, b) = (u128::from(a & 0x0fff), u128::from(b & ((1 << 62) - 1)));
    millis << 80 | 0x7 << 76 | a << 64 | 0b10 << 62 | b
}

/// Returns the id of record `number`, created at `now`.
///
/// The id is a version 7 UUID, so that rows sort by age in an index. It contains the fraction of
/// the millisecond (RFC 9562, section 6.2, method 3) and bits derived from `number`, which is
/// random or counts up from a random number. Consecutive numbers give ids that look as random as
/// the first.
pub fn record_id(now: Timestamp, number: u64) -> Uuid {
    let fraction = now.as_micros().rem_euclid(1_000).unsigned_abs() * 4_096 / 1_000;
    Uuid::from_u128(version_7(now, fraction, mixed(number)))
}

/// Mixes the bits of a number, mapping different numbers to different results (the finalizer of
/// `SplitMix64`: Steele, Lea and Flood, OOPSLA 2014).
fn mixed(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_id_is_a_version_7_uuid_of_the_current_time() {
        let id = TraceId::new();
        assert_eq!(id.as_uuid().get_version_num(), 7);
        let (seconds, _) = id.as_uuid().get_timestamp().expect("version 7 carries a time").to_unix();
        let now = Timestamp::now().as_micros().unsigned_abs() / 1_000_000;
        assert!(now.abs_diff(seconds) <= 2, "{seconds} is not near {now}");
    }

    #[test]
    fn ids_read_back_what_they_print() {
        let trace = TraceId::new();
        assert_eq!(trace.to_string().parse(), Ok(trace));
        assert_eq!(trace.to_hex().parse(), Ok(trace));
        let span = SpanId::new();
        assert_eq!(span.to_string().parse(), Ok(span));
    }

    #[test]
    fn hex_digits_are_those_that_the_standard_library_writes() {
        for number in [0, 1, 9, 10, 15, 16, 0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, u64::MAX] {
            let digits = digits_of(number);
            assert_eq!(hex(&digits), format!("{number:016x}"));
            assert_eq!(number_of(&digits), Some(number));
        }
        for id in [TraceId::new(), TraceId(1), TraceId(u128::MAX), TraceId(0x0123_4567_89ab_cdef << 60)] {
            assert_eq!(id.to_string(), id.as_uuid().as_hyphenated().to_string());
            assert_eq!(id.to_hex(), id.as_uuid().as_simple().to_string());
        }
    }

    #[test]
    fn a_byte_that_is_no_lower_case_digit_makes_no_number() {
        for byte in 0..=u8::MAX {
            let is_digit = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            assert_eq!(number_of(&[b'1', byte, b'2']).is_some(), is_digit, "{byte:#x}");
        }
        assert_eq!(number_of(&[b'0'; 17]), None);
    }

    #[test]
    fn malformed_and_zero_ids_are_refused() {
        for text in ["", "0", "not an id", "{0191e4a0-0000-7000-8000-000000000001}", &"0".repeat(32)] {
            assert!(text.parse::<TraceId>().is_err(), "{text:?}");
        }
        for text in ["", "+00000000000001f", "0000000000000000", "12345"] {
            assert!(text.parse::<SpanId>().is_err(), "{text:?}");
        }
    }
}
