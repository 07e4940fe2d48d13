//! Structured values: any type that implements `Serialize`, as JSON.
//!
//! Values are serialized on the caller's thread, so the cost is limited. JSON longer than
//! [`LONGEST`] becomes a text that is cut, and values nested deeper than [`DEEPEST`] levels are not
//! read.

use std::fmt;
use std::io::{self, Write};

use serde_core::Serialize;
use serde_json::ser::Formatter;

use super::field_buffer::Field;
use super::json_text::{self, DEEPEST, LONGEST, Scan, text};
use super::{ToValue, Value};
use crate::guard;

/// The number of bytes beyond the limit that are sent to the worker, which looks for secrets before
/// it cuts a text.
const MARGIN: usize = 1 << 10;
/// The maximum number of bytes that are counted. Serialization stops there.
const MOST_COUNTED: usize = 256 << 10;

/// Wraps a value that implements `Serialize` so that it can be recorded, as in `fields(filters =
/// ragtrace::json(&filters))`.
///
/// A value that serializes to a number, a string or a boolean is recorded as such, and one that
/// serializes to `null`, such as `None`, leaves the field out. Lists and objects are recorded as
/// JSON of at most 64 KiB (8 KiB in fields other than `input` and `output`). Longer JSON is
/// recorded as a text that is cut and ends in a mark. Secrets in the value are redacted, recognized
/// by the names beside them at any depth or by their form.
///
/// The value is serialized on the caller's thread when the field is read. If serialization fails or
/// panics, or if the value is nested deeper than 100 levels, a mark with the reason is recorded
/// instead. If more than 64 KiB had been written by then, the beginning of the JSON follows the
/// mark.
///
/// # Examples
///
/// ```
/// use std::collections::BTreeMap;
/// use ragtrace::traced_stage;
///
/// #[traced_stage(kind = retrieve, fields(filters = ragtrace::json(filters)))]
/// fn search(filters: &BTreeMap<String, Vec<u32>>) -> Vec<u64> {
///     Vec::with_capacity(filters.len())
/// }
/// ```
pub fn json<T: Serialize + ?Sized>(value: &T) -> AsJson<'_, T> {
    AsJson(value)
}

/// A structured value to be recorded, created by [`json`].
pub struct AsJson<'a, T: ?Sized>(&'a T);

impl<T: ?Sized> Clone for AsJson<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for AsJson<'_, T> {}

impl<T: ?Sized + fmt::Debug> fmt::Debug for AsJson<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Serialize + ?Sized> ToValue for AsJson<'_, T> {
    fn to_value(&self) -> Value {
        let mut out = Output::default();
        let result = guard::call(|| {
            let mut serializer = serde_json::Serializer::with_formatter(&mut out, Compact::default());
            self.0.serialize(&mut serializer)
        });
        let mark = match result {
            Ok(Ok(())) if out.length <= LONGEST => return out.into_value(),
            Ok(Ok(())) => return text(out.into_cut_text()),
            // The failure was caused by `Output`, which had reached its end.
            _ if out.is_at_end => return text(out.into_cut_text()),
            Ok(Err(error)) => format!("[could not be read: its `Serialize` failed: {error}]"),
            Err(panic) => guard::mark("Serialize", &panic),
        };
        text(if out.length <= LONGEST { mark } else { out.into_cut_text_behind(mark) })
    }

    fn put(&self, field: Field<'_>) {
        match self.to_value() {
            Value::Json(json) => field.json(&json),
            value => field.value(value),
        }
    }
}

/// The beginning of the JSON that is being written.
#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    /// The number of bytes written so far, including those that were not kept.
    length: usize,
    is_at_end: bool,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = (LONGEST + MARGIN).saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.length += bytes.len();
        if self.length > MOST_COUNTED {
            self.is_at_end = true;
            return Err(io::Error::other("it is too long"));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Output {
    fn into_text(self) -> String {
        let cut = |bytes: Vec<u8>| {
            let valid = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid()).len();
            String::from_utf8_lossy(&bytes[..valid]).into_owned()
        };
        String::from_utf8(self.bytes).unwrap_or_else(|bad| cut(bad.into_bytes()))
    }

    /// Returns the text with a mark in front of it, where it survives when the worker cuts the text
    /// at its own limit.
    fn into_cut_text_behind(mut self, mark: String) -> String {
        self.is_at_end = true;
        mark + " " + &self.into_cut_text()
    }

    fn into_cut_text(self) -> String {
        let (length, at_least) = (self.length, if self.is_at_end { "at least " } else { "" });
        let cut = self.into_text();
        let gone = length - cut.len();
        if gone == 0 { cut } else { format!("{cut}…[truncated {at_least}{gone} bytes]") }
    }

    fn into_value(self) -> Value {
        match json_text::parsed(self.into_text()) {
            Ok(value) => value,
            // A value that announces a wrong length makes `serde_json` write invalid JSON.
            Err(error) => text(format!("[could not be read: its `Serialize` wrote no JSON: {error}]")),
        }
    }
}

