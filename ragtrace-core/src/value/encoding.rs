//! The encoding of fields as 64-bit words, in which they travel from a thread to the worker.
//!
//! A field is a head, followed by the words of a value that does not fit into it. From the lowest
//! bit, the head contains:
//!
//! | bits | contents |
//! | --- | --- |
//! | 16 | the index of the field's name in its stage's descriptor, or one of [`field_id`] |
//! | 4 | the type and place of the value, see `Tag` |
//! | 44 | a small value, or the length of a text in bytes |
//!
//! Most numbers take one word, all others two, and no field owns memory.

use std::borrow::Cow;

use crate::value::Value;

/// The ids of fields that no stage declares. They are numbers that are never the index of a
/// declared name.
pub mod field_id {
    /// `count`, a field of every stage.
    pub const COUNT: u16 = u16::MAX;
    /// `first_item_ms`, a field of every stage that is a stream.
    pub const FIRST_ITEM: u16 = COUNT - 1;
    /// The type of the error that failed the stage.
    pub const ERROR_TYPE: u16 = COUNT - 2;
    /// The error's message.
    pub const ERROR_MESSAGE: u16 = COUNT - 3;
    /// The message of one of the error's sources.
    pub const ERROR_SOURCE: u16 = COUNT - 4;
    /// The backtrace of a panic or an error.
    pub const STACK_TRACE: u16 = COUNT - 5;
    /// The parts of a request's identity.
    pub(crate) const REQUEST_ID: u16 = COUNT - 6;
    pub(crate) const USER_ID: u16 = COUNT - 7;
    pub(crate) const TENANT_ID: u16 = COUNT - 8;
    pub(crate) const REQUEST_TYPE: u16 = COUNT - 9;
    pub(crate) const SESSION_ID: u16 = COUNT - 10;
    pub(crate) const LANGSMITH_PARENT: u16 = COUNT - 11;
    /// The parts of an item that follow its type and id.
    pub const ITEM_SCORE: u16 = COUNT - 12;
    pub const ITEM_CONTENT: u16 = COUNT - 13;
    pub const ITEM_SOURCE: u16 = COUNT - 14;
    pub const ITEM_DERIVED_FROM: u16 = COUNT - 15;
    /// The number of items, and of ids in them, that were not kept.
    pub const USED_DROPPED: u16 = COUNT - 16;
    pub const GENERATED_DROPPED: u16 = COUNT - 17;
    /// The reason why further items could not be read.
    pub const USED_UNREADABLE: u16 = COUNT - 18;
    pub const GENERATED_UNREADABLE: u16 = COUNT - 19;
    /// A span that the request is linked to: 32 hex digits of its trace id and 16 of its span id.
    pub(crate) const LINK: u16 = COUNT - 20;
    /// Set on a run that failed by sending a response, as opposed to sending none.
    pub const ANSWERED: u16 = COUNT - 21;
    /// The fields after this one belong to another descriptor.
    pub(crate) const DESCRIPTOR: u16 = COUNT - 22;

    /// Returns the name in records of a field that no stage declares, or `None` if the field has a
    /// place of its own in records.
    #[inline(never)]
    pub const fn name(id: u16) -> Option<&'static str> {
        match id {
            FIRST_ITEM => Some("first_item_ms"),
            USED_DROPPED => Some("ragtrace.used_dropped"),
            GENERATED_DROPPED => Some("ragtrace.generated_dropped"),
            USED_UNREADABLE => Some("ragtrace.used_unreadable"),
            GENERATED_UNREADABLE => Some("ragtrace.generated_unreadable"),
            _ => None,
        }
    }
}

/// The type of a field's value, and the place where it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Tag {
    Bool,
    /// Stored in the head.
    SmallU64,
    /// Stored in the next word, as are the next two.
    U64,
    I64,
    F64,
    /// The bytes follow, eight to a word. The last word is padded with zeros.
    Text,
    /// A structured value. Its JSON follows like a text.
    Json,
    /// An item's id, which follows like a text. The field's name is the item's type.
    Item,
    /// The address of a `&'static LogDescriptor`, in the next word. It declares the names of the
    /// fields that follow.
    Descriptor,
}

