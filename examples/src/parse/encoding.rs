//! Decodes bytes to text.
//!
//! The encoding is, in this order: the one that the user gave; the one of a byte order mark; UTF-16
//! or UTF-32 without a mark, if the bytes are distributed like it ([`wide`]); UTF-8, if they are
//! valid; the one that a page declares; UTF-8, if few sequences are not; else the legacy encoding
//! that `chardetng` (Firefox's detector) guesses, which is Windows-1252, a superset of Latin-1, for
//! Western European text.
//!
//! Bytes that are not text in the encoding become U+FFFD, and NULs are left out; each is a loss.
//! Text that contains many control characters is binary data, whatever it was decoded from.

mod wide;

use std::fmt;
use std::str::FromStr;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use serde::{Deserialize, Serialize};

use super::error::ParseError;
use crate::document::{Loss, LossKind};
use crate::normalize::with_line_ends;

/// The length of the part of a page in which its declared encoding is looked for: the first 1024
/// bytes (HTML Standard, "determining the character encoding").
const PRESCAN_BYTES: usize = 1024;

/// The number of bytes from the first one beyond ASCII that the detection of a legacy encoding
/// looks at.
const GUESSED_BYTES: usize = 1 << 20;

/// A character encoding, by a label of the Encoding Standard (`utf-8`, `latin1`, `shift_jis`, …),
/// `utf-32le` or `utf-32be`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TextEncoding(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Standard(&'static Encoding),
    Utf32 { is_big_endian: bool },
}

impl FromStr for TextEncoding {
    type Err = UnknownEncoding;

    fn from_str(label: &str) -> Result<Self, Self::Err> {
        let label = label.trim().to_ascii_lowercase();
        match label.as_str() {
            "utf-32" | "utf-32le" | "utf32" | "utf32le" => Ok(Self(Kind::Utf32 { is_big_endian: false })),
            "utf-32be" | "utf32be" => Ok(Self(Kind::Utf32 { is_big_endian: true })),
            other => Encoding::for_label_no_replacement(other.as_bytes())
                .map(|encoding| Self(Kind::Standard(encoding)))
                .ok_or(UnknownEncoding(label)),
        }
    }
}

impl TryFrom<String> for TextEncoding {
    type Error = UnknownEncoding;

    fn try_from(label: String) -> Result<Self, Self::Error> {
        label.parse()
    }
}

impl From<TextEncoding> for String {
    fn from(encoding: TextEncoding) -> Self {
        encoding.to_string()
    }
}

impl fmt::Display for TextEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Standard(encoding) => encoding.name(),
            Kind::Utf32 { is_big_endian: false } => "UTF-32LE",
            Kind::Utf32 { is_big_endian: true } => "UTF-32BE",
        })
    }
}

/// The error of a label that no encoding has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownEncoding(String);

impl fmt::Display for UnknownEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no encoding {:?}; give a label such as utf-8, windows-1252 or shift_jis", self.0)
    }
}

impl std::error::Error for UnknownEncoding {}

/// Text that was decoded.
#[derive(Debug)]
pub(super) struct Decoded {
    /// The text, whose line ends are `\n`.
    pub(super) text: String,
    /// The parts that could not be decoded.
    pub(super) losses: Vec<Loss>,
}

/// Decodes plain text. `given` is the encoding that the user says it is in.
pub(super) fn decode(bytes: &[u8], given: Option<TextEncoding>) -> Result<Decoded, ParseError> {
    decode_with(bytes, given, |_| None)
}

/// Decodes a web page or XML, which may declare its encoding.
pub(super) fn decode_markup(bytes: &[u8], given: Option<TextEncoding>) -> Result<Decoded, ParseError> {
    decode_with(bytes, given, declared)
}

