//! OTLP's messages, written by hand in the wire format of Protocol Buffers.
//!
//! It promises: what is written is what `opentelemetry-proto`, version 1.9, describes; every
//! text is UTF-8, no key comes twice in a list of attributes, and no number is one that JSON cannot
//! hold. Numbers of fields are constants with the names of the `.proto` files.
//!
//! `writer` knows the format, `attributes` keys and values.

mod attributes;
mod reader;
mod writer;

pub(crate) use attributes::{Attribute, Attributes};
pub(crate) use reader::{Field, Reader};
pub(crate) use writer::Writer;
