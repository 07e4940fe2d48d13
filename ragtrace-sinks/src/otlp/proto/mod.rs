//! Writes OTLP's messages in the wire format of Protocol Buffers, without generated code.
//!
//! The messages are those of `opentelemetry-proto`, version 1.9. Every text is UTF-8, no key occurs
//! twice in a list of attributes, and every number can be represented in JSON. Field numbers are
//! constants with the names of the `.proto` files.
//!
//! `writer` implements the format, `attributes` keys and values.

mod attributes;
mod reader;
mod writer;

pub(crate) use attributes::{Attribute, Attributes};
pub(crate) use reader::{Field, Reader};
pub(crate) use writer::Writer;