fn decode_with(
    bytes: &[u8],
    given: Option<TextEncoding>,
    declared: impl Fn(&[u8]) -> Option<&'static Encoding>,
) -> Result<Decoded, ParseError> {
    let bytes = without_padding(bytes);
    let (kind, mark) = kind_of(bytes, given, declared);
    let bytes = &bytes[mark..];
    let (mut text, bad) = match kind {
        Kind::Standard(encoding) if encoding == UTF_8 => decode_utf8(bytes),
        Kind::Standard(encoding) => decode_standard(encoding, bytes),
        Kind::Utf32 { is_big_endian } => wide::decode_utf32(bytes, is_big_endian),
    };
    if is_binary(&text) {
        return Err(ParseError::Binary);
    }
    let mut losses = Vec::new();
    if let Some(first) = bad.first {
        let sequences = if bad.count == 1 { "sequence of bytes is" } else { "sequences of bytes are" };
        let (count, encoding, at) = (bad.count, TextEncoding(kind), mark + first);
        lose(&mut losses, format!("{count} {sequences} not {encoding} and became U+FFFD, the first at byte {at}"));
    }
    if let Some(first) = text.find('\0') {
        let count = text.matches('\0').count();
        let characters = if count == 1 { "NUL character was" } else { "NUL characters were" };
        lose(&mut losses, format!("{count} {characters} left out, the first at byte {first} of the text"));
        text.retain(|character| character != '\0');
    }
    Ok(Decoded { text: with_line_ends(text), losses })
}

fn lose(losses: &mut Vec<Loss>, cause: String) {
    losses.push(Loss { page: None, kind: LossKind::Bytes, cause });
}

/// Returns the bytes without NULs at the end, which some programs fill a block with. One remains
/// for a character of UTF-16 or UTF-32.
fn without_padding(bytes: &[u8]) -> &[u8] {
    let filled = bytes.iter().rev().take_while(|byte| **byte == 0).count();
    &bytes[..bytes.len() - if filled > 4 { filled / 4 * 4 } else { 0 }]
}

/// Returns the encoding, and the length of its byte order mark.
fn kind_of(
    bytes: &[u8],
    given: Option<TextEncoding>,
    declared: impl Fn(&[u8]) -> Option<&'static Encoding>,
) -> (Kind, usize) {
    let marked = marked(bytes);
    if let Some(TextEncoding(given)) = given {
        let mark = marked.filter(|(kind, _)| *kind == given).map_or(0, |(_, mark)| mark);
        return (given, mark);
    }
    if let Some(marked) = marked {
        return marked;
    }
    // Most of what is wide is valid UTF-8 too, though with NULs and other controls.
    let has_controls = bytes.iter().any(|byte| is_control(*byte));
    let is_utf8 = std::str::from_utf8(bytes).is_ok();
    if (has_controls || !is_utf8)
        && let Some(kind) = wide::kind(bytes)
    {
        return (kind, 0);
    }
    let standard = if is_utf8 {
        if is_iso_2022_jp(bytes) { guess(bytes, Iso2022JpDetection::Allow) } else { UTF_8 }
    } else if let Some(encoding) = declared(bytes).filter(|encoding| *encoding != UTF_8) {
        encoding
    } else if is_mostly_utf8(bytes) {
        UTF_8
    } else {
        guess(bytes, Iso2022JpDetection::Deny)
    };
    (Kind::Standard(standard), 0)
}

/// Returns the encoding of a byte order mark, and the length of the mark.
fn marked(bytes: &[u8]) -> Option<(Kind, usize)> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] => Some((Kind::Utf32 { is_big_endian: false }, 4)),
        [0, 0, 0xfe, 0xff, ..] => Some((Kind::Utf32 { is_big_endian: true }, 4)),
        _ => Encoding::for_bom(bytes).map(|(encoding, mark)| (Kind::Standard(encoding), mark)),
    }
}

/// Returns `true` for a control character of ASCII that text does not contain.
fn is_control(byte: u8) -> bool {
    byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x08 | 0x0b | 0x0c | 0x1a | 0x1b)
}

/// Returns `true` if the text switches to a Japanese character set by an escape sequence. All its
/// bytes are ASCII.
fn is_iso_2022_jp(bytes: &[u8]) -> bool {
    bytes.is_ascii() && bytes.windows(3).any(|window| matches!(window, b"\x1b$B" | b"\x1b$@"))
}

