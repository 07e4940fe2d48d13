//! A writer of JSON objects into bytes: no intermediate tree, no allocation of its own.

use std::fmt::Display;
use std::io::Write;

/// An object that is being written. [`Object::close`] ends it; what it is nested in goes on then.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

/// The JSON of one object, as a text.
pub(crate) fn text_of(write: impl FnOnce(Object<'_>)) -> String {
    let mut out = Vec::with_capacity(128);
    write(Object::open(&mut out));
    String::from_utf8(out).unwrap_or_default()
}

impl<'a> Object<'a> {
    pub(crate) fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    pub(crate) fn close(self) {
        self.out.push(b'}');
    }

    pub(crate) fn nested(&mut self, name: &str) -> Object<'_> {
        self.key(name);
        Object::open(self.out)
    }

    pub(crate) fn null(&mut self, name: &str) {
        self.key(name);
        self.out.extend_from_slice(b"null");
    }

    pub(crate) fn boolean(&mut self, name: &str, value: bool) {
        self.key(name);
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    pub(crate) fn unsigned(&mut self, name: &str, number: u64) {
        self.key(name);
        self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }

    pub(crate) fn signed(&mut self, name: &str, number: i64) {
        self.key(name);
        self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }

    /// A number, or `null` for what JSON has no form for.
    pub(crate) fn float(&mut self, name: &str, number: f64) {
        self.key(name);
        if number.is_finite() {
            self.out.extend_from_slice(ryu::Buffer::new().format_finite(number).as_bytes());
        } else {
            self.out.extend_from_slice(b"null");
        }
    }

    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.key(name);
        string(self.out, text);
    }

    pub(crate) fn optional_text(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    pub(crate) fn texts(&mut self, name: &str, texts: &[String]) {
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

    /// A text that is known to need no escapes.
    pub(crate) fn ascii(&mut self, name: &str, text: &[u8]) {
        self.key(name);
        self.out.push(b'"');
        self.out.extend_from_slice(text);
        self.out.push(b'"');
    }

    /// What is JSON already.
    pub(crate) fn raw(&mut self, name: &str, json: &str) {
        self.key(name);
        self.out.extend_from_slice(json.as_bytes());
    }

    /// A text that is known to need no escapes, from its `Display`.
    pub(crate) fn display(&mut self, name: &str, shown: impl Display) {
        self.key(name);
        self.out.push(b'"');
        // Writing to a `Vec` has no error to report.
        let _ = write!(self.out, "{shown}");
        self.out.push(b'"');
    }

    fn key(&mut self, name: &str) {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
        string(self.out, name);
        self.out.push(b':');
    }
}

/// Escapes as RFC 8259 (section 7) asks: the quote, the backslash and the control characters.
fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut done = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
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
                const HEX: &[u8; 16] = b"0123456789abcdef";
                let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
            }
        }
    }
    out.extend_from_slice(&bytes[done..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_survives_the_way_through_a_parser() {
        let text: String = (0..0x250).filter_map(char::from_u32).chain("\u{1f980}\u{ffff}".chars()).collect();
        let json = text_of(|mut object| {
            object.text("text", &text);
            object.float("nan", f64::NAN);
            object.float("small", 1e-300);
            object.signed("negative", i64::MIN);
            object.texts("list", &[text.clone(), String::new()]);
            object.close();
        });
        let parsed: serde_json::Value = serde_json::from_str(&json).expect("valid JSON");
        assert_eq!(parsed["text"], text);
        assert_eq!(parsed["list"], serde_json::json!([text, ""]));
        assert_eq!(parsed["nan"], serde_json::Value::Null);
        assert_eq!(parsed["small"], 1e-300);
        assert_eq!(parsed["negative"], i64::MIN);
    }
}
