//! A writer of JSON objects into a byte buffer, without an intermediate tree and without
//! allocations of its own.

use std::fmt::Display;
use std::io::Write;
use std::time::Duration;

use uuid::Uuid;

use crate::Value;
use crate::value::encoding::EncodedValue;

/// A JSON object that is being written. [`Object::close`] ends it and lets the enclosing object
/// continue.
pub struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

/// Returns the JSON of one object as a string.
pub fn text_of(write: impl FnOnce(Object<'_>)) -> String {
    let mut out = Vec::with_capacity(128);
    write(Object::open(&mut out));
    String::from_utf8(out).unwrap_or_default()
}

/// Returns an escaped member name, without its opening quote but with the closing quote and the
/// colon.
pub fn key_of(name: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len() + 2);
    escaped(&mut key, name);
    key.extend_from_slice(b"\":");
    key
}

impl<'a> Object<'a> {
    /// Begins an object.
    #[inline]
    pub fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    /// Continues an object that already has members.
    pub fn continued(out: &'a mut Vec<u8>) -> Self {
        Self { out, empty: false }
    }

    /// Adds members that were written before, each preceded by a comma.
    #[inline]
    pub fn fragment(&mut self, members: &[u8]) {
        self.out.extend_from_slice(members);
    }

    /// Ends the object.
    #[inline]
    pub fn close(self) {
        self.out.push(b'}');
    }