const TAG_SHIFT: u32 = 16;
const SMALL_SHIFT: u32 = 20;
/// The bound on values that are stored in the head.
pub(crate) const SMALL_LIMIT: u64 = 1 << (64 - SMALL_SHIFT);

/// Encodes the head of a field. `small` must be below [`SMALL_LIMIT`].
#[inline]
pub(crate) const fn head(name: u16, tag: Tag, small: u64) -> u64 {
    name as u64 | (tag as u64) << TAG_SHIFT | small << SMALL_SHIFT
}

/// Returns the number of words that a text of `bytes` bytes takes.
pub(crate) const fn text_length(bytes: usize) -> usize {
    bytes.div_ceil(8)
}

/// Encodes the bytes of a text, eight to a word, and passes each word to `put`.
#[inline]
pub(crate) fn encode_text(text: &str, mut put: impl FnMut(u64)) {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    for word in words {
        put(u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        put(last_word(rest));
    }
}

/// Returns the word of the last bytes of a text, which are fewer than eight. It uses overlapping
/// reads instead of a loop.
#[inline]
fn last_word(rest: &[u8]) -> u64 {
    let bits = 8 * rest.len();
    if let (Some(first), Some(last)) = (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (bits - 32)
    } else if let (Some(first), Some(last)) = (rest.first_chunk::<2>(), rest.last_chunk::<2>()) {
        u64::from(u16::from_le_bytes(*first)) | u64::from(u16::from_le_bytes(*last)) << (bits - 16)
    } else {
        rest.first().map_or(0, |byte| u64::from(*byte))
    }
}

/// Encodes a text field, and passes each word to `put`.
#[inline]
pub(crate) fn encode_text_field(name: u16, tag: Tag, text: &str, mut put: impl FnMut(u64)) {
    put(head(name, tag, text.len() as u64));
    encode_text(text, put);
}

/// An iterator that decodes fields into pairs of a name's index and a value.
#[derive(Clone, Debug, Default)]
pub struct DecodedFields<'a>(pub &'a [u64]);

impl Iterator for DecodedFields<'_> {
    type Item = (u16, Value);

    fn next(&mut self) -> Option<Self::Item> {
        let mut raw = EncodedFields(self.0);
        let field = raw.next()?;
        self.0 = raw.0;
        Some((field.name, field.value.to_value()))
    }
}

/// An iterator over encoded fields that borrows their words without copying.
#[derive(Clone, Debug, Default)]
pub struct EncodedFields<'a>(pub &'a [u64]);

/// A field that borrows its words.
#[derive(Clone, Copy, Debug)]
pub struct EncodedField<'a> {
    /// The index of the field's name, or one of [`field_id`].
    pub name: u16,
    pub value: EncodedValue<'a>,
    /// All words of the field.
    pub words: &'a [u64],
}

impl EncodedField<'_> {
    /// Returns `true` if this is an item's id, which is the first field of an item.
    #[inline]
    pub fn is_item(&self) -> bool {
        self.words.first().is_some_and(|head| (*head >> TAG_SHIFT) & 0xf == Tag::Item as u64)
    }

    /// Returns `true` if this field belongs to the item before it.
    #[inline]
    pub fn is_of_item(&self) -> bool {
        (field_id::ITEM_DERIVED_FROM..=field_id::ITEM_SCORE).contains(&self.name)
    }
}

/// The value of a field that borrows its words.
#[derive(Clone, Copy, Debug)]
pub enum EncodedValue<'a> {
    Bool(bool),
    U64(u64),
    I64(i64),
    F64(f64),
    Text(EncodedText<'a>),
    Json(EncodedText<'a>),
    /// The address of a descriptor, to be read by [`crate::entry`].
    Descriptor(u64),
}

/// A text that borrows its words.
#[derive(Clone, Copy, Debug)]
pub struct EncodedText<'a> {
    words: &'a [u64],
    length: usize,
}

