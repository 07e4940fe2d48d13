//! Recognizes UTF-16 and UTF-32 without a byte order mark, in any script.
//!
//! Every text of some length contains spaces, line ends or CJK punctuation. In UTF-16 these are the
//! units 0x0020, 0x000A or 0x3002, which no text of single bytes contains at even offsets, since it
//! has no NULs and no control characters. Read in the wrong byte order, or as UTF-16 though they
//! are something else, bytes give controls, halves of surrogate pairs, and characters of many
//! scripts.

use super::{Bad, Kind, is_control};
use encoding_rs::{UTF_16BE, UTF_16LE};

/// The number of bytes that are looked at.
const SAMPLE: usize = 64 << 10;

/// Returns the encoding if the bytes are UTF-16 or UTF-32.
pub(super) fn kind(bytes: &[u8]) -> Option<Kind> {
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    // ASCII between some NULs would be Han: only that of every second byte is wide.
    let nuls: usize = sample.iter().map(|byte| usize::from(*byte == 0)).sum();
    if nuls * 4 < sample.len() && sample.iter().all(|byte| byte.is_ascii() && (*byte == 0 || !is_control(*byte))) {
        return None;
    }
    [false, true]
        .into_iter()
        .find(|is_big_endian| is_utf32(sample, *is_big_endian))
        .map(|is_big_endian| Kind::Utf32 { is_big_endian })
        .or_else(|| {
            let (little, big) = (Units::of(sample, u16::from_le_bytes), Units::of(sample, u16::from_be_bytes));
            match (little.is_text(), big.is_text()) {
                (true, false) => Some(Kind::Standard(UTF_16LE)),
                (false, true) => Some(Kind::Standard(UTF_16BE)),
                _ => None,
            }
        })
}

/// Decodes UTF-32, and counts what is no character.
pub(super) fn decode_utf32(bytes: &[u8], is_big_endian: bool) -> (String, Bad) {
    let mut text = String::with_capacity(bytes.len() / 2);
    let mut bad = Bad::default();
    for (at, character) in characters(bytes, is_big_endian).enumerate() {
        if character.is_none() {
            bad.add(at * 4);
        }
        text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    if !bytes.len().is_multiple_of(4) {
        bad.add(bytes.len() / 4 * 4);
        text.push(char::REPLACEMENT_CHARACTER);
    }
    (text, bad)
}

fn characters(bytes: &[u8], is_big_endian: bool) -> impl Iterator<Item = Option<char>> {
    let unit = if is_big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
    bytes.as_chunks::<4>().0.iter().map(move |four| char::from_u32(unit(*four)))
}

/// Returns `true` if the bytes are characters four by four, which nothing else is.
fn is_utf32(bytes: &[u8], is_big_endian: bool) -> bool {
    let (mut good, mut total) = (0_usize, 0_usize);
    for character in characters(bytes, is_big_endian) {
        total += 1;
        let is_text = |character: char| !character.is_control() || matches!(character, '\t' | '\n' | '\r' | '\u{c}');
        good += usize::from(character.is_some_and(is_text));
    }
    total > 1 && good * 100 >= total * 99
}

/// Counts of the units of 16 bits.
struct Units {
    total: usize,
    /// Controls, halves of surrogate pairs, and code points that are no characters.
    wrong: usize,
    ascii: usize,
    /// Spaces, line ends, and CJK punctuation.
    separators: usize,
    /// Han, kana, Hangul and full width, which are spread over many blocks.
    cjk: usize,
    /// All others by their blocks of 256.
    blocks: [u16; 256],
}

impl Units {
    fn of(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Self {
        let mut units = Self { total: 0, wrong: 0, ascii: 0, separators: 0, cjk: 0, blocks: [0; 256] };
        let pairs = bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair));
        for character in char::decode_utf16(pairs) {
            units.total += 1;
            match character {
                Err(_) | Ok('\u{fdd0}'..='\u{fdef}' | '\u{fffe}' | '\u{ffff}' | '\u{e000}'..='\u{f8ff}') => {
                    units.wrong += 1;
                }
                Ok(character) => units.add(character),
            }
        }
        units
    }

    fn add(&mut self, character: char) {
        self.separators += usize::from(matches!(character, ' ' | '\n' | '\r' | '\u{3000}'..='\u{3002}' | '，' | '．'));
        match character {
            '\t' | '\n' | '\r' | '\u{c}' | ' '..='~' => self.ascii += 1,
            character if character.is_control() => self.wrong += 1,
            '\u{3000}'..='\u{30ff}'
            | '\u{3400}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{ac00}'..='\u{d7a3}'
            | '\u{ff00}'..='\u{ffef}'
            | '\u{20000}'.. => self.cjk += 1,
            character => {
                let block = &mut self.blocks[(character as usize >> 8) & 0xff];
                *block = block.saturating_add(1);
            }
        }
    }

    /// Returns `true` if these are the units of a text: hardly anything wrong, separators, and few
    /// scripts.
    fn is_text(&self) -> bool {
        if self.total < 2 || self.wrong * 100 > self.total {
            return false;
        }
        let mut blocks = self.blocks;
        blocks.sort_unstable_by(|a, b| b.cmp(a));
        // A script and its extension, and punctuation.
        let usual: usize = blocks[..4].iter().map(|count| usize::from(*count)).sum();
        let known = self.ascii + self.cjk + usual;
        let is_separated = self.separators * 100 >= self.total && self.separators > 0;
        let is_ascii = self.ascii * 10 >= self.total * 7;
        known * 100 >= self.total * 95 && (is_separated || is_ascii)
    }
}
