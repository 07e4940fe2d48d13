//! Translates a message from the wire format to JSON.

use std::fmt::Write;

use super::schema::{Field, Message, Type};
use crate::otlp::proto::{Field as Raw, Reader};

/// Returns a message as one JSON object on one line.
pub(super) fn to_json(message: &Message, bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    write_message(message, bytes, &mut out);
    out
}

/// Writes the members in the order of the table. The elements of a repeated field may lie anywhere
/// in the message, and are gathered.
fn write_message(message: &Message, bytes: &[u8], out: &mut String) {
    out.push('{');
    let mut separator = "";
    for field in message.0 {
        let mut values =
            Reader::new(bytes).filter(|(number, _)| *number == field.number).map(|(_, value)| value).peekable();
        if values.peek().is_none() {
            continue;
        }
        // Writing to a `String` cannot fail.
        let _ = write!(out, "{separator}\"{}\":", field.name);
        separator = ",";
        if field.is_repeated {
            write_list(field, values, out);
        } else if let Some(value) = values.last() {
            write_value(field.value, value, out);
        }
    }
    out.push('}');
}

fn write_list<'a>(field: &Field, values: impl Iterator<Item = Raw<'a>>, out: &mut String) {
    out.push('[');
    for (at, value) in values.enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_value(field.value, value, out);
    }
    out.push(']');
}

fn write_value(value_type: Type, value: Raw<'_>, out: &mut String) {
    let written = match (value_type, value) {
        (Type::Nested(message), Raw::Bytes(bytes)) => {
            write_message(message, bytes, out);
            Ok(())
        }
        (Type::Hex, Raw::Bytes(bytes)) => {
            out.push('"');
            for byte in bytes {
                let _ = write!(out, "{byte:02x}");
            }
            out.push('"');
            Ok(())
        }
        (_, Raw::Bytes(bytes)) => {
            out.push_str(&serde_json::Value::from(String::from_utf8_lossy(bytes)).to_string());
            Ok(())
        }
        (Type::Bool, Raw::Number(number)) => write!(out, "{}", number != 0),
        (Type::Int64, Raw::Number(number)) => write!(out, "\"{}\"", number.cast_signed()),
        (Type::Fixed64, Raw::Number(number)) => write!(out, "\"{number}\""),
        // `Attributes` writes a number that JSON does not have as a text.
        (Type::Double, Raw::Number(bits)) => write!(out, "{}", serde_json::Value::from(f64::from_bits(bits))),
        (_, Raw::Number(number)) => write!(out, "{number}"),
    };
    debug_assert!(written.is_ok(), "writing to a `String` cannot fail");
}
