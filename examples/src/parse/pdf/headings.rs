//! Finds the headings of a PDF among its blocks: by its bookmarks, else by the size of the type.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::content::{Block, BlockKind, Bookmark, Content, Page};
use crate::normalize::normalize;

/// The fewest bookmarks that stand for the document's structure. A single one is its title.
const FEWEST_BOOKMARKS: usize = 2;

/// The most lines of a heading.
const MOST_LINES: usize = 4;

/// The least step from the size of the text to that of a heading in points, as of the library.
const LARGER: f32 = 1.0;

/// The longest heading that is recognized by its size in bytes.
const LONGEST: usize = 120;

/// The number of pages from which on a line that is repeated is the head of the pages.
const REPEATED: usize = 3;

/// The deepest level.
const DEEPEST: usize = 6;

/// A heading of a page.
#[derive(Debug, PartialEq)]
pub(super) struct Placed {
    /// The index of the block that has it, or the number of blocks at the end of the page.
    pub(super) block: usize,
    /// The index of its first line in the block.
    pub(super) line: usize,
    /// The number of its lines; 0 if the page does not show it.
    pub(super) lines: usize,
    /// The level, from 1 to 6.
    pub(super) level: u8,
    /// The title, if the page does not show it.
    pub(super) title: String,
}

/// Returns the headings of each page, in the order of the text.
pub(super) fn headings(content: &Content) -> Vec<Vec<Placed>> {
    if content.bookmarks.len() >= FEWEST_BOOKMARKS { of_bookmarks(content) } else { of_sizes(&content.pages) }
}

fn of_bookmarks(content: &Content) -> Vec<Vec<Placed>> {
    let mut by_page: BTreeMap<usize, Vec<&Bookmark>> = BTreeMap::new();
    for bookmark in &content.bookmarks {
        by_page.entry(bookmark.page).or_default().push(bookmark);
    }
    let of_page =
        |(page, number): (&Page, usize)| by_page.get(&number).map_or_else(Vec::new, |found| place(found, page));
    content.pages.iter().zip(0..).map(of_page).collect()
}

/// Places the bookmarks of a page at the lines that are their titles, the closest ones to their
/// places if there are several, else before the first block below their places.
fn place(bookmarks: &[&Bookmark], page: &Page) -> Vec<Placed> {
    let blocks = &page.blocks;
    let lines: Vec<Vec<String>> =
        blocks.iter().map(|block| block.lines.iter().map(|line| key(line)).collect()).collect();
    let places = || lines.iter().enumerate().flat_map(|(block, lines)| (0..lines.len()).map(move |line| (block, line)));
    let mut taken = HashSet::new();
    let mut placed: Vec<Placed> = Vec::with_capacity(bookmarks.len());
    for bookmark in bookmarks {
        let title = key(&bookmark.title);
        let shown = places().filter(|place| !taken.contains(place)).filter_map(|(block, line)| {
            let lines = length_of_title(&lines[block][line..], &title)?;
            Some((block, line, lines))
        });
        let distance = |(block, line, _): &(usize, usize, usize)| distance(bookmark, &blocks[*block], *line);
        let shown = shown.min_by(|one, other| distance(one).total_cmp(&distance(other)));
        let below = |block: &Block| bookmark.top.is_none_or(|place| block.top.is_some_and(|top| top <= place + LARGER));
        let (block, line, lines) =
            shown.unwrap_or_else(|| (blocks.iter().position(below).unwrap_or(blocks.len()), 0, 0));
        taken.extend((line..line + lines).map(|line| (block, line)));
        placed.push(Placed { block, line, lines, level: bookmark.level, title: bookmark.title.clone() });
    }
    placed.sort_by_key(|heading| (heading.block, heading.line));
    placed
}

/// Returns the number of lines, from the first one on, that are the title together.
fn length_of_title(lines: &[String], title: &str) -> Option<usize> {
    let mut text = String::new();
    lines.iter().take(MOST_LINES).zip(1..).find_map(|(line, count)| {
        text.push_str(line);
        is_title(&text, title).then_some(count)
    })
}

/// Returns the distance in points of a line of a block from the place of a bookmark.
fn distance(bookmark: &Bookmark, block: &Block, line: usize) -> f32 {
    let (Some(place), Some(top)) = (bookmark.top, block.top) else { return 0.0 };
    (place - top + block.size * f32::from(u16::try_from(line).unwrap_or(u16::MAX))).abs()
}

/// Returns the letters and digits of a text in lower case, by which titles are compared.
fn key(text: &str) -> String {
    normalize(text).chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Returns `true` if a text is the title, with or without its number: `3.1` or `Chapter 3`.
fn is_title(text: &str, title: &str) -> bool {
    const LONGEST_NUMBER: usize = 12;
    let is_numbered = |longer: &str, shorter: &str| {
        let number = longer.strip_suffix(shorter);
        number.is_some_and(|number| {
            number.len() <= LONGEST_NUMBER && number.contains(|c: char| c.is_numeric() || c.is_alphabetic())
        })
    };
    !title.is_empty() && !text.is_empty() && (text == title || is_numbered(text, title) || is_numbered(title, text))
}

/// Takes the blocks in larger type than most of the text as headings, the largest as the outermost.
fn of_sizes(pages: &[Page]) -> Vec<Vec<Placed>> {
    let mut letters: BTreeMap<u32, usize> = BTreeMap::new();
    let mut repeated: HashMap<String, usize> = HashMap::new();
    for block in pages.iter().flat_map(|page| &page.blocks) {
        if block.kind == BlockKind::Title {
            *repeated.entry(key(&block.lines.join(" "))).or_default() += 1;
        } else {
            *letters.entry(half_points(block.size)).or_default() += block.lines.iter().map(String::len).sum::<usize>();
        }
    }
    let text = letters.into_iter().max_by_key(|(_, letters)| *letters).map_or(0, |(size, _)| size);
    let is_heading = |block: &Block| {
        let title = block.lines.join(" ");
        block.kind == BlockKind::Title
            && half_points(block.size) >= text + half_points(LARGER)
            && title.len() <= LONGEST
            && title.contains(char::is_alphabetic)
            && repeated.get(&key(&title)).is_none_or(|pages| *pages < REPEATED)
    };
    let sizes = pages.iter().flat_map(|page| &page.blocks).filter(|block| is_heading(block));
    let mut sizes: Vec<u32> = sizes.map(|block| half_points(block.size)).collect();
    sizes.sort_unstable_by(|one, other| other.cmp(one));
    sizes.dedup();
    let level = |size: f32| sizes.iter().take(DEEPEST - 1).position(|larger| *larger == half_points(size));
    let placed = |(block, found): (usize, &Block)| Placed {
        block,
        line: 0,
        lines: found.lines.len(),
        level: u8::try_from(level(found.size).map_or(DEEPEST, |level| level + 1)).unwrap_or(u8::MAX),
        title: String::new(),
    };
    let of_page =
        |page: &Page| page.blocks.iter().enumerate().filter(|(_, block)| is_heading(block)).map(placed).collect();
    pages.iter().map(of_page).collect()
}

/// Returns a size in half points, to which sizes are rounded.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a size of type is small and positive, and casts saturate"
)]
fn half_points(size: f32) -> u32 {
    (size * 2.0).round() as u32
}