/// The number of bytes of ready-made JSON that are copied at once.
const PIECE: usize = 4 << 10;

/// Writes JSON without white space between its parts, down to [`DEEPEST`] levels.
#[derive(Default)]
struct Compact {
    depth: usize,
    /// The number of white space bytes left out of ready-made JSON.
    left_out: usize,
}

impl Compact {
    fn descend(&mut self) -> io::Result<()> {
        self.depth += 1;
        self.check_depth()
    }

    fn check_depth(&self) -> io::Result<()> {
        if self.depth > DEEPEST {
            return Err(io::Error::other(format!("it is nested deeper than {DEEPEST} levels")));
        }
        Ok(())
    }

    /// Leaves a list or an object. Fails if a value announces an empty one, which ends it, and then
    /// goes on with it.
    fn ascend(&mut self) -> io::Result<()> {
        let ended_twice =
            || io::Error::other("a list or an object ends twice: its length differs from the announced one");
        self.depth = self.depth.checked_sub(1).ok_or_else(ended_twice)?;
        Ok(())
    }
}

impl Formatter for Compact {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.descend()?;
        writer.write_all(b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.ascend()?;
        writer.write_all(b"]")
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.descend()?;
        writer.write_all(b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.ascend()?;
        writer.write_all(b"}")
    }

    /// Writes JSON that a value provides ready-made, in any layout.
    fn write_raw_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut scan = Scan::at_depth(self.depth);
        let mut piece = Vec::with_capacity(fragment.len().min(PIECE));
        for byte in fragment.bytes() {
            if scan.keeps(byte.into()) {
                piece.push(byte);
            } else {
                self.left_out += 1;
            }
            self.depth = scan.depth;
            self.check_depth()?;
            if self.left_out > MOST_COUNTED {
                return Err(io::Error::other("it has too much white space between its parts"));
            }
            // The writer decides when there is enough.
            if piece.len() == PIECE {
                writer.write_all(&piece)?;
                piece.clear();
            }
        }
        writer.write_all(&piece)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_core::Serializer;
    use serde_core::ser::{SerializeMap, SerializeSeq, SerializeStruct};
    use serde_json::json as tree;

    use super::*;

    fn value_of(value: &(impl Serialize + ?Sized)) -> Value {
        json(value).to_value()
    }

    #[test]
    fn what_is_no_list_and_no_object_is_a_value_like_others() {
        assert_eq!(value_of("a \"text\""), "a \"text\"");
        assert_eq!((value_of(&7_u8), value_of(&-7_i64), value_of(&0.5)), (7_u8.into(), (-7_i64).into(), 0.5.into()));
        assert_eq!((value_of(&true), value_of(&u64::MAX)), (true.into(), u64::MAX.into()));
        assert_eq!(value_of(&u128::MAX), u128::MAX.to_string());
        for nothing in [value_of(&None::<u8>), value_of(&()), value_of(&f64::NAN), value_of(&f64::INFINITY)] {
            assert_eq!(nothing, Value::Null);
        }
    }

    #[test]
    fn lists_and_objects_are_json_without_white_space() {
        let raw = serde_json::value::RawValue::from_string("{ \"a\\\" b\" :\n[ 1.50 ] }".to_owned()).expect("JSON");
        let value = value_of(&(tree!({"b": [1, "a\nb", null]}), &raw));
        assert_eq!(value.as_json(), Some(r#"[{"b":[1,"a\nb",null]},{"a\" b":[1.50]}]"#));
    }

    /// Announces an empty list, map or struct, and then writes an element.
    enum SaysItIsEmpty {
        List,
        Map,
        Struct,
    }

    impl Serialize for SaysItIsEmpty {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self {
                Self::List => {
                    let mut list = serializer.serialize_seq(Some(0))?;
                    list.serialize_element(&1)?;
                    list.end()
                }
                Self::Map => {
                    let mut map = serializer.serialize_map(Some(0))?;
                    map.serialize_entry("a", &1)?;
                    map.end()
                }
                Self::Struct => {
                    let mut object = serializer.serialize_struct("S", 0)?;
                    object.serialize_field("a", &1)?;
                    object.end()
                }
            }
        }
    }

    /// Writes an object with a key that has no value.
    struct OnlyKey;

    impl Serialize for OnlyKey {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            map.serialize_key("a")?;
            map.end()
        }
    }

    #[test]
    fn what_is_no_json_is_a_mark() {
        for odd in [SaysItIsEmpty::List, SaysItIsEmpty::Map, SaysItIsEmpty::Struct] {
            for value in [value_of(&odd), value_of(&[&odd]), value_of(&BTreeMap::from([("k", &odd)]))] {
                let text = value.as_str().expect("a mark");
                assert!(text.starts_with("[could not be read: its `Serialize` "), "{text}");
            }
            let raw = serde_json::value::to_raw_value(&odd).expect("`serde_json` does not see it");
            assert!(value_of(&[raw]).as_str().is_some_and(|text| text.contains("could not be read")));
        }
        let value = value_of(&OnlyKey);
        assert!(value.as_str().is_some_and(|text| text.contains("wrote no JSON: ")), "{value}");
    }

    #[test]
    fn what_is_too_long_is_a_text_that_says_so() {
        let longest = vec![1; LONGEST / 2 - 1];
        assert_eq!(value_of(&longest).as_json().map(str::len), Some(LONGEST - 1));
        let longer = vec!["é"; 30_000];
        let text = value_of(&longer);
        let text = text.as_str().expect("a text");
        let (kept, mark) = text.split_once('…').expect("a mark");
        let gone: usize = mark["[truncated ".len()..mark.len() - " bytes]".len()].parse().expect("a number");
        assert_eq!(kept.len() + gone, 5 * 30_000 + 1);
        let endless = value_of(&vec!["0123456789"; 1_000_000]).to_string();
        assert!(endless.len() < LONGEST + 2 * MARGIN && endless.contains("…[truncated at least "), "{endless:.99}");
    }

    #[test]
    fn json_that_a_value_has_ready_is_read_no_further_than_other_json() {
        let raw = |json: String| serde_json::value::RawValue::from_string(json).expect("JSON");
        let long = raw(format!("[\"{}\"]", "a".repeat(16 * MOST_COUNTED)));
        let text = value_of(&long).to_string();
        let (kept, mark) = text.split_once("…[truncated at least ").expect("a mark");
        let gone: usize = mark.trim_end_matches(" bytes]").parse().expect("a number");
        assert!(kept.len() + gone <= MOST_COUNTED + PIECE, "{gone}");
        let pieces = raw(format!("[ {}1]", "12345678, ".repeat(PIECE / 4)));
        let same = format!("[{}1]", "12345678,".repeat(PIECE / 4));
        assert_eq!(value_of(&pieces).as_json(), Some(same.as_str()));
        let empty = raw(format!("[{}]", " ".repeat(2 * MOST_COUNTED)));
        assert!(value_of(&empty).to_string().ends_with("too much white space between its parts]"));
    }

    #[test]
    fn what_fails_or_panics_late_is_a_mark_before_what_there_is() {
        struct Late(fn());
        impl Serialize for Late {
            fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                (self.0)();
                Err(serde_core::ser::Error::custom("a broken row"))
            }
        }
        let long = "a".repeat(LONGEST + 2 * MARGIN);
        let texts = [Late(|| {}), Late(|| panic!("not today"))].map(|late| value_of(&(&long, late)).to_string());
        let marks = ["failed: a broken row] [\"aaa", "panicked: not today] [\"aaa"];
        for (text, mark) in texts.iter().zip(marks) {
            assert!(text.starts_with(&format!("[could not be read: its `Serialize` {mark}")), "{text:.99}");
            assert!(text.contains("…[truncated at least ") && text.ends_with(" bytes]"), "{text:.99}");
        }
        let endless = value_of(&(vec![&long; 9], Late(|| {}))).to_string();
        assert!(endless.starts_with("[[\"aaa"), "nobody waits for its failure: {endless:.99}");
    }

    #[test]
    fn what_fails_panics_or_is_too_deep_is_a_mark() {
        struct Panics;
        impl Serialize for Panics {
            fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                panic!("not today")
            }
        }
        let mut deep = tree!(1);
        for _ in 0..=DEEPEST {
            deep = tree!([deep]);
        }
        let no_key = BTreeMap::from([(vec![1], 1)]);
        assert_eq!(value_of(&Panics), "[could not be read: its `Serialize` panicked: not today]");
        let failed = "[could not be read: its `Serialize` failed: ";
        assert_eq!(value_of(&no_key), format!("{failed}key must be a string]"));
        assert_eq!(value_of(&deep), format!("{failed}it is nested deeper than 100 levels]"));
        assert!(value_of(&deep[0]).as_json().is_some());
    }
}