    /// Begins a nested object.
    #[inline]
    pub fn nested(&mut self, name: &'static str) -> Object<'_> {
        self.key(name);
        Object::open(self.out)
    }

    /// Adds a `null` member.
    #[inline]
    pub fn null(&mut self, name: &'static str) {
        self.key(name);
        self.out.extend_from_slice(b"null");
    }

    /// Adds a boolean member.
    #[inline]
    pub fn boolean(&mut self, name: &'static str, value: bool) {
        self.key(name);
        self.put_boolean(value);
    }

    /// Adds an integer member.
    #[inline]
    pub fn unsigned(&mut self, name: &'static str, number: u64) {
        self.key(name);
        self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }

    /// Adds a number, or `null` for a number that JSON cannot represent.
    pub fn float(&mut self, name: &'static str, number: f64) {
        self.key(name);
        self.put_float(number);
    }

    /// Adds a duration in milliseconds, with the same result as [`Object::float`]: the decimal
    /// digits of a whole number of nanoseconds are already the shortest form, as long as an `f64`
    /// can distinguish them.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the numbers are below a hundred")]
    pub fn millis(&mut self, name: &'static str, time: Duration) {
        const MOST: u64 = 1_000_000_000_000_000;
        self.key(name);
        match u64::try_from(time.as_nanos()) {
            Ok(nanos @ 10..MOST) => {
                let (whole, rest) = (nanos / 1_000_000, nanos % 1_000_000);
                self.out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
                let mut digits = *b".000000";
                for (pair, number) in digits[1..].chunks_exact_mut(2).zip([rest / 10_000, rest / 100 % 100, rest % 100])
                {
                    pair.copy_from_slice(&DECIMAL[number as usize]);
                }
                // One zero stays, because a number with a decimal point has at least one decimal.
                let zeros = digits[2..].iter().rev().take_while(|digit| **digit == b'0').count();
                self.out.extend_from_slice(&digits[..digits.len() - zeros]);
            }
            _ => self.put_float(millis(time)),
        }
    }

    /// Adds a string member.
    #[inline]
    pub fn text(&mut self, name: &'static str, text: &str) {
        self.key(name);
        string(self.out, text);
    }

    /// Adds a string member if there is one.
    pub fn optional_text(&mut self, name: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// Adds a list of strings.
    pub fn texts(&mut self, name: &'static str, texts: &[String]) {
        self.key(name);
        self.out.push(b'[');
        for (index, text) in texts.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            string(self.out, text);
        }
        self.out.push(b']');
    }

    /// Adds a string that needs no escapes.
    #[inline]
    pub fn ascii(&mut self, name: &'static str, text: &[u8]) {
        self.key(name);
        self.out.push(b'"');
        self.out.extend_from_slice(text);
        self.out.push(b'"');
    }

    /// Adds a member whose value is already JSON.
    pub fn raw(&mut self, name: &'static str, json: &str) {
        self.key(name);
        self.out.extend_from_slice(json.as_bytes());
    }

    /// Begins a member with a name that may need escapes, and returns the buffer for its value.
    pub fn value(&mut self, name: &str) -> &mut Vec<u8> {
        self.begin_key();
        escaped(self.out, name);
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// Adds a list whose elements are written by `write`.
    pub fn list<T>(&mut self, name: &'static str, values: &[T], mut write: impl FnMut(&mut Vec<u8>, &T)) {
        self.key(name);
        self.out.push(b'[');
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            write(self.out, value);
        }
        self.out.push(b']');
    }

    /// Adds a string given in two parts.
    pub fn text_of_two(&mut self, name: &'static str, first: &str, second: &str) {
        self.key(name);
        self.out.push(b'"');
        escaped(self.out, first);
        escaped(self.out, second);
        self.out.push(b'"');
    }

    /// Adds a UUID in its hyphenated form.
    #[inline]
    pub fn uuid(&mut self, name: &'static str, uuid: Uuid) {
        /// The position of each byte's digits. The gaps between the groups hold hyphens.
        const PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
        let mut digits = [b'-'; 36];
        for (byte, at) in uuid.as_bytes().iter().zip(PLACES) {
            digits[at..at + 2].copy_from_slice(&HEXADECIMAL[usize::from(*byte)]);
        }
        self.ascii(name, &digits);
    }

    /// Adds a number as a string of 16 lower-case hex digits.
    #[inline]
    pub fn hex(&mut self, name: &'static str, number: u64) {
        let digits = number.to_be_bytes().map(|byte| HEXADECIMAL[usize::from(byte)]);
        self.ascii(name, digits.as_flattened());
    }

    /// Adds a value as the string that its `Display` writes, which must need no escapes.
    pub fn display(&mut self, name: &'static str, shown: impl Display) {
        self.key(name);
        self.out.push(b'"');
        // Writing to a `Vec` never fails.
        let _ = write!(self.out, "{shown}");
        self.out.push(b'"');
    }

    /// Adds an encoded field, with its name in the form that [`key_of`] returns.
    #[inline]
    pub fn encoded_field(&mut self, key: &[u8], value: EncodedValue<'_>) {
        self.begin_key();
        self.out.extend_from_slice(key);
        self.put_raw(value);
    }

    /// Adds an encoded field with a name that may need escapes.
    pub fn encoded_named(&mut self, name: &str, value: EncodedValue<'_>) {
        self.begin_key();
        escaped(self.out, name);
        self.out.extend_from_slice(b"\":");
        self.put_raw(value);
    }

    #[inline]
    fn put_raw(&mut self, value: EncodedValue<'_>) {
        match value {
            EncodedValue::Bool(value) => self.put_boolean(value),
            EncodedValue::U64(number) => self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
            EncodedValue::I64(number) => self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
            EncodedValue::F64(number) => self.put_float(number),
            EncodedValue::Json(json) => self.out.extend_from_slice(&json.as_bytes()),
            EncodedValue::Descriptor(_) => self.out.extend_from_slice(b"null"),
            EncodedValue::Text(text) => {
                self.out.push(b'"');
                escaped_bytes(self.out, &text.as_bytes());
                self.out.push(b'"');
            }
        }
    }

    /// Adds a field with a name that may need escapes.
    pub fn field(&mut self, name: &str, value: &Value) {
        self.begin_key();
        escaped(self.out, name);
        self.out.extend_from_slice(b"\":");
        match value {
            Value::Null => self.out.extend_from_slice(b"null"),
            Value::Bool(value) => self.put_boolean(*value),
            Value::U64(number) => self.out.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes()),
            Value::I64(number) => self.out.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes()),
            Value::F64(number) => self.put_float(*number),
            Value::Text(text) => string(self.out, text),
            Value::Json(json) => self.out.extend_from_slice(json.as_bytes()),
        }
    }

    #[inline]
    fn put_boolean(&mut self, value: bool) {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    fn put_float(&mut self, number: f64) {
        write_float(self.out, number);
    }

    /// Writes a member name that needs no escapes.
    #[inline]
    fn key(&mut self, name: &'static str) {
        self.begin_key();
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    #[inline]
    fn begin_key(&mut self) {
        let begin: &[u8] = if std::mem::replace(&mut self.empty, false) { b"\"" } else { b",\"" };
        self.out.extend_from_slice(begin);
    }
}

/// The two lower-case hex digits of each byte.
static HEXADECIMAL: [[u8; 2]; 256] = digits(b"0123456789abcdef");
/// The two decimal digits of each number below 100.
static DECIMAL: [[u8; 2]; 100] = digits(b"0123456789");

const fn digits<const NUMBERS: usize>(all: &[u8]) -> [[u8; 2]; NUMBERS] {
    let mut pairs = [[0; 2]; NUMBERS];
    let mut number = 0;
    while number < NUMBERS {
        pairs[number] = [all[number / all.len()], all[number % all.len()]];
        number += 1;
    }
    pairs
}

/// Writes a number, or `null` for a number that JSON cannot represent.
pub fn write_float(out: &mut Vec<u8>, number: f64) {
    if number.is_finite() {
        out.extend_from_slice(ryu::Buffer::new().format_finite(number).as_bytes());
    } else {
        out.extend_from_slice(b"null");
    }
}

/// Writes an integer.
pub fn write_whole(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Writes a string with quotes.
#[inline]
pub fn write_text(out: &mut Vec<u8>, text: &str) {
    string(out, text);
}

/// Writes a string that is given in parts.
pub fn write_parts(out: &mut Vec<u8>, parts: &[&str]) {
    out.push(b'"');
    for part in parts {
        escaped(out, part);
    }
    out.push(b'"');
}

#[inline]
fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escaped(out, text);
    out.push(b'"');
}

#[inline]
fn escaped(out: &mut Vec<u8>, text: &str) {
    escaped_bytes(out, text.as_bytes());
}

/// Returns a duration in milliseconds. A single division of an integer gives the number whose
/// shortest decimal form has no excess digits.
#[expect(clippy::cast_precision_loss, reason = "exact up to 104 days")]
pub fn millis(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1e6
}

#[inline]
fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Returns `true` if any of the bytes needs an escape. Eight bytes are checked at a time; the last
/// eight may overlap with those before.
#[inline]
fn any_needs_escape(bytes: &[u8]) -> bool {
    let (eights, rest) = bytes.as_chunks::<8>();
    let found = eights.iter().any(|eight| one_needs_escape(*eight));
    found
        || match bytes.last_chunk::<8>() {
            Some(last) => one_needs_escape(*last),
            None => rest.iter().any(|byte| needs_escape(*byte)),
        }
}

/// Returns `true` if any of eight bytes needs an escape, by arithmetic on all of them at once.
#[inline]
fn one_needs_escape(bytes: [u8; 8]) -> bool {
    const ONES: u64 = u64::MAX / 255;
    const TOPS: u64 = ONES << 7;
    let bytes = u64::from_le_bytes(bytes);
    // The top bit of a byte is set if the byte is less than `than`, or if it borrows from such a
    // byte below it.
    let below = |bytes: u64, than: u64| bytes.wrapping_sub(ONES * than) & !bytes & TOPS;
    let is = |byte: u8| below(bytes ^ (ONES * u64::from(byte)), 1);
    below(bytes, 0x20) | is(b'"') | is(b'\\') != 0
}

/// Escapes the bytes of a string according to RFC 8259 (section 7): the quote, the backslash and
/// the control characters.
fn escaped_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    // Few strings need any escapes.
    if !any_needs_escape(bytes) {
        return out.extend_from_slice(bytes);
    }
    let mut done = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if !needs_escape(byte) {
            continue;
        }
        out.extend_from_slice(&bytes[done..at]);
        done = at + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&HEXADECIMAL[usize::from(byte)]);
            }
        }
    }
    out.extend_from_slice(&bytes[done..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn ids_are_written_as_they_are_shown(high: u64, low: u64) {
            let uuid = Uuid::from_u64_pair(high, low);
            let written = text_of(|mut object| { object.uuid("a", uuid); object.hex("b", low); object.close(); });
            proptest::prop_assert_eq!(written, format!("{{\"a\":\"{uuid}\",\"b\":\"{low:016x}\"}}"));
        }

        #[test]
        fn bytes_looked_at_together_need_what_each_of_them_does(bytes in proptest::collection::vec(
            proptest::prop_oneof![0x18..0x28_u8, 0x58..0x60_u8, 0..=u8::MAX], 0..40,
        )) {
            proptest::prop_assert_eq!(any_needs_escape(&bytes), bytes.iter().any(|byte| needs_escape(*byte)));
        }

        #[test]
        fn a_time_is_written_as_its_float_is(nanos in proptest::prop_oneof![0..200_u64, 0..10_u64.pow(10), 0..u64::MAX]) {
            let time = Duration::from_nanos(nanos);
            let of_time = text_of(|mut object| { object.millis("ms", time); object.close(); });
            let of_float = text_of(|mut object| { object.float("ms", millis(time)); object.close(); });
            proptest::prop_assert_eq!(of_time, of_float);
        }
    }

    #[test]
    fn every_character_survives_the_way_through_a_parser() {
        let text: String = (0..0x250).filter_map(char::from_u32).chain("\u{1f980}\u{ffff}".chars()).collect();
        let json = text_of(|mut object| {
            object.text("text", &text);
            object.float("nan", f64::NAN);
            object.float("small", 1e-300);
            object.field("negative", &Value::I64(i64::MIN));
            object.field(&text, &Value::Bool(true));
            object.texts("list", &[text.clone(), String::new()]);
            object.close();
        });
        let parsed: serde_json::Value = serde_json::from_str(&json).expect("valid JSON");
        assert_eq!(parsed["text"], text);
        assert_eq!(parsed["list"], serde_json::json!([text, ""]));
        assert_eq!(parsed["nan"], serde_json::Value::Null);
        assert_eq!(parsed["small"], 1e-300);
        assert_eq!(parsed["negative"], i64::MIN);
        assert_eq!(parsed[&text], true);
    }
}