impl<'a> Iterator for EncodedFields<'a> {
    type Item = EncodedField<'a>;

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the name is in the lowest bits, and a length fits in memory")]
    fn next(&mut self) -> Option<Self::Item> {
        let (head, rest) = self.0.split_first()?;
        let (name, tag, small) = (*head as u16, (*head >> TAG_SHIFT) & 0xf, *head >> SMALL_SHIFT);
        let word = || rest.first().copied().unwrap_or(0);
        let (value, more) = match tag {
            tag if tag == Tag::Bool as u64 => (EncodedValue::Bool(small != 0), 0),
            tag if tag == Tag::SmallU64 as u64 => (EncodedValue::U64(small), 0),
            tag if tag == Tag::U64 as u64 => (EncodedValue::U64(word()), 1),
            tag if tag == Tag::I64 as u64 => (EncodedValue::I64(word().cast_signed()), 1),
            tag if tag == Tag::F64 as u64 => (EncodedValue::F64(f64::from_bits(word())), 1),
            tag if tag == Tag::Descriptor as u64 => (EncodedValue::Descriptor(word()), 1),
            _ => {
                let words = text_length(small as usize).min(rest.len());
                let text = EncodedText { words: &rest[..words], length: small as usize };
                let is_json = tag == Tag::Json as u64;
                (if is_json { EncodedValue::Json(text) } else { EncodedValue::Text(text) }, words)
            }
        };
        let (words, rest) = self.0.split_at_checked(1 + more).unwrap_or((self.0, &[]));
        self.0 = rest;
        Some(EncodedField { name, value, words })
    }
}

impl EncodedValue<'_> {
    /// Converts to an owned value.
    pub fn to_value(self) -> Value {
        match self {
            Self::Bool(value) => Value::Bool(value),
            Self::U64(number) => Value::U64(number),
            Self::I64(number) => Value::I64(number),
            Self::F64(number) => Value::F64(number),
            Self::Text(text) => Value::Text(Cow::Owned(text.as_str().into_owned())),
            Self::Json(json) => Value::Json(Cow::Owned(json.as_str().into_owned())),
            Self::Descriptor(_) => Value::Null,
        }
    }

    /// Returns `true` if the value is a number.
    #[inline]
    pub fn is_number(self) -> bool {
        matches!(self, Self::U64(_) | Self::I64(_) | Self::F64(_))
    }

    /// Returns the number if it is an integer and not negative.
    #[inline]
    pub fn as_u64(self) -> Option<u64> {
        match self {
            Self::U64(number) => Some(number),
            Self::I64(number) => u64::try_from(number).ok(),
            _ => None,
        }
    }

    /// Returns the number, rounded to the nearest `f64`, or `None` if the value is not a number.
    #[inline]
    pub fn as_f64(self) -> Option<f64> {
        self.is_number().then(|| self.to_value().as_f64()).flatten()
    }
}

impl<'a> EncodedText<'a> {
    /// Returns the length in bytes.
    #[inline]
    pub fn length(self) -> usize {
        self.length.min(8 * self.words.len())
    }

    /// Returns the text, borrowed on little-endian targets.
    #[inline]
    pub fn as_str(self) -> Cow<'a, str> {
        // The bytes were written from a `str`, so the lossy conversions are never needed.
        match self.as_bytes() {
            Cow::Borrowed(bytes) => {
                std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
            }
            Cow::Owned(bytes) => Cow::Owned(
                String::from_utf8(bytes).unwrap_or_else(|bad| String::from_utf8_lossy(bad.as_bytes()).into_owned()),
            ),
        }
    }

    /// Returns the bytes. On little-endian targets they are borrowed from the words.
    #[inline]
    pub(crate) fn as_bytes(self) -> Cow<'a, [u8]> {
        if cfg!(target_endian = "little") {
            let bytes: &[u8] = bytemuck::cast_slice(self.words);
            Cow::Borrowed(bytes.get(..self.length()).unwrap_or(bytes))
        } else {
            Cow::Owned(self.words.iter().flat_map(|word| word.to_le_bytes()).take(self.length()).collect())
        }
    }
}