/// Returns `true` if the bytes are UTF-8 with few bad sequences: at most one to ten good ones,
/// since hardly any two characters of a legacy encoding look like one, or only a character that the
/// end of the file cuts off.
fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0, 0);
    let mut chunks = bytes.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        good += chunk.valid().bytes().filter(|byte| *byte >= 0xc0).count();
        let is_cut = chunks.peek().is_none()
            && std::str::from_utf8(chunk.invalid()).is_err_and(|error| error.error_len().is_none());
        bad += usize::from(!chunk.invalid().is_empty() && !is_cut);
    }
    good > 0 && bad * 10 <= good
}

/// The sequences that are not text in an encoding.
#[derive(Debug, Default, Clone, Copy)]
struct Bad {
    count: usize,
    /// The offset of the first one in bytes.
    first: Option<usize>,
}

impl Bad {
    fn add(&mut self, at: usize) {
        self.count += 1;
        self.first.get_or_insert(at);
    }
}

fn decode_utf8(bytes: &[u8]) -> (String, Bad) {
    let mut text = String::with_capacity(bytes.len());
    let (mut bad, mut at) = (Bad::default(), 0);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        at += chunk.valid().len();
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
            bad.add(at);
            at += chunk.invalid().len();
        }
    }
    (text, bad)
}

fn decode_standard(encoding: &'static Encoding, bytes: &[u8]) -> (String, Bad) {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(bytes.len());
    let (mut bad, mut at) = (Bad::default(), 0);
    loop {
        let rest = &bytes[at..];
        text.reserve(decoder.max_utf8_buffer_length_without_replacement(rest.len()).unwrap_or(rest.len()));
        let (result, read) = decoder.decode_to_string_without_replacement(rest, &mut text, true);
        at += read;
        match result {
            DecoderResult::InputEmpty => return (text, bad),
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(length, after) => {
                text.push(char::REPLACEMENT_CHARACTER);
                bad.add(at.saturating_sub(usize::from(length) + usize::from(after)));
            }
        }
    }
}

fn guess(bytes: &[u8], japanese: Iso2022JpDetection) -> &'static Encoding {
    let first = bytes.iter().position(|byte| !byte.is_ascii() || *byte == 0x1b).unwrap_or(0);
    let part = &bytes[first..bytes.len().min(first + GUESSED_BYTES)];
    let mut detector = EncodingDetector::new(japanese);
    detector.feed(part, first + part.len() == bytes.len());
    detector.guess(None, Utf8Detection::Deny)
}

/// Returns the encoding that follows the first `charset=` of a page, as in `<meta charset="…">`, or
/// `encoding=` of an XML declaration.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes[..bytes.len().min(PRESCAN_BYTES)].to_ascii_lowercase();
    let xml = head.starts_with(b"<?xml").then(|| head.split(|byte| *byte == b'>').next().unwrap_or_default());
    let after = |text: &[u8], key: &[u8]| {
        let at = text.windows(key.len()).position(|window| window == key)? + key.len();
        let label = text[at..].iter().copied().skip_while(|byte| matches!(byte, b'"' | b'\'' | b' ' | b'='));
        let is_label = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':');
        Encoding::for_label(&label.take_while(is_label).collect::<Vec<u8>>())
    };
    // If UTF-16 is declared in ASCII bytes, the declaration is wrong. The standard would read it as
    // UTF-8, which it is not.
    xml.and_then(|xml| after(xml, b"encoding"))
        .or_else(|| after(&head, b"charset="))
        .filter(|encoding| *encoding != UTF_16LE && *encoding != UTF_16BE)
}

/// Returns `true` if more than one in a hundred characters are those that no text has (controls,
/// and bytes that could not be decoded), or more than one in four are NULs.
fn is_binary(text: &str) -> bool {
    let (mut strange, mut nuls, mut total) = (0_usize, 0_usize, 0_usize);
    for character in text.chars() {
        total += 1;
        match character {
            '\0' => nuls += 1,
            '\u{85}' | '\u{fffd}' => strange += usize::from(character == '\u{fffd}'),
            character if character.is_ascii() => strange += usize::from(is_control(character as u8)),
            character => strange += usize::from(character.is_control()),
        }
    }
    strange > 1 && strange * 100 > total || nuls > 1 && nuls * 4 > total
}
